package import Attestations
import Diagnostics
package import OCI

/// An image on its way to become another one, without a build: its config, with history and layers, and its annotations.
///
/// The history tells what was done: an entry that made a layer which is no more stays, as one that made none.
package struct EditedImage: Hashable, Sendable {
    package var config: ImageConfig
    package var annotations: [String: String]
    /// The time of what is done.
    package let time: Timestamp
    /// Descriptions of the changes so far, in order.
    package private(set) var changes: [String] = []
    /// The image as it was, then the others that were used.
    package private(set) var materials: [Provenance.Material] = []

    /// The keys under which an image names the image that it is based on.
    package static let baseDigestKey = "org.opencontainers.image.base.digest"
    package static let baseNameKey = "org.opencontainers.image.base.name"

    /// Throws ``EditingError`` `.badHistory` for a config whose history has another number of layers.
    package init(_ config: ImageConfig, annotations: [String: String], time: Timestamp) throws {
        self.config = config
        self.annotations = annotations
        self.time = time
        // Images without any history are in use.
        let count = config.history.count { !$0.emptyLayer }
        guard count == config.diffIDs.count || config.history.isEmpty else {
            throw EditingError(
                .badHistory, "the history of the image is of \(count) layers, but it has \(config.diffIDs.count)",
                hint: "The image is damaged: get it again.")
        }
    }

    /// Notes in the history what was done.
    package mutating func note(_ text: String, makesLayer: Bool = false) {
        if makesLayer { fillHistory() }
        config.history.append(History(created: time, createdBy: text, comment: Self.comment, emptyLayer: !makesLayer))
        config.created = time
        changes.append(text)
    }

    /// Notes an image that was used.
    package mutating func use(_ name: ImageReference?, _ digest: Digest) {
        materials.append(Provenance.Material(image: name, digest: digest, platform: config.platform))
    }

    /// Sets an annotation of the manifest, or removes it.
    package mutating func annotate(_ name: String, _ value: String?) throws {
        guard value != nil || annotations[name] != nil else {
            throw EditingError(
                .nothing, "the manifest has no annotation '\(name)'",
                hint: "See 'lamina manifest inspect' for what it has.")
        }
        annotations[name] = value
        changes.append(value.map { "annotation \(name)=\($0)" } ?? "unset annotation \(name)")
    }

    private static let comment = "lamina"

    /// Gives an image without history an entry for each layer, so that more can follow.
    private mutating func fillHistory() {
        guard config.history.isEmpty else { return }
        config.history = config.diffIDs.map { _ in History(createdBy: "", emptyLayer: false) }
    }

    /// The indexes of the history's entries that made layers, bottom first.
    private var layerEntries: [Int] { config.history.indices.filter { !config.history[$0].emptyLayer } }

    // MARK: Layers

    package mutating func append(_ layer: DiffID, by text: String) {
        note(text, makesLayer: true)
        config.diffIDs.append(layer)
    }

    /// Removes layers with what they hold.
    package mutating func strip(_ layers: Range<Int>, by text: String) throws {
        try replace(layers, with: [(nil, text)])
    }

    /// Puts one layer in the place of several.
    package mutating func squash(_ layers: Range<Int>, into layer: DiffID, by text: String) throws {
        try replace(layers, with: [(layer, text)])
    }

    /// Puts other layers, each with what the history says of it, in the place of some.
    package mutating func split(_ layers: Range<Int>, into new: [(layer: DiffID, text: String)]) throws {
        try replace(layers, with: new.map { ($0.layer, $0.text) })
    }

    private mutating func replace(_ layers: Range<Int>, with new: [(layer: DiffID?, text: String)]) throws {
        guard layers.lowerBound >= 0, layers.upperBound <= config.diffIDs.count, !layers.isEmpty else {
            throw EditingError(.badLayers, "the image has \(config.diffIDs.count) layers")
        }
        fillHistory()
        let entries = Array(layerEntries[layers])
        for index in entries { config.history[index].emptyLayer = true }
        let made = new.map { layer, text in
            History(created: time, createdBy: text, comment: Self.comment, emptyLayer: layer == nil)
        }
        config.history.insert(contentsOf: made, at: (entries.last ?? -1) + 1)
        config.diffIDs.replaceSubrange(layers, with: new.compactMap(\.layer))
        config.created = time
        changes += new.map(\.text)
    }

    // MARK: Bases

    /// Puts the image's own layers on another base.
    ///
    /// Takes variables, labels and settings that the image has from its former base, and did not change, from the new one.
    /// Throws ``EditingError`` `.badLayers` when the layers of the former base are not those at the bottom.
    package mutating func rebase(from old: ImageConfig, onto new: ImageConfig, by text: String) throws {
        let count = old.diffIDs.count
        guard config.diffIDs.starts(with: old.diffIDs) else {
            let same = zip(config.diffIDs, old.diffIDs).prefix { $0 == $1 }.count
            throw EditingError(
                .badLayers,
                "the image is not based on that image: they differ from layer \(same + 1) on",
                hint: "Name the image that it was built from with --old-base.")
        }
        guard config.platform.os == new.platform.os, config.platform.architecture == new.platform.architecture else {
            throw EditingError(
                .badLayers, "the new base is for \(new.platform), and the image for \(config.platform)",
                hint: "Name a base for \(config.platform).")
        }
        fillHistory()
        let below = try Self.entries(of: old, in: config)
        config.diffIDs.replaceSubrange(..<count, with: new.diffIDs)
        var base = new.history
        if base.isEmpty { base = new.diffIDs.map { _ in History(createdBy: "", emptyLayer: false) } }
        config.history.replaceSubrange(..<below, with: base)
        config.config.rebase(from: old.config, onto: new.config)
        note(text)
    }

    /// The number of the entries at the beginning of the history that are those of the base: its layers and, if the
    /// history begins with all of the base's, what follows these there.
    private static func entries(of base: ImageConfig, in config: ImageConfig) throws -> Int {
        func marks(_ history: some Sequence<History>) -> [String] { history.map { "\($0.emptyLayer) \($0.createdBy)" } }
        if marks(config.history.prefix(base.history.count)) == marks(base.history), !base.history.isEmpty {
            return base.history.count
        }
        var layers = 0
        var index = 0
        while layers < base.diffIDs.count {
            guard index < config.history.count else {
                throw EditingError(.badHistory, "the history of the image has fewer layers than its base")
            }
            if !config.history[index].emptyLayer { layers += 1 }
            index += 1
        }
        return index
    }
}

extension RunConfig {
    /// Takes from a new base what is still as the old one had it.
    fileprivate mutating func rebase(from old: RunConfig, onto new: RunConfig) {
        if user == old.user { user = new.user }
        if workingDirectory == old.workingDirectory { workingDirectory = new.workingDirectory }
        if stopSignal == old.stopSignal { stopSignal = new.stopSignal }
        if healthcheck == old.healthcheck { healthcheck = new.healthcheck }
        if shell == old.shell { shell = new.shell }
        // A command belongs to the entry point that it was written for.
        if entrypoint == old.entrypoint, command == old.command {
            entrypoint = new.entrypoint
            command = new.command
        }
        environment = Self.merged(environment, old.environment, new.environment)
        for (key, value) in labels where old.labels[key] == value { labels[key] = new.labels[key] }
        for (key, value) in new.labels where old.labels[key] == nil && labels[key] == nil { labels[key] = value }
        exposedPorts = Self.merged(exposedPorts, old.exposedPorts, new.exposedPorts) { $0 }
        volumes = Self.merged(volumes, old.volumes, new.volumes) { $0 }
    }

    /// The items of the new base, then those of the image that are not the old base's.
    private static func merged(
        _ own: [String], _ old: [String], _ new: [String],
        key: (String) -> String = { String($0.prefix { $0 != "=" }) }
    ) -> [String] {
        let changed = own.filter { !old.contains($0) }
        let keys = Set(changed.map(key))
        let kept = Set(own.map(key))
        // What the image has taken away of the old base is not wanted of the new one.
        let removed = Set(old.map(key)).subtracting(kept)
        return new.filter { !keys.contains(key($0)) && !removed.contains(key($0)) } + changed
    }
}
