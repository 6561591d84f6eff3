/// Variables in the order in which they were first set.
struct Environment: Sendable {
    private(set) var entries: [(name: String, value: String)] = []

    init() {}

    /// From `NAME=value` strings.
    init(_ list: [String]) {
        for item in list {
            let parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            self[String(parts[0])] = parts.count == 2 ? String(parts[1]) : ""
        }
    }

    /// The value of a variable. Setting replaces in place or appends. Names are compared byte by byte.
    subscript(name: String) -> String? {
        get { position(of: name).map { entries[$0].value } }
        set {
            switch (position(of: name), newValue) {
            case (let index?, let value?): entries[index].value = value
            case (let index?, nil): entries.remove(at: index)
            case (nil, let value?): entries.append((name, value))
            case (nil, nil): break
            }
        }
    }

    private func position(of name: String) -> Int? {
        entries.firstIndex { $0.name.utf8.elementsEqual(name.utf8) }
    }

    var names: [String] { entries.map(\.name) }

    /// As `NAME=value` strings.
    var list: [String] { entries.map { "\($0.name)=\($0.value)" } }

    /// What a shell searches where an image does not say.
    static let defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
}
