extension String {
    /// The text without control characters and not longer than `limit` characters, for a terminal that must not obey a
    /// server.
    package func printable(limit: Int) -> String {
        let scalars = unicodeScalars.prefix(limit + 1).map { scalar -> Unicode.Scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .surrogate, .lineSeparator, .paragraphSeparator: " "
            default: scalar
            }
        }
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars.prefix(limit))
        let words = String(view).split(separator: " ").joined(separator: " ")
        return scalars.count > limit ? words + "…" : words
    }
}
