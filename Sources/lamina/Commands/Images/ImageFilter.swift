import Diagnostics
import DockerfileSyntax
import Images
import OCI
import Requests
import Store

/// The conditions of `--filter` of `images` and `image prune`, as Docker has them.
///
/// Conditions of different keys must all hold; of several references one must.
struct ImageFilter {
    private var references: [String] = []
    private var labels: [(name: String, value: String?, isWanted: Bool)] = []
    private var isDangling: Bool?
    /// The creation time lies before this.
    private var before: Timestamp?
    /// The creation time lies after this.
    private var since: Timestamp?

    /// Parses `KEY=VALUE` texts; `images` finds the images of `before` and `since`.
    ///
    /// - Throws: ``CommandError`` `.badFilter`, and what looking an image up throws.
    init(_ texts: [String], images: ImageTransfer, now: Timestamp) throws {
        for text in texts {
            let (key, value) = KeyValue.pair(text)
            guard let value, !value.isEmpty else {
                throw CommandError(.badFilter, "invalid filter '\(text)'", hint: "Write it as KEY=VALUE.")
            }
            try add(key, value, images: images, now: now)
        }
    }

    private mutating func add(_ key: String, _ value: String, images: ImageTransfer, now: Timestamp) throws {
        switch key {
        case "reference": try add(reference: value)
        case "label", "label!":
            let (name, wanted) = KeyValue.pair(value)
            labels.append((name, wanted, key == "label"))
        case "dangling":
            guard let truth = Truth.value(of: value) else {
                throw CommandError(.badFilter, "invalid filter 'dangling=\(value)'", hint: "Use true or false.")
            }
            isDangling = truth
        case "before", "until":
            let time = key == "before" ? try images.image(value).created : try Self.time(value, now: now)
            before = [before, time].compactMap(\.self).min { $0.seconds < $1.seconds }
        case "since":
            let time = try images.image(value).created
            since = [since, time].compactMap(\.self).max { $0.seconds < $1.seconds }
        default:
            throw CommandError(
                .badFilter, "invalid filter '\(key)'",
                hint: "Use reference, dangling, label, before, since or until.")
        }
    }

    /// Adds a name or a pattern of names, one of which must match.
    mutating func add(reference pattern: String) throws {
        do { _ = try Glob(pattern) } catch {
            throw CommandError(.badFilter, "invalid pattern '\(pattern)'", hint: "Quote * ? [ and \\ with \\.")
        }
        references.append(pattern)
    }

    /// A moment: an age such as `24h`, seconds since 1970, or a date.
    private static func time(_ text: String, now: Timestamp) throws -> Timestamp {
        if let seconds = Int64(text) { return Timestamp(seconds: seconds) }
        if let age = Quantities.seconds(text) { return Timestamp(seconds: now.seconds - age) }
        for suffix in ["", "Z", "T00:00:00Z"] {
            if let time = Timestamp(parsing: text + suffix) { return time }
        }
        throw CommandError(
            .badFilter, "'\(text)' is no time", hint: "Write it as 24h, 2026-01-31 or 2026-01-31T12:00:00Z.")
    }

    /// Whether an image passes under one of its names, or under none.
    func passes(_ image: StoredImage, _ name: ImageReference?, images: ImageTransfer) throws -> Bool {
        if let isDangling, isDangling != image.names.isEmpty { return false }
        if !references.isEmpty {
            guard let name, references.contains(where: { Self.matches(name, $0) }) else { return false }
        }
        let created = image.created ?? Timestamp(seconds: 0)
        if let before, !Self.isEarlier(created, than: before) { return false }
        if let since, !Self.isEarlier(since, than: created) { return false }
        guard !labels.isEmpty else { return true }
        let found = try images.config(of: image).config.labels
        return labels.allSatisfy { label in
            let holds = found[label.name].map { label.value == nil || $0 == label.value } ?? false
            return holds == label.isWanted
        }
    }

    private static func isEarlier(_ one: Timestamp, than other: Timestamp) -> Bool {
        (one.seconds, one.nanoseconds) < (other.seconds, other.nanoseconds)
    }

    /// Whether a pattern matches a name with or without its tag, short as Docker shows it or whole.
    private static func matches(_ name: ImageReference, _ pattern: String) -> Bool {
        guard let glob = try? Glob(pattern) else { return false }
        return [name.familiar, name.familiarName, name.description, name.name].contains {
            glob.matches(Array($0.utf8))
        }
    }
}
