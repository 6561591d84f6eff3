import Diagnostics
import Linux
package import SystemPackage

/// A file with build arguments: one `NAME=VALUE` a line, `#` begins a comment.
package enum ArgumentFile {
    /// The arguments in the order of the file; a name alone has no value.
    ///
    /// Values are taken as they are, with all their spaces and quotes, as buildah does.
    ///
    /// - Throws: ``RequestsError`` `.badArgumentFile` for a line without a name, and `LinuxError` for a file that cannot
    ///   be read.
    package static func read(_ path: FilePath) throws -> [(name: String, value: String?)] {
        let bytes = try OwnedDescriptor.open(path).readAll(limit: 16 << 20)
        return try parse(bytes, name: path.string)
    }

    package static func parse(_ bytes: [UInt8], name: String) throws -> [(name: String, value: String?)] {
        var arguments: [(name: String, value: String?)] = []
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (number, bytes) in lines.enumerated() {
            let content = bytes.last == UInt8(ascii: "\r") ? bytes.dropLast() : bytes
            guard let line = String(validating: content, as: UTF8.self) else {
                throw RequestsError(
                    .badArgumentFile, "line \(number + 1) of \(name) is not valid UTF-8",
                    hint: "Save the file as UTF-8.")
            }
            guard !line.allSatisfy(\.isWhitespace), line.first(where: { !$0.isWhitespace }) != "#" else { continue }
            let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard !parts[0].isEmpty else {
                throw RequestsError(
                    .badArgumentFile, "line \(number + 1) of \(name) has no name before the equals sign",
                    hint: "Write each argument as NAME=VALUE.")
            }
            arguments.append((parts[0], parts.count == 2 ? parts[1] : nil))
        }
        return arguments
    }
}
