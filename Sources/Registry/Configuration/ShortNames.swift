import Diagnostics
import OCI

/// The meaning of image names without a registry, as far as the files of a machine give them one.
///
/// Source: containers-registries.conf(5), "Unqualified image search" and "Short-name aliasing".
struct ShortNames: Sendable {
    /// The treatment of a name that may stand for several images.
    enum Mode: String, Sendable, CaseIterable {
        case permissive
        /// It is refused: nobody is asked here which one is meant.
        case enforcing
        case disabled
    }

    /// Registries that are searched, in order.
    private var registries: [String] = []
    /// Repositories by their short names; `nil` takes back what an earlier file says.
    private var aliases: [String: ImageReference?] = [:]
    private var mode = Mode.permissive
    /// The file that ``registries`` come from, for messages.
    private var file = ""

    /// Adds what a file in the form of `registries.conf` says; the last file that says something counts.
    ///
    /// Throws ``RegistryError`` `.configuration`.
    mutating func add(_ json: JSON, path: String) throws {
        if let list = json["unqualified-search-registries"] {
            guard let names = list.strings else {
                throw Self.malformed(path, "has unqualified-search-registries that are no list of texts")
            }
            for name in names where (try? ImageReference(parsing: "\(name)/x"))?.registry != name {
                throw Self.malformed(
                    path, "has '\(name.printable(limit: 100))' in unqualified-search-registries, which is no registry")
            }
            (registries, file) = (names, path)
        }
        if let word = json["short-name-mode"]?.string, !word.isEmpty {
            guard let mode = Mode(rawValue: word) else {
                throw Self.malformed(
                    path,
                    "has short-name-mode = '\(word.printable(limit: 50))': there are permissive, enforcing and disabled"
                )
            }
            self.mode = mode
        }
        try add(choices: json, path: path)
    }

    /// Adds the aliases of a file in the form of `short-name-aliases.conf`, which counts before `registries.conf`.
    ///
    /// Throws ``RegistryError`` `.configuration`.
    mutating func add(choices json: JSON, path: String) throws {
        guard let table = json["aliases"] else { return }
        guard let members = table.object?.members else { throw Self.malformed(path, "has aliases that are no table") }
        for (name, value) in members {
            aliases.updateValue(try Self.target(of: name, value, path), forKey: name)
        }
    }

    /// The repository that an alias names; `nil` for an empty one.
    private static func target(of name: String, _ value: JSON, _ path: String) throws -> ImageReference? {
        let shown = name.printable(limit: 100)
        guard (try? ImageName(parsing: name))?.shortName == name else {
            throw malformed(path, "has an alias '\(shown)', which is no name without registry, tag and digest")
        }
        guard value.string != "" else { return nil }
        guard let text = value.string, let target = try? ImageName(parsing: text), target.shortName == nil,
            text.split(separator: "/").last?.contains(":") == false, !text.contains("@")
        else {
            throw malformed(path, "has an alias '\(shown)' for what is no repository of a registry")
        }
        return target.reference
    }

    private static func malformed(_ path: String, _ what: String) -> RegistryError {
        RegistryError(.configuration, "'\(path)' \(what)", hint: "See containers-registries.conf(5).")
    }

    /// The images that a name may stand for, in the order in which they are looked for: that of its alias, else those of
    /// the registries that are searched, else Docker's.
    ///
    /// Throws ``RegistryError`` `.configuration` for several where they are not allowed.
    func candidates(for name: ImageName) throws -> [ImageReference] {
        let reference = name.reference
        guard let shortName = name.shortName else { return [reference] }
        if let alias = aliases[shortName] ?? nil {
            return [alias.with(tag: reference.tag, digest: reference.digest)]
        }
        let found = try registries.map {
            try ImageReference(parsing: "\($0)/\(shortName)").with(tag: reference.tag, digest: reference.digest)
        }
        guard found.count > 1, mode == .enforcing else { return found.isEmpty ? [reference] : found }
        let names = found.map(\.description).joined(separator: ", ")
        throw RegistryError(
            .configuration, "'\(shortName)' may be \(names), and '\(file)' has short-name-mode = 'enforcing'",
            hint: "Write the name with its registry, or give it an alias in that file.")
    }
}
