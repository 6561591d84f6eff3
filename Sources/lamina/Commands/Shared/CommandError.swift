import Diagnostics

/// Failures of commands themselves, rather than of what they ask for.
enum CommandCode: String, FailureCode {
    /// The user was asked and said no.
    case cancelled = "cancelled"
    case storeInUse = "store.in-use"
    case badOutput = "output.invalid"
    case badArchive = "archive.malformed"
    case badFilter = "filter.invalid"
    case badConfiguration = "configuration.invalid"
}
typealias CommandError = Failure<CommandCode>
