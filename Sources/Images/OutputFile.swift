import Linux
package import SystemPackage
import Trees

/// A file that a command writes for the user.
package enum OutputFile {
    /// Runs `body` with the file to write to: `-` is the standard output; any other file is replaced only when all of it
    /// is written.
    package static func write<Value>(to path: FilePath, _ body: (FileDescriptor) throws -> Value) throws -> Value {
        guard path != "-" else { return try body(.standardOutput) }
        return try FileSystem.replace(path) { try body($0.raw) }
    }
}
