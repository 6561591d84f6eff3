/// Paths inside an image, as text: what Go's `path` package does to them, since images show the results.
enum ContainerPath {
    /// The shortest equivalent of an absolute path: no `.`, `..`, doubled or trailing slashes.
    static func clean(_ path: String) -> String {
        var parts: [Substring] = []
        for part in path.split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return "/" + parts.joined(separator: "/")
    }

    /// The shortest equivalent of a path that stays relative if it is; of an empty one `.`.
    static func cleanAsWritten(_ path: String) -> String {
        if path.hasPrefix("/") { return clean(path) }
        var parts: [Substring] = []
        for part in path.split(separator: "/") where part != "." {
            if part == "..", let last = parts.last, last != ".." { parts.removeLast() } else { parts.append(part) }
        }
        return parts.isEmpty ? "." : parts.joined(separator: "/")
    }

    /// The last component of a path that is not empty.
    static func base(_ path: String) -> String { path.split(separator: "/").last.map(String.init) ?? "/" }

    /// `path` seen from `directory`, cleaned.
    static func resolve(_ path: String, in directory: String) -> String {
        clean(path.hasPrefix("/") ? path : directory + "/" + path)
    }

    /// The destination of a copy: absolute, with a slash at the end where the text means a directory.
    static func destination(_ text: String, in directory: String) -> String {
        let path = resolve(text, in: directory)
        let isDirectory = text.isEmpty || text == "." || text.hasSuffix("/") || text.hasSuffix("/.")
        return isDirectory && path != "/" ? path + "/" : path
    }
}
