package import Diagnostics

/// The full name of an image: registry, repository, and a tag or a digest.
///
/// Names are normalised as Docker does: `debian` is `docker.io/library/debian:latest`.
/// Source: the distribution project's reference grammar.
package struct ImageReference: Hashable, Sendable {
    /// Host with an optional port, e.g. `docker.io` or `localhost:5000`.
    package let registry: String
    /// Path below the registry, e.g. `library/debian`.
    package let repository: String
    package let tag: String?
    package let digest: Digest?

    package init(registry: String, repository: String, tag: String?, digest: Digest? = nil) {
        self.registry = registry
        self.repository = repository
        self.tag = tag
        self.digest = digest
    }

    /// Parses a name as a user writes it; without tag and digest the tag is `latest`.
    package init(parsing text: String) throws(ReferenceError) {
        var rest = Substring(text)
        var digest: Digest?
        if let at = rest.firstIndex(of: "@") {
            do { digest = try Digest(parsing: rest[rest.index(after: at)...]) } catch {
                throw ReferenceError(
                    .malformed, "invalid reference format: '\(text)'", hint: error.hint, cause: error)
            }
            rest = rest[..<at]
        }
        var tag: String?
        if let colon = rest.lastIndex(of: ":"), !rest[colon...].contains("/") {
            tag = String(rest[rest.index(after: colon)...])
            rest = rest[..<colon]
        }
        if let tag, !Self.isTag(tag) { throw Self.malformed(text) }
        let (registry, repository) = Self.split(rest)
        guard Self.isDomain(registry) else { throw Self.malformed(text) }
        if rest.utf8.count == 64, rest.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }) {
            throw ReferenceError(
                .malformed, "invalid repository name (\(rest)), cannot specify 64-byte hexadecimal strings")
        }
        guard Self.isRepository(repository) else {
            if Self.isRepository(repository.lowercased()) {
                throw ReferenceError(
                    .malformed, "invalid reference format: repository name (\(repository)) must be lowercase")
            }
            throw Self.malformed(text)
        }
        guard repository.utf8.count <= 255 else {
            throw ReferenceError(.malformed, "repository name must not be more than 255 characters")
        }
        self.init(
            registry: registry, repository: repository, tag: tag ?? (digest == nil ? "latest" : nil), digest: digest)
    }

    private static func malformed(_ text: String) -> ReferenceError {
        ReferenceError(
            .malformed, "invalid reference format: '\(text)'", hint: "Write it as [registry/]name[:tag][@sha256:...].")
    }

    private static func split(_ name: Substring) -> (registry: String, repository: String) {
        let parts = name.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { return ("docker.io", "library/\(name)") }
        let first = parts[0]
        let isDomain = isRegistry(first)
        let registry = isDomain ? (first == "index.docker.io" ? "docker.io" : String(first)) : "docker.io"
        let path = isDomain ? String(parts[1]) : String(name)
        return (registry, registry == "docker.io" && !path.contains("/") ? "library/\(path)" : path)
    }

    /// Whether the first of several parts of a name is that of a registry.
    static func isRegistry(_ part: Substring) -> Bool {
        part.contains(".") || part.contains(":") || part == "localhost" || part != part.lowercased()
    }

    private static func isTag(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard let first = bytes.first, bytes.count <= 128, first.isAlphanumeric || first == UInt8(ascii: "_") else {
            return false
        }
        return bytes.allSatisfy { $0.isAlphanumeric || "_.-".utf8.contains($0) }
    }

    private static func isDomain(_ text: String) -> Bool {
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { return false }
            let port = text[text.index(after: end)...]
            let address = text[text.index(after: text.startIndex)..<end]
            return address.utf8.allSatisfy { $0.isAlphanumeric || $0 == UInt8(ascii: ":") } && isPort(port)
        }
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let labels = parts[0].split(separator: ".", omittingEmptySubsequences: false)
        let port = text.dropFirst(parts[0].count)
        return isPort(port)
            && labels.allSatisfy { label in
                let bytes = Array(label.utf8)
                guard let first = bytes.first, let last = bytes.last else { return false }
                return first.isAlphanumeric && last.isAlphanumeric
                    && bytes.allSatisfy { $0.isAlphanumeric || $0 == UInt8(ascii: "-") }
            }
    }

    private static func isPort(_ text: Substring) -> Bool {
        text.isEmpty || (text.hasPrefix(":") && UInt16(text.dropFirst()) != nil)
    }

    /// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*` components joined by `/`.
    private static func isRepository(_ text: String) -> Bool {
        text.split(separator: "/", omittingEmptySubsequences: false).allSatisfy { component in
            var separator: [UInt8] = []
            var previousIsWord = false
            for byte in component.utf8 {
                switch byte {
                case 0x30...0x39, 0x61...0x7a:
                    if !separator.isEmpty, !previousIsWord || !isSeparator(separator) { return false }
                    separator = []
                    previousIsWord = true
                default: separator.append(byte)
                }
            }
            return previousIsWord && separator.isEmpty
        }
    }

    private static func isSeparator(_ bytes: [UInt8]) -> Bool {
        bytes.elementsEqual(".".utf8) || bytes.elementsEqual("_".utf8) || bytes.elementsEqual("__".utf8)
            || bytes.allSatisfy { $0 == UInt8(ascii: "-") }
    }

    /// The same image under another tag or digest.
    package func with(tag: String?, digest: Digest?) -> ImageReference {
        ImageReference(registry: registry, repository: repository, tag: tag, digest: digest)
    }

    /// Registry and repository, e.g. `docker.io/library/debian`.
    package var name: String { "\(registry)/\(repository)" }

    /// The repository as Docker shows it: without `docker.io/` and, where nothing is nested, without `library/`.
    package var familiarName: String {
        guard registry == "docker.io" else { return name }
        let official = "library/"
        guard repository.hasPrefix(official), !repository.dropFirst(official.count).contains("/") else {
            return repository
        }
        return String(repository.dropFirst(official.count))
    }

    /// The whole reference as Docker shows it, e.g. `debian:latest`.
    package var familiar: String { familiarName + suffix }

    private var suffix: String { (tag.map { ":\($0)" } ?? "") + (digest.map { "@\($0)" } ?? "") }
}

extension ImageReference: CustomStringConvertible {
    package var description: String { name + suffix }
}

/// Errors of image names.
package enum ReferenceCode: String, FailureCode { case malformed = "reference.malformed" }
package typealias ReferenceError = Failure<ReferenceCode>
