/// Facts that the name of a variable tells.
package enum VariableName {
    private static let secret: Set<Substring> = [
        "apikey", "auth", "credential", "credentials", "key", "password", "pword", "passwd", "secret", "token",
    ]
    private static let harmless: Set<Substring> = ["public", "file", "version"]

    /// Whether its value is probably not for everybody: BuildKit's rule of `SecretsUsedInArgOrEnv`.
    package static func suggestsSecret(_ name: String) -> Bool {
        let words = name.lowercased().split(separator: "_", omittingEmptySubsequences: false)
        return words.contains(where: secret.contains) && !words.contains(where: harmless.contains)
    }
}
