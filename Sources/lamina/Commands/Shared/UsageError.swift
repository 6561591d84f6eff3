import ArgumentParser
import Diagnostics
import Requests

/// A wrong command line that shows only when the values of its options are made; the program ends with status 2.
struct UsageError: Error {
    let message: String
    let command: any ParsableCommand.Type

    /// The text in the form of the parser's own errors.
    var text: String {
        let name = command.configuration.commandName ?? ""
        return """
            Error: \(message)
            Usage: \(Lamina.usageString(for: command))
              See 'lamina \(name) --help' for more information.
            """
    }
}

extension ParsableCommand {
    /// Makes values of the command's options; a failure is a ``UsageError``.
    ///
    /// Values are made here and not in `validate()`, which may run twice: a file of the command line, such as
    /// `<(printf A=1)`, can be read only once. What is not supported is no usage error and is thrown as it is.
    static func checkingUsage<Value>(_ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch let error as RequestsError where error.code == .unsupported {
            throw error
        } catch let error as any AnyFailure {
            throw UsageError(message: error.message + (error.hint.map { "\n\($0)" } ?? ""), command: self)
        } catch let error as ValidationError {
            throw UsageError(message: error.message, command: self)
        }
    }
}
