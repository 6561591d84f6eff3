import Diagnostics
package import OCI

/// An annotation of one of the documents that an image consists of.
package struct ImageAnnotation: Hashable, Sendable {
    /// The document, or the descriptor in the document above it.
    package enum Target: String, Hashable, Sendable, CaseIterable {
        case manifest
        case manifestDescriptor = "manifest-descriptor"
        case index
        case indexDescriptor = "index-descriptor"

        /// Whether only a result with an index has a place for it.
        package var needsIndex: Bool { self == .index || self == .indexDescriptor }
    }

    package let target: Target
    /// The platform of the manifest; `nil` for those of all platforms.
    package let platform: Platform?
    package let key: String
    package let value: String

    package init(_ target: Target = .manifest, platform: Platform? = nil, key: String, value: String) {
        self.target = target
        self.platform = platform
        self.key = key
        self.value = value
    }
}

extension ImageAnnotation {
    /// Parses the argument of `--annotation`: `[TYPE[PLATFORM],…:]KEY=VALUE`.
    ///
    /// - Returns: an annotation for each type.
    /// - Throws: ``RequestsError`` `.badOption` for a type that does not exist, or without a value.
    package static func parse(_ text: String) throws -> [ImageAnnotation] {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2 else {
            throw RequestsError(
                .badOption, "invalid annotation '\(text)', expected key=value", hint: "Write it as key=value.")
        }
        let words = parts[0].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let key = words[words.count - 1]
        guard !key.isEmpty else { throw RequestsError(.badOption, "the annotation '\(text)' has no key") }
        guard words.count == 2 else { return [ImageAnnotation(key: key, value: parts[1])] }
        return try words[0].split(separator: ",", omittingEmptySubsequences: false).map { word in
            let (target, platform) = try place(String(word), in: text)
            return ImageAnnotation(target, platform: platform, key: key, value: parts[1])
        }
    }

    /// Parses the key of an attribute of `--output`: `annotation[-TYPE][[PLATFORM]].KEY`; `nil` for any other attribute.
    ///
    /// - Throws: ``RequestsError`` `.badOption` for a type that does not exist.
    static func parse(attribute name: String, value: String) throws -> ImageAnnotation? {
        guard name.hasPrefix("annotation"), let dot = name.firstIndex(of: "."), name.index(after: dot) < name.endIndex
        else { return nil }
        var word = name["annotation".endIndex..<dot]
        if word.isEmpty || word.first == "[" {
            word = "manifest" + word
        } else if word.first == "-" {
            word = word.dropFirst()
        } else {
            return nil
        }
        let (target, platform) = try place(String(word), in: name)
        return ImageAnnotation(target, platform: platform, key: String(name[name.index(after: dot)...]), value: value)
    }

    /// Parses a type with its platform, such as `manifest[linux/amd64]`.
    private static func place(_ word: String, in text: String) throws -> (Target, Platform?) {
        let name = word.prefix { $0 != "[" }
        guard let target = Target(rawValue: String(name)) else {
            throw RequestsError(
                .badOption, "unknown annotation type '\(name)' in '\(text)'",
                hint: "Use manifest, manifest-descriptor, index or index-descriptor; a key with a colon needs a type.")
        }
        guard name.count < word.count else { return (target, nil) }
        guard word.hasSuffix("]") else {
            throw RequestsError(
                .badOption, "the platform in '\(text)' has no closing bracket",
                hint: "Write it as manifest[linux/arm64].")
        }
        guard !target.needsIndex else {
            throw RequestsError(
                .badOption, "the annotation '\(text)' has a platform, and an index is for all",
                hint: "Leave the platform out.")
        }
        return (target, try Platform(parsing: String(word.dropFirst(name.count + 1).dropLast())))
    }
}

extension [ImageAnnotation] {
    /// The annotations that a document gets, of which the last of a key counts; of a manifest those for its platform.
    package func map(for target: ImageAnnotation.Target, platform: Platform? = nil) -> [String: String] {
        let chosen = filter { $0.target == target && ($0.platform == nil || $0.platform == platform) }
        return Dictionary(chosen.map { ($0.key, $0.value) }, uniquingKeysWith: { $1 })
    }
}
