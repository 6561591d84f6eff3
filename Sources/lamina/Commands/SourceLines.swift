import Diagnostics
import Linux
import SystemPackage

/// The lines of the file that an error is about, read again for its excerpt.
struct SourceLines: Sendable {
    let context: FilePath

    /// The lines of a file as it is named in messages: relative to the working directory, or to the context.
    func lines(_ file: String) -> [String]? {
        for path in [FilePath(file), context.pushing(FilePath(file))] {
            guard let opened = try? OwnedDescriptor.open(path), let bytes = try? opened.readAll(limit: 64 << 20) else {
                continue
            }
            return String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
                .map { $0.hasSuffix("\r") ? String($0.dropLast()) : String($0) }
        }
        return nil
    }
}
