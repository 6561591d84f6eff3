/// Texts of the form `K=V`.
enum KeyValue {
    /// Splits a text at its first equals sign; without one the value is `nil`.
    static func pair(_ text: String) -> (name: String, value: String?) {
        guard let equals = text.firstIndex(of: "=") else { return (text, nil) }
        return (String(text[..<equals]), String(text[text.index(after: equals)...]))
    }
}
