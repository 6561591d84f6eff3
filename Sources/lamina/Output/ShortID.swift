/// The form of an identifier that tables show.
enum ShortID {
    /// The first 12 digits of a digest, with or without its algorithm.
    static func of(_ identifier: String) -> String {
        let digits = identifier.hasPrefix("sha256:") ? identifier.dropFirst(7) : identifier[...]
        return String(digits.prefix(12))
    }
}
