/// A check of Dockerfiles: its name, its subject, and the page that explains it.
///
/// Most rules and their names are BuildKit's, so that `# check=` comments mean the same here. The others are advice of
/// our own: they are listed like the rest, but never make a check or a build fail.
struct LintRule: Hashable, Sendable {
    /// In Pascal case, as users write it in `# check=skip=`.
    let name: String
    let description: String
    /// An experimental rule runs only where it is asked for.
    var isExperimental = false
    var hasPage = true
    /// The properties of a rule of Lamina; `nil` for BuildKit's rules.
    var advice: Advice?

    /// The occasion on which a rule of our own runs.
    enum Advice: Hashable, Sendable {
        /// Only when the user asks for checks.
        case inChecks
        /// In builds too, as it finds bytes or secrets that the image should not have.
        case always
    }

    init(_ name: String, _ description: String, isExperimental: Bool = false, hasPage: Bool = true) {
        self.name = name
        self.description = description
        self.isExperimental = isExperimental
        self.hasPage = hasPage
    }

    /// A rule of our own.
    init(_ name: String, _ description: String, advice: Advice) {
        self.init(name, description, hasPage: false)
        self.advice = advice
    }

    /// The command that shows the page about one of our own rules.
    var page: String? { advice == nil ? nil : "lamina help \(name)" }

    /// The page with examples of what is wrong and what is better.
    var url: String? {
        guard hasPage else { return nil }
        let letters = Array(name)
        var page = ""
        for (index, letter) in letters.enumerated() {
            // A word starts at a capital, but an acronym such as JSON is one word.
            let isStart =
                index > 0 && letter.isUppercase
                && (letters[index - 1].isLowercase || (index + 1 < letters.count && letters[index + 1].isLowercase))
            page += (isStart ? "-" : "") + letter.lowercased()
        }
        return "https://docs.docker.com/go/dockerfile/rule/\(page)/"
    }
}
