import Diagnostics

/// Failures of commands themselves, rather than of what they ask for.
enum CommandCode: String, FailureCode {
    case storeInUse = "store.in-use"
    case badOutput = "output.invalid"
    case badArchive = "archive.malformed"
    case badFilter = "filter.invalid"
    case badConfiguration = "configuration.invalid"
}
typealias CommandError = Failure<CommandCode>
