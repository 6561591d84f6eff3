import Console
import Diagnostics
import Engine
import Linux
import SystemPackage

/// The archive that a command reads: a file, or `-` for the standard input.
enum ArchiveInput {
    static func open(_ name: String) throws -> OwnedDescriptor {
        guard name == "-" else { return try OwnedDescriptor.open(FilePath(name)) }
        guard !OutputTerminal(descriptor: 0).isTerminal else {
            throw CommandError(
                .badArchive, "the standard input is a terminal and no archive", hint: "Name a file, or use a pipe.")
        }
        return OwnedDescriptor(try FileDescriptor.standardInput.duplicate())
    }
}
