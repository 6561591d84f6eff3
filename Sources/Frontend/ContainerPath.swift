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
