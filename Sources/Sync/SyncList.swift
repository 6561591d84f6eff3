import Diagnostics
package import OCI
import YAML

/// The images to be copied from one registry, as a list names them.
package struct ListedRegistry: Hashable, Sendable {
    /// A choice of the images of one repository.
    package enum Choice: Hashable, Sendable {
        case all
        /// A tag or a digest.
        case reference(String)
        /// Tags in which a regular expression is found.
        case matching(String)
        /// Tags that are versions of a range.
        case versions(VersionRange)
    }

    package struct Repository: Hashable, Sendable {
        package let name: ImageReference
        package let choices: [Choice]
    }

    /// The name of the registry, which may have a path.
    package let name: String
    package var repositories: [Repository] = []
    package var credentials: Credentials?
    /// Whether certificates are demanded; `nil` leaves it to the command.
    package var verifiesTLS: Bool?
    package var certificateDirectory: String?

    package struct Credentials: Hashable, Sendable {
        package let user: String
        package let password: String
    }
}

/// A list of images in YAML, as `skopeo sync` reads it.
///
/// Source: skopeo-sync(1), "YAML file content". Keys that it does not have are refused, as an ignored one would leave
/// images out in silence.
package struct SyncList: Hashable, Sendable {
    package let registries: [ListedRegistry]

    /// Reads a list; `place` is its name for messages.
    ///
    /// Throws ``SyncError`` `.badList` and `.badVersions`.
    package init(parsing bytes: [UInt8], place: String) throws {
        let document: JSON
        do { document = try YAML.parse(bytes) } catch let error as YAMLError {
            throw SyncError(.badList, "'\(place)' cannot be read: \(error.message)", cause: error)
        }
        guard let object = document.object, !object.isEmpty else {
            throw SyncError(
                .badList, "'\(place)' is no list of registries",
                hint: "Write 'registry.example.com:' and below it 'images:' with names of repositories.")
        }
        registries = try object.members.map { name, value in
            let section = Section(value: value, name: name, place: place)
            return try section.registry()
        }
    }
}

/// The part of a list about one registry.
private struct Section {
    let value: JSON
    let name: String
    let place: String

    private static let keys = [
        "images", "images-by-tag-regex", "images-by-semver", "credentials", "tls-verify", "cert-dir",
    ]

    func malformed(_ what: String, hint: String? = nil) -> SyncError {
        SyncError(.badList, "'\(place)', \(name.printable(limit: 100)): \(what)", hint: hint)
    }

    func registry() throws -> ListedRegistry {
        guard let object = value.object else { throw malformed("it has no members", hint: hint) }
        for key in object.keys where !Self.keys.contains(key) {
            throw malformed("'\(key.printable(limit: 100))' means nothing here", hint: hint)
        }
        var registry = ListedRegistry(name: name)
        try add(to: &registry, "images") { try references($0, $1) }
        try add(to: &registry, "images-by-tag-regex") { [try pattern($0, $1)] }
        try add(to: &registry, "images-by-semver") { [.versions(try VersionRange(parsing: text($0, $1)))] }
        guard !registry.repositories.isEmpty else { throw malformed("it names no images", hint: hint) }
        registry.credentials = try credentials(object["credentials"])
        registry.verifiesTLS = try object["tls-verify"].flatMap(flag)
        registry.certificateDirectory = try object["cert-dir"].map { try text("cert-dir", $0) }
        return registry
    }

    private var hint: String { "A registry has \(Self.keys.joined(separator: ", "))." }

    private func add(
        to registry: inout ListedRegistry, _ key: String, _ choices: (String, JSON) throws -> [ListedRegistry.Choice]
    ) throws {
        guard let value = value[key], value != .null else { return }
        guard let object = value.object else {
            throw malformed("'\(key)' must have names of repositories below it")
        }
        for (repository, value) in object.members {
            let reference: ImageReference
            do { reference = try ImageReference(parsing: "\(name)/\(repository)") } catch {
                throw malformed(error.message, hint: "Write repositories without the registry and without tags.")
            }
            guard reference.tag == "latest", reference.digest == nil, !repository.contains(":") else {
                throw malformed(
                    "'\(repository.printable(limit: 100))' names an image and not a repository",
                    hint: "Write the tag in the list below the repository.")
            }
            registry.repositories.append(
                ListedRegistry.Repository(name: reference, choices: try choices(repository, value)))
        }
    }

    private func references(_ repository: String, _ value: JSON) throws -> [ListedRegistry.Choice] {
        if value == .null { return [.all] }
        guard let list = value.array else { throw malformed("the tags of '\(repository)' are no list") }
        let texts = try list.map { try text(repository, $0) }
        for text in texts {
            let suffix = text.contains(":") ? "@\(text)" : ":\(text)"
            guard (try? ImageReference(parsing: "\(name)/\(repository)\(suffix)")) != nil else {
                throw malformed("'\(text.printable(limit: 100))' is neither a tag nor a digest")
            }
        }
        return texts.isEmpty ? [.all] : texts.map { .reference($0) }
    }

    private func pattern(_ repository: String, _ value: JSON) throws -> ListedRegistry.Choice {
        let text = try text(repository, value)
        do { _ = try Regex(text) } catch {
            throw malformed("'\(text.printable(limit: 100))' is no regular expression: \(error)")
        }
        return .matching(text)
    }

    private func text(_ key: String, _ value: JSON) throws -> String {
        guard let text = value.string else { throw malformed("'\(key.printable(limit: 100))' must have a text") }
        return text
    }

    private func credentials(_ value: JSON?) throws -> ListedRegistry.Credentials? {
        guard let value, value != .null else { return nil }
        guard let user = value["username"]?.string, let password = value["password"]?.string else {
            throw malformed("'credentials' needs username and password")
        }
        return ListedRegistry.Credentials(user: user, password: password)
    }

    /// The words of YAML 1.1 for truth, as strings are all that the reader gives.
    private func flag(_ value: JSON) throws -> Bool? {
        if value == .null { return nil }
        switch value.string?.lowercased() {
        case "true", "yes", "on": return true
        case "false", "no", "off": return false
        default: throw malformed("'tls-verify' is neither true nor false")
        }
    }
}
