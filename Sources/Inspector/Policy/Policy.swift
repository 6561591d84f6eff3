import Diagnostics

/// The rules that an image has to keep: dive's, with its names and defaults, and more.
package struct Policy: Hashable, Sendable {
    /// A limit on growth against another image.
    package enum Growth: Hashable, Sendable {
        case bytes(Int64)
        /// A part of the other image's size.
        case ratio(Double)
    }

    package var lowestEfficiency: Double? = 0.9
    package var highestWastedBytes: Int64?
    package var highestUserWastedPercent: Double? = 0.1
    package var highestSize: Int64?
    package var highestLayerSize: Int64?
    package var highestGrowth: Growth?
    package var highestDuplicateBytes: Int64?
    package var forbidsSetuidFiles = false
    package var forbidsWorldWritableFiles = false
    package var forbidsSecrets = false
    package var forbidsPackageCaches = false
    package var forbiddenPaths: [String] = []
    /// Files that no rule about files is for.
    package var ignoredPaths: [String] = []

    package init() {}

    /// The defaults with the rules of a file.
    ///
    /// Throws ``InspectorError`` `.badPolicy` for a rule that is not known and for a bad value.
    package init(_ file: PolicyFile) throws {
        for rule in file.rules {
            do { try set(rule.name, rule.value) } catch let error as InspectorError {
                throw InspectorError(error.code, "line \(rule.line) of the rules: \(error.message)", hint: error.hint)
            }
        }
    }

    /// Sets a rule by its name, in dive's spelling or with hyphens.
    package mutating func set(_ name: String, _ value: PolicyFile.Value) throws {
        switch name.lowercased().filter({ $0 != "-" && $0 != "_" }) {
        case "lowestefficiency": lowestEfficiency = try Self.ratio(name, value)
        case "highestwastedbytes": highestWastedBytes = try Self.size(name, value)
        case "highestuserwastedpercent": highestUserWastedPercent = try Self.ratio(name, value)
        case "highestsize": highestSize = try Self.size(name, value)
        case "highestlayersize": highestLayerSize = try Self.size(name, value)
        case "highestgrowth": highestGrowth = try Self.growth(name, value)
        case "highestduplicatebytes": highestDuplicateBytes = try Self.size(name, value)
        case "setuidfiles": forbidsSetuidFiles = try Self.isForbidden(name, value)
        case "worldwritablefiles": forbidsWorldWritableFiles = try Self.isForbidden(name, value)
        case "secrets": forbidsSecrets = try Self.isForbidden(name, value)
        case "packagecaches": forbidsPackageCaches = try Self.isForbidden(name, value)
        case "forbiddenpaths": forbiddenPaths = try Self.patterns(name, value)
        case "ignoredpaths": ignoredPaths = try Self.patterns(name, value)
        default:
            throw InspectorError(
                .badPolicy, "there is no rule '\(name)'",
                hint: "The rules are \(Self.names.joined(separator: ", ")).")
        }
    }

    package static let names = [
        "lowestEfficiency", "highestWastedBytes", "highestUserWastedPercent", "highest-size", "highest-layer-size",
        "highest-growth", "highest-duplicate-bytes", "setuid-files", "world-writable-files", "secrets",
        "package-caches",
        "forbidden-paths", "ignored-paths",
    ]

    // MARK: Values

    private static func bad(_ name: String, _ text: String, _ expected: String) -> InspectorError {
        InspectorError(.badPolicy, "the rule '\(name)' takes \(expected), not '\(text)'")
    }

    /// The text of a value; `nil` for what switches a rule off.
    private static func text(_ name: String, _ value: PolicyFile.Value) throws -> String? {
        guard case .text(let text) = value else {
            throw InspectorError(.badPolicy, "the rule '\(name)' takes one value, not a list")
        }
        return ["", "disabled", "off", "false"].contains(text.lowercased()) ? nil : text
    }

    private static func ratio(_ name: String, _ value: PolicyFile.Value) throws -> Double? {
        guard let text = try text(name, value) else { return nil }
        guard let ratio = Double(text), (0...1).contains(ratio) else { throw bad(name, text, "a number from 0 to 1") }
        return ratio
    }

    private static func size(_ name: String, _ value: PolicyFile.Value) throws -> Int64? {
        guard let text = try text(name, value) else { return nil }
        guard let bytes = bytes(text) else { throw bad(name, text, "a size such as 20MB") }
        return bytes
    }

    private static func growth(_ name: String, _ value: PolicyFile.Value) throws -> Growth? {
        guard let text = try text(name, value) else { return nil }
        if text.hasSuffix("%") {
            guard let percent = Double(text.dropLast()), percent >= 0, percent.isFinite else {
                throw bad(name, text, "a size or a percentage")
            }
            return .ratio(percent / 100)
        }
        guard let bytes = bytes(text) else { throw bad(name, text, "a size or a percentage") }
        return .bytes(bytes)
    }

    private static func isForbidden(_ name: String, _ value: PolicyFile.Value) throws -> Bool {
        guard let text = try text(name, value) else { return false }
        switch text.lowercased() {
        case "forbidden", "true": return true
        case "allowed": return false
        default: throw bad(name, text, "'forbidden' or 'allowed'")
        }
    }

    private static func patterns(_ name: String, _ value: PolicyFile.Value) throws -> [String] {
        let patterns: [String]
        switch value {
        case .list(let items): patterns = items
        case .text(let text): patterns = text.isEmpty ? [] : [text]
        }
        for pattern in patterns { _ = try PathPattern(glob: pattern) }
        return patterns
    }

    /// A number of bytes with a unit: powers of 1000, or of 1024 with an `i`, as go-humanize reads them.
    static func bytes(_ text: String) -> Int64? {
        let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == "." || $0 == ",") }
        let unit = text.dropFirst(digits.count).lowercased().filter { $0 != " " }
        guard let number = Double(digits.filter { $0 != "," }), number >= 0 else { return nil }
        var letters = Substring(unit)
        if letters.hasSuffix("b") { letters = letters.dropLast() }
        let base: Double = letters.hasSuffix("i") ? 1024 : 1000
        if letters.hasSuffix("i") { letters = letters.dropLast() }
        guard letters.count <= 1,
            let power = Array(["", "k", "m", "g", "t", "p", "e"]).firstIndex(of: String(letters)),
            base == 1000 || power > 0
        else { return nil }
        let bytes = (0..<power).reduce(number) { product, _ in product * base }
        return bytes < 9e18 ? Int64(bytes) : nil
    }
}
