import Diagnostics
import Logins
import OCI

/// The rules of a machine by which images are read from other places than their names say.
///
/// Source: containers-registries.conf(5), version 2; the option `registry-mirrors` of dockerd.
struct RegistryConfiguration: Sendable {
    /// A registry, or a part of one, with copies of another's images.
    struct Mirror: Hashable, Sendable {
        /// Host with an optional port, and with the path that takes the place of the prefix.
        var location: String
        var isInsecure = false
        var servesTags = true
        var servesDigests = true
    }

    /// The rule for all names below a prefix.
    struct Rule: Hashable, Sendable {
        /// A host, or a host and the beginning of a path; `*.example.com` is for all hosts below it.
        var prefix: String
        /// The place of the images, if it is not the prefix.
        var location: String?
        var isInsecure = false
        var isBlocked = false
        var mirrors: [Mirror] = []
        /// The file with the rule, for messages.
        var file = ""
    }

    /// A place to read an image from.
    struct Source: Hashable, Sendable {
        let reference: ImageReference
        let isInsecure: Bool
        let isMirror: Bool
        /// The server that is asked in place of the one that the name says.
        var host: RegistryHost?
    }

    var rules: [Rule] = []
    var shortNames = ShortNames()
    /// Mirrors of whole registries that are named on the command line, by registry.
    var commandMirrors: [(registry: String, mirror: Mirror)] = []
    /// Whether a registry with one of ``commandMirrors`` is read from there only.
    var readsMirrorsOnly = false
    /// Mirrors of Docker Hub in the configuration of dockerd.
    var hubMirrors: [Mirror] = []
    /// Insecure registries in the configuration of dockerd.
    var insecureRegistries: [String] = []

    /// The places to read an image from, in order; the last is no mirror, unless ``readsMirrorsOnly`` says so.
    ///
    /// Throws ``RegistryError`` `.blocked`.
    func sources(for reference: ImageReference) throws -> [Source] {
        let rule = try usableRule(for: reference)
        var sources: [Source] = []
        func add(_ mirror: Mirror, in place: String) {
            guard reference.digest == nil ? mirror.servesTags : mirror.servesDigests,
                let other = Self.rewritten(reference, place, mirror.location)
            else { return }
            let source = Source(reference: other, isInsecure: mirror.isInsecure, isMirror: true)
            if !sources.contains(source) { sources.append(source) }
        }
        for (registry, mirror) in commandMirrors where registry == reference.registry { add(mirror, in: registry) }
        if readsMirrorsOnly, !sources.isEmpty { return sources }
        for mirror in rule?.mirrors ?? [] { add(mirror, in: rule?.prefix ?? "") }
        if reference.registry == "docker.io" { for mirror in hubMirrors { add(mirror, in: "docker.io") } }
        var origin = reference
        if let rule, let location = rule.location, let other = Self.rewritten(reference, rule.prefix, location) {
            origin = other
        }
        return sources + [Source(reference: origin, isInsecure: rule?.isInsecure ?? false, isMirror: false)]
    }

    /// The place to write an image to: mirrors and other locations are for reading.
    ///
    /// Throws ``RegistryError`` `.blocked`.
    func target(for reference: ImageReference) throws -> Source {
        let rule = try usableRule(for: reference)
        return Source(reference: reference, isInsecure: rule?.isInsecure ?? false, isMirror: false)
    }

    private func usableRule(for reference: ImageReference) throws -> Rule? {
        guard let rule = rule(for: reference) else { return nil }
        if rule.isBlocked {
            throw RegistryError(
                .blocked, "'\(rule.prefix)' is blocked by '\(rule.file)'",
                hint: "Use another registry, or change that file.")
        }
        return rule
    }

    /// The rule with the longest prefix of the name.
    private func rule(for reference: ImageReference) -> Rule? {
        rules.filter { Self.matches(reference, $0.prefix) }.max { $0.prefix.utf8.count < $1.prefix.utf8.count }
    }

    private static func matches(_ reference: ImageReference, _ prefix: String) -> Bool {
        if prefix.hasPrefix("*.") { return reference.registry.hasSuffix(prefix.dropFirst()) }
        let name = reference.name
        return name == prefix || name.hasPrefix("\(prefix)/")
    }

    /// The name with the prefix replaced by a location; `nil` if no repository is left.
    private static func rewritten(_ reference: ImageReference, _ prefix: String, _ location: String) -> ImageReference?
    {
        let length = prefix.hasPrefix("*.") ? reference.registry.utf8.count : prefix.utf8.count
        let name = location + String(decoding: reference.name.utf8.dropFirst(length), as: UTF8.self)
        let parts = name.split(separator: "/", maxSplits: 1).map(String.init)
        guard parts.count == 2 else { return nil }
        return ImageReference(
            registry: parts[0], repository: parts[1], tag: reference.tag, digest: reference.digest)
    }
}

extension RegistryConfiguration {
    /// Adds the rules and short names of a file in the form of `registries.conf`; a rule replaces an earlier one for its
    /// prefix.
    mutating func add(registriesFile json: JSON, path: String) throws {
        if json["registries"]?["search"] != nil || json["registries"]?["insecure"] != nil {
            throw RegistryError(
                .configuration, "'\(path)' has the form of version 1, which is not read",
                hint: "Write it in version 2, or name another file in CONTAINERS_REGISTRIES_CONF.")
        }
        try shortNames.add(json, path: path)
        for table in json["registry"]?.array ?? [] {
            let location = Self.trimmed(table["location"]?.string ?? "")
            let prefix = Self.trimmed(table["prefix"]?.string ?? location)
            guard !prefix.isEmpty else {
                throw RegistryError(.configuration, "'\(path)' has a registry without prefix and location")
            }
            var rule = Rule(
                prefix: prefix, location: location.isEmpty || location == prefix ? nil : location, file: path)
            rule.isInsecure = table["insecure"]?.bool ?? false
            rule.isBlocked = table["blocked"]?.bool ?? false
            let isForDigests = table["mirror-by-digest-only"]?.bool ?? false
            rule.mirrors = try (table["mirror"]?.array ?? []).map { try Self.mirror($0, isForDigests, path) }
            rules.removeAll { $0.prefix == prefix }
            rules.append(rule)
        }
    }

    private static func mirror(_ table: JSON, _ isForDigests: Bool, _ path: String) throws -> Mirror {
        guard let location = table["location"]?.string.map(trimmed), !location.isEmpty else {
            throw RegistryError(.configuration, "'\(path)' has a mirror without location")
        }
        var mirror = Mirror(location: location, isInsecure: table["insecure"]?.bool ?? false)
        switch table["pull-from-mirror"]?.string ?? (isForDigests ? "digest-only" : "all") {
        case "digest-only": mirror.servesTags = false
        case "tag-only": mirror.servesDigests = false
        case "all", "": break
        case let other:
            throw RegistryError(
                .configuration, "'\(path)' has pull-from-mirror = '\(other.printable(limit: 50))'",
                hint: "Write all, digest-only or tag-only.")
        }
        return mirror
    }

    /// Adds the mirrors and the insecure registries in a configuration of dockerd.
    mutating func add(daemonFile json: JSON) throws {
        hubMirrors += try (json["registry-mirrors"]?.strings ?? []).map { try Self.mirror(url: $0) }
        insecureRegistries += json["insecure-registries"]?.strings ?? []
    }

    /// Adds a mirror of the command line: `[REGISTRY=]URL`, without a registry for Docker Hub.
    ///
    /// Throws ``RegistryError`` `.configuration`.
    mutating func add(option: String) throws {
        let parts = option.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let registry = parts.count == 2 ? RegistryName.normalised(parts[0]) : "docker.io"
        commandMirrors.append((registry, try Self.mirror(url: parts[parts.count - 1])))
    }

    private static func mirror(url: String) throws -> Mirror {
        let isPlain = url.lowercased().hasPrefix("http://")
        var location = url
        if let separator = url.firstRange(of: "://") { location = String(url[separator.upperBound...]) }
        location = trimmed(location)
        guard (try? HTTPURL(parsing: "https://\(location)")) != nil, !location.contains("?"), !location.contains("#")
        else {
            throw RegistryError(
                .configuration, "'\(url.printable(limit: 200))' is no address of a mirror",
                hint: "Write it as https://host[:port][/path].")
        }
        return Mirror(location: location, isInsecure: isPlain)
    }

    private static func trimmed(_ text: String) -> String {
        var text = text[...]
        while text.hasSuffix("/") { text.removeLast() }
        return String(text)
    }
}
