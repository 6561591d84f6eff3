/// The form that `push` has with Buildah and Podman: a destination, and options for the copy that is made there.
///
/// `push NAME docker://DEST` and `push --digestfile FILE NAME` are `copy NAME docker://DEST` here.
enum PushSpelling {
    /// The media types that other tools name; any other `--format` is the one of a document.
    private static let forms = ["oci", "docker", "v2s1", "v2s2"]
    private static let copyOptions = ["--digestfile", "--dest-compress-format", "--dest-compress-level"]
    private static let transport = "docker://"

    /// The words of `copy` for normalized options and arguments of `push`; `nil` where they are Docker's.
    static func copy(_ options: [String], _ arguments: [String]) -> [String]? {
        let isForm = { (word: String) in forms.contains { word == "--format=\($0)" } }
        let isCopy = options.contains { word in isForm(word) || copyOptions.contains { word.hasPrefix("\($0)=") } }
        guard arguments.count == 2 || isCopy && arguments.count == 1, let name = arguments.first.map(stored) else {
            return nil
        }
        let destination = arguments.count == 2 ? arguments[1] : name
        let options = options.map { word in
            word.hasPrefix("--creds=") ? "--dest-creds=" + word.dropFirst("--creds=".count) : word
        }
        return ["copy"] + options + [name, hasTransport(destination) ? destination : transport + destination]
    }

    /// The name of an image in the store, without what other tools put before it.
    private static func stored(_ name: String) -> String {
        for prefix in [transport, "containers-storage:"] where name.hasPrefix(prefix) {
            return String(name.dropFirst(prefix.count))
        }
        return name
    }

    private static func hasTransport(_ place: String) -> Bool {
        ["docker://", "oci:", "oci-archive:", "docker-archive:", "dir:", "docker-daemon:", "containers-storage:"]
            .contains { place.hasPrefix($0) }
    }
}
