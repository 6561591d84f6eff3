import Contexts
import Engine
import Frontend
import Linux
import Synchronization
import SystemPackage

/// The lines of the files that errors and warnings are about, read again for their excerpts, each file once.
final class SourceLines: Sendable {
    private let context: FilePath
    private let known = Mutex<[String: [String]]>([:])

    /// Files that the build itself has read are not read again.
    private let texts: SourceTexts?

    init(context: FilePath, texts: SourceTexts? = nil) {
        self.context = context
        self.texts = texts
    }

    /// The lines of a file as it is named in messages: relative to the working directory, or to the context.
    func lines(_ file: String) -> [String]? {
        if let lines = known.withLock({ $0[file] }) { return lines }
        if let bytes = texts?.bytes(of: file) {
            let lines = DockerfileSource(name: file, bytes: bytes).lines
            known.withLock { $0[file] = lines }
            return lines
        }
        for path in [FilePath(file), context.pushing(FilePath(file))] {
            guard let opened = try? OwnedDescriptor.open(path), let bytes = try? opened.readAll(limit: 64 << 20) else {
                continue
            }
            let lines = DockerfileSource(name: file, bytes: bytes).lines
            known.withLock { $0[file] = lines }
            return lines
        }
        return nil
    }
}
