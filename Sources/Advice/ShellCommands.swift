/// The commands of a RUN in shell form, as far as they are words alone: no variables, quotes, pipes or redirections.
enum ShellCommands {
    /// The commands, each as its words; `nil` for what is no RUN of such commands.
    ///
    /// Cache mounts are passed over, as what they hold is in no layer. Any other option of RUN makes the result `nil`.
    static func commands(ofRun text: String) -> [[String]]? {
        let joined = text.replacing("\\\n", with: " ").replacing("\\\r\n", with: " ")
        guard joined.prefix(4).uppercased() == "RUN ", !joined.contains("\n") else { return nil }
        var line = joined.dropFirst(4).drop { $0 == " " }
        while line.hasPrefix("--") {
            let option = line.prefix { $0 != " " }
            guard isCacheMount(option) else { return nil }
            line = line.dropFirst(option.count).drop { $0 == " " }
        }
        guard !line.contains(where: { "$`|<>(){}[\"'".contains($0) }) else { return nil }
        let parts = line.replacing("&&", with: ";")
        guard !parts.contains("&") else { return nil }
        return parts.split(separator: ";").map { $0.split(separator: " ").map(String.init) }.filter { !$0.isEmpty }
    }

    /// Whether an option mounts a cache that begins empty.
    private static func isCacheMount(_ option: Substring) -> Bool {
        guard option.hasPrefix("--mount=") else { return false }
        let parts = option.dropFirst(8).split(separator: ",")
        return parts.contains("type=cache") && !parts.contains { $0.hasPrefix("from=") || $0.hasPrefix("source=") }
    }
}
