package import OCI

/// A part of what a cache key is made from, by the name that explanations know it by.
package enum KeyPart: String, Hashable, Sendable, CaseIterable {
    case command
    case scripts
    case environment
    /// The names of the variables in ``environment`` that ARG declared.
    case arguments
    case user
    case directory
    case network
    /// Privileges and limits of `RUN`: `--security`, `--device`, limits.
    case sandbox
    case mounts
    /// The sources of a copy as they are written.
    case words
    case destination
    case owner
    case mode
    case excludes
    /// `--parents`, `--link` and `--unpack`.
    case flags
    /// Here-documents that are copied.
    case inline
    /// The files that the sources or mounts select: digests of lists.
    case files
    /// The image of a FROM: its name.
    case image
    /// The digest of its manifest.
    case digest
    case url
    /// The file that a server has under a URL.
    case content
    /// The commit of a Git repository.
    case commit
    /// The file system that the step starts from.
    case base
}

/// The ingredients of a cache key, kept so that a later miss can be explained.
package struct KeyIngredients: Hashable, Sendable {
    /// The kind of key with its version, e.g. `run/2`.
    package var kind: String
    package private(set) var parts: [(name: KeyPart, value: JSON)] = []

    package init(kind: String) { self.kind = kind }

    package subscript(name: KeyPart) -> JSON? { parts.first { $0.name == name }?.value }

    package mutating func add(_ name: KeyPart, _ value: JSON) { parts.append((name, value)) }

    package static func == (lhs: KeyIngredients, rhs: KeyIngredients) -> Bool {
        lhs.kind == rhs.kind && lhs.parts.elementsEqual(rhs.parts) { $0.name == $1.name && $0.value == $1.value }
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(kind)
        for part in parts {
            hasher.combine(part.name)
            hasher.combine(part.value)
        }
    }
}

extension KeyIngredients {
    /// As the store keeps them.
    package var encoded: String {
        JSON.object(JSONObject([("kind", .string(kind))] + parts.map { ($0.name.rawValue, $0.value) })).text()
    }

    /// Reads what ``encoded`` gives. Parts of a later version are left out; `nil` for anything else.
    package init?(decoding text: String) {
        guard let object = (try? JSON(parsing: text))?.object, let kind = object["kind"]?.string else { return nil }
        self.init(kind: kind)
        for member in object.members {
            if let name = KeyPart(rawValue: member.key) { parts.append((name, member.value)) }
        }
    }
}
