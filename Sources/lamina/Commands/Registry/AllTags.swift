import ArgumentParser

/// Conditions of `--all-tags` of push and pull on their other words.
enum AllTags {
    /// - Throws: `ValidationError` for a name with a tag or a digest, and where a document is asked for.
    static func check(_ name: String, _ document: DocumentOptions) throws {
        guard !document.isDocument else { throw ValidationError("--all-tags prints no document") }
        let last = name.split(separator: "/").last ?? ""
        guard !last.contains(":"), !name.contains("@") else {
            throw ValidationError("tag can't be used with --all-tags/-a")
        }
    }
}
