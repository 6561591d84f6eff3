package import Frontend
import Synchronization

/// The texts that a build reads, by the names that messages call them, for excerpts in messages.
package final class SourceTexts: Sendable {
    private let texts = Mutex<[String: [UInt8]]>([:])

    package init() {}

    package func remember(_ source: DockerfileSource) { texts.withLock { $0[source.name] = source.bytes } }

    package func bytes(of name: String) -> [UInt8]? { texts.withLock { $0[name] } }
}
