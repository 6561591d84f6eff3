import Images
import OCI
import Transports

/// The words with which a transfer tells of its layers; they are docker's.
package struct TransferWords: Sendable {
    /// The work on a layer while it lasts.
    let active: String
    /// A layer that needs no transfer.
    let exists: String
    let done: String
    /// Whether a log says when a layer begins, with its size.
    let announcesStart: Bool

    package static let push = TransferWords(
        active: "Pushing", exists: "Layer already exists", done: "Pushed", announcesStart: false)
    package static let pull = TransferWords(
        active: "Downloading", exists: "Already exists", done: "Pull complete", announcesStart: false)
    package static let save = TransferWords(
        active: "Saving", exists: "Already exists", done: "Saved", announcesStart: false)
    package static let load = TransferWords(
        active: "Loading", exists: "Already exists", done: "Loaded", announcesStart: false)
    package static let fetch = TransferWords(
        active: "Fetching", exists: "Already exists", done: "Fetched", announcesStart: true)
}

/// The state of a transfer from its events, with their times since its start.
struct TransferTrace: Sendable {
    struct Layer: Sendable {
        let blob: Descriptor
        /// The time at which its first bytes came; `nil` before.
        var started: Duration?
        /// Bytes so far.
        var count: Int64 = 0
        /// The words for its end; `nil` before.
        var outcome: String?

        var isActive: Bool { started != nil && outcome == nil }

        /// Bytes a second since the first ones; `nil` as long as that says nothing.
        func rate(at now: Duration) -> Double? {
            guard let started, count > 0 else { return nil }
            let seconds = (now - started) / .seconds(1)
            return seconds < 0.5 ? nil : Double(count) / seconds
        }

        /// The time until the end at the rate so far; `nil` when nobody can tell.
        func timeLeft(at now: Duration) -> Duration? {
            guard let rate = rate(at: now), rate >= 1, blob.size > count else { return nil }
            let seconds = (Double(blob.size - count) / rate).rounded(.up)
            // Nobody waits for years.
            return seconds < 1e8 ? .seconds(seconds) : nil
        }

        /// The part that is there, from 0 to 1.
        var share: Double { blob.size > 0 ? min(1, Double(count) / Double(blob.size)) : 0 }
    }

    private let words: TransferWords
    /// In the order of the manifest; layers that it does not name follow.
    private(set) var layers: [Layer] = []
    private var positions: [Digest: Int] = [:]

    init(words: TransferWords) { self.words = words }

    /// Takes in an event and returns the layer that it is about; `nil` when it says nothing new about one.
    mutating func apply(_ event: TransferEvent, at now: Duration) -> Layer? {
        switch event {
        case .resolved(_, let layers):
            for layer in layers { _ = position(of: layer) }
            return nil
        case .waiting: return nil
        case .layerExists(let blob): return end(blob, words.exists)
        case .layerMounted(let blob, let origin): return end(blob, "Mounted from \(origin)")
        case .layerDone(let blob): return end(blob, words.done)
        case .layerProgress(let blob, let count):
            let position = position(of: blob)
            guard layers[position].outcome == nil else { return nil }
            // A transfer that began anew has fewer bytes than before, and a rate of its own.
            if layers[position].started == nil || count < layers[position].count { layers[position].started = now }
            layers[position].count = count
            return layers[position]
        }
    }

    private mutating func end(_ blob: Descriptor, _ outcome: String) -> Layer? {
        let position = position(of: blob)
        guard layers[position].outcome == nil else { return nil }
        layers[position].outcome = outcome
        return layers[position]
    }

    private mutating func position(of blob: Descriptor) -> Int {
        if let known = positions[blob.digest] { return known }
        positions[blob.digest] = layers.count
        layers.append(Layer(blob: blob))
        return layers.count - 1
    }
}
