import Diagnostics
import DockerfileSyntax
import GoCompat
import Graph

/// The value of one `--mount` of RUN, parsed and checked as far as that goes without knowing the stage.
struct MountOptions {
    enum Kind: String, CaseIterable {
        case bind, cache, tmpfs, secret, ssh
    }

    private(set) var kind = Kind.bind
    /// The stage or image to take files from; empty where nothing is said.
    private(set) var from = ""
    private(set) var source = ""
    private(set) var target = ""
    private(set) var id = ""
    private(set) var sharing: CacheMount.Sharing?
    private(set) var isRequired = false
    /// In bytes; 0 is no limit.
    private(set) var size: UInt64 = 0
    private(set) var mode: UInt32?
    private(set) var uid: UInt32?
    private(set) var gid: UInt32?
    private(set) var variable: String?
    private var readOnly: Bool?

    /// Unless it is said, only what outlives or belongs to the command can be written to.
    var isReadOnly: Bool { readOnly ?? (kind != .cache && kind != .tmpfs) }

    /// The settings of a cache's new directory.
    var cacheAttributes: CacheMount.Attributes? {
        guard mode != nil || uid != nil || gid != nil else { return nil }
        return CacheMount.Attributes(mode: mode ?? 0o755, uid: uid ?? 0, gid: gid ?? 0)
    }

    /// Parses the options in order: some are allowed only behind the `type` they belong to. `expand` resolves the
    /// variables of a value. Throws ``FrontendError`` `.invalid` in BuildKit's words.
    init(parsing text: String, expand: (String) throws -> String) throws {
        for field in try CommaSeparated.fields(text) {
            let parts = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let key = parts[0].lowercased()
            guard parts.count == 2 else {
                try setFlag(key, field: field)
                continue
            }
            // Where files come from must be known before there are variables.
            let value = key == "from" ? String(parts[1]) : try expand(String(parts[1]))
            try set(key, to: value, field: field)
        }
        try check()
    }

    /// The source that `from` of a mount names, if the mount reads files at all.
    static func origin(of text: String) throws -> String? {
        var origin: String?
        var kind: Kind?
        for field in try CommaSeparated.fields(text) {
            let parts = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { continue }
            switch parts[0].lowercased() {
            case "from": origin = parts[1].isEmpty ? nil : String(parts[1])
            case "type": kind = Kind(rawValue: parts[1].lowercased())
            default: break
            }
        }
        switch kind {
        case .tmpfs, .secret, .ssh: return nil
        // A type that is not spelt out may be any.
        case .bind, .cache, nil: return origin
        }
    }

    private mutating func setFlag(_ key: String, field: String) throws {
        switch key {
        case "ro", "readonly": readOnly = true
        case "rw", "readwrite": readOnly = false
        case "required": try setRequired(true, key: key)
        default: throw Self.invalid("invalid field '\(field)' must be a key=value pair")
        }
    }

    private mutating func set(_ key: String, to value: String, field: String) throws {
        switch key {
        case "type":
            guard let kind = Kind(rawValue: value.lowercased()) else {
                let types = Kind.allCases.map(\.rawValue)
                throw Self.invalid(
                    "unsupported mount type \(GoFormat.quoted(value))\(Self.suggestion(for: value, among: types))")
            }
            self.kind = kind
        case "from": from = value
        case "source", "src": source = value
        case "target", "dst", "destination": target = value
        case "ro", "readonly": readOnly = try Self.boolean(value, key: key)
        case "rw", "readwrite": readOnly = try !Self.boolean(value, key: key)
        case "required":
            // The type first: where the key does not belong, its value does not matter.
            try setRequired(true, key: key)
            isRequired = try Self.boolean(value, key: key)
        case "size":
            guard kind == .tmpfs else { throw Self.unexpected(key, for: kind) }
            guard let bytes = ByteSize.parse(value) else { throw Self.invalid("invalid value for size: \(value)") }
            size = bytes
        case "id": id = value
        case "sharing":
            guard let sharing = CacheMount.Sharing(rawValue: value.lowercased()) else {
                let values = CacheMount.Sharing.allCases.map(\.rawValue)
                throw Self.invalid(
                    "unsupported sharing value \(GoFormat.quoted(value))\(Self.suggestion(for: value, among: values))")
            }
            self.sharing = sharing
        case "mode": mode = try Self.number(value, radix: 8, key: key)
        case "uid": uid = try Self.number(value, radix: 10, key: key)
        case "gid": gid = try Self.number(value, radix: 10, key: key)
        case "env": variable = value
        default:
            throw Self.invalid("unexpected key '\(key)' in '\(field)'\(Self.suggestion(for: key, among: Self.keys))")
        }
    }

    private static let keys = [
        "type", "from", "source", "target", "readonly", "id", "sharing", "required", "size", "mode", "uid", "gid",
        "src",
        "dst", "destination", "ro", "rw", "readwrite", "env",
    ]

    private static func suggestion(for word: String, among candidates: [String]) -> String {
        Suggestions.closest(to: word, among: candidates).map { " (did you mean \($0)?)" } ?? ""
    }

    private mutating func setRequired(_ value: Bool, key: String) throws {
        guard kind == .secret || kind == .ssh else { throw Self.unexpected(key, for: kind) }
        isRequired = value
    }

    private func check() throws {
        if kind == .bind || kind == .tmpfs {
            for (key, value) in [("mode", mode), ("uid", uid), ("gid", gid)] where value != nil {
                throw Self.invalid("\(key) not allowed for \(GoFormat.quoted(kind.rawValue)) type mounts")
            }
        }
        if sharing != nil, kind != .cache {
            throw Self.invalid("invalid cache sharing set for \(kind.rawValue) mount")
        }
        if kind == .ssh, !source.isEmpty { throw Self.invalid("ssh does not support source") }
        guard kind == .secret else { return }
        if !from.isEmpty { throw Self.invalid("secret mount should not have a from") }
        if source.isEmpty, target.isEmpty, id.isEmpty {
            throw Self.invalid("invalid secret mount. one of source, target required")
        }
        if !source.isEmpty, !id.isEmpty { throw Self.invalid("both source and id can't be set") }
    }

    // MARK: Values

    private static func boolean(_ text: String, key: String) throws -> Bool {
        switch text {
        case "1", "t", "T", "true", "TRUE", "True": return true
        case "0", "f", "F", "false", "FALSE", "False": return false
        default: throw invalid("invalid value for \(key): \(text)")
        }
    }

    private static func number(_ text: String, radix: Int, key: String) throws -> UInt32 {
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = UInt32(text, radix: radix) else {
            throw invalid("invalid value \(text) for \(key)")
        }
        return number
    }

    private static func unexpected(_ key: String, for kind: Kind) -> FrontendError {
        invalid("unexpected key '\(key)' for mount type '\(kind.rawValue)'")
    }

    private static func invalid(_ message: String) -> FrontendError { FrontendError(.invalid, message) }
}
