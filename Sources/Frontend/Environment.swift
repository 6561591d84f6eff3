import Diagnostics

/// Variables in the order in which they were first set. Names are compared byte by byte.
struct Environment: Sendable {
    private(set) var entries: [(name: String, value: String)] = []
    /// As `NAME=value` strings.
    private(set) var list: [String] = []
    private var positions: [[UInt8]: Int] = [:]
    private var byteCount = 0

    init() {}

    /// From `NAME=value` strings.
    init(_ list: [String]) {
        for item in list {
            let parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            set(String(parts[0]), to: parts.count == 2 ? String(parts[1]) : "")
        }
    }

    subscript(name: String) -> String? { positions[Array(name.utf8)].map { entries[$0].value } }

    /// Replaces the value in place, or appends the variable.
    mutating func set(_ name: String, to value: String) {
        let key = Array(name.utf8)
        byteCount += value.utf8.count
        if let index = positions[key] {
            byteCount -= entries[index].value.utf8.count
            entries[index].value = value
            list[index] = "\(name)=\(value)"
        } else {
            byteCount += key.count
            positions[key] = entries.count
            entries.append((name, value))
            list.append("\(name)=\(value)")
        }
    }

    var names: [String] { entries.map(\.name) }

    /// The most bytes that all names and values may have together. The kernel starts no program with more.
    static let largestSize = 2 << 20

    /// Throws ``FrontendError`` `.invalid` if there is more than a program could be given.
    func checkSize() throws {
        guard byteCount > Self.largestSize else { return }
        throw FrontendError(
            .invalid, "the variables of ARG and ENV have more than \(Self.largestSize >> 20) MiB together",
            hint: "No program can be started with them; put large values into files.")
    }

    /// The search path of a shell where an image has none.
    static let defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
}
