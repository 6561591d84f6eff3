import Diagnostics
import Glibc
import Linux
package import OCI
package import Requests
import Solver
import Synchronization
package import SystemPackage

/// The digests of base images that a file keeps, so that later builds start from the same ones.
///
/// The file is a JSON document: `{"schema": 1, "images": {"docker.io/library/debian:12": "sha256:…"}}`.
package final class BaseLock: Sendable {
    private struct State {
        var digests: [String: Digest]
        var hasChanged = false
    }

    private let path: FilePath
    private let state: Mutex<State>

    /// Reads the file; one that is not there is empty.
    ///
    /// - Throws: ``ContextsError`` `.badLock`.
    package init(path: FilePath) throws {
        self.path = path
        state = Mutex(State(digests: try Self.digests(in: path)))
    }

    private static func digests(in path: FilePath) throws -> [String: Digest] {
        let bytes: [UInt8]
        do {
            bytes = try OwnedDescriptor.open(path).readAll(limit: 1 << 20)
        } catch let error as LinuxError where error.code == .notFound {
            return [:]
        } catch {
            throw ContextsError(.badLock, "the lock file '\(path)' cannot be read: \(describe(error))", cause: error)
        }
        func malformed(_ reason: String) -> ContextsError {
            ContextsError(
                .badLock, "the lock file '\(path)' is not one: \(reason)",
                hint: "Remove it, and the next build writes it anew.")
        }
        guard let json = try? JSON(parsing: bytes), let images = json["images"]?.object else {
            throw malformed("it has no member 'images'")
        }
        guard json["schema"]?.integer == 1 else { throw malformed("its schema is not 1") }
        var digests: [String: Digest] = [:]
        for (name, value) in images.members {
            guard let digest = value.string.flatMap({ try? Digest(parsing: $0) }) else {
                throw malformed("'\(name)' has no digest")
            }
            digests[name] = digest
        }
        return digests
    }

    /// The reference with the digest that the file has for it; unchanged if it has none, or if the registry is to be
    /// asked anew.
    package func locked(_ reference: ImageReference, pull: PullPolicy) -> ImageReference {
        guard reference.digest == nil, pull != .always, pull != .newer,
            let digest = state.withLock({ $0.digests[reference.description] })
        else { return reference }
        return reference.with(tag: reference.tag, digest: digest)
    }

    /// Notes the digest that a reference stood for. An image that no registry has is not noted.
    package func note(_ reference: ImageReference, _ digest: Digest?) {
        guard reference.digest == nil, let digest else { return }
        state.withLock { state in
            guard state.digests.updateValue(digest, forKey: reference.description) != digest else { return }
            state.hasChanged = true
        }
    }

    /// Writes the file if something in it has changed: readers find the old one or the new one.
    ///
    /// - Throws: ``ContextsError`` `.badLock`.
    package func save() throws {
        let changed = state.withLock { $0.hasChanged ? $0.digests : nil }
        guard let changed else { return }
        let images = JSONObject(changed.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value.description)) })
        let document = JSON.object(("schema", .integer(1)), ("images", .object(images)))
        let draft = FilePath("\(path)\(ProcessIdentity.current)")
        do {
            do {
                let file = try OwnedDescriptor.open(
                    draft, .writeOnly, options: [.create, .exclusiveCreate],
                    permissions: [.ownerReadWrite, .groupRead, .otherRead])
                try file.write((document.encoded(.pretty(2)) + [0x0a]).span)
                try file.synchronize()
            }
            guard unsafe rename(draft.string, path.string) == 0 else { throw Errno.current }
        } catch {
            _ = unsafe unlink(draft.string)
            throw ContextsError(
                .badLock, "the lock file '\(path)' cannot be written: \(describe(error))",
                hint: "Name a file in a directory that you may write to.", cause: error)
        }
        state.withLock { $0.hasChanged = false }
    }
}
