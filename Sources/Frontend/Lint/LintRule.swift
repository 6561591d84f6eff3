/// A check of Dockerfiles: its name, what it is about, and where that is explained.
///
/// The rules and their names are BuildKit's, so that `# check=` comments mean the same here.
struct LintRule: Hashable, Sendable {
    /// In Pascal case, as users write it in `# check=skip=`.
    let name: String
    let description: String
    /// An experimental rule runs only where it is asked for.
    var isExperimental = false
    var hasPage = true

    init(_ name: String, _ description: String, isExperimental: Bool = false, hasPage: Bool = true) {
        self.name = name
        self.description = description
        self.isExperimental = isExperimental
        self.hasPage = hasPage
    }

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
