/// A flag of another builder's `build` command, and its meaning for `lamina build`.
///
/// ``BuilderFlags`` is the one table of them: the command line and `docs/compatibility.md` follow it.
struct BuilderFlag: Hashable, Sendable {
    /// A command with flags of its own.
    enum Tool: String, CaseIterable, Sendable {
        case docker
        case buildx
        case buildah
        case podman
        case kaniko

        /// The command as users call it.
        var command: String {
            switch self {
            case .docker: "docker build"
            case .buildx: "docker buildx build"
            case .buildah: "buildah build"
            case .podman: "podman build"
            case .kaniko: "kaniko's executor"
            }
        }
    }

    /// The way a flag uses the word after it.
    enum Form: Hashable, Sendable {
        case flag
        case value
        /// A value only after an equals sign.
        case optionalValue
    }

    enum Verdict: Hashable, Sendable {
        /// `lamina build` has the option under this name.
        case works
        /// Stands for other words; in them, `VALUE` is the flag's value.
        case means([String])
        /// Changes nothing, as its request is met in any case.
        case accepted(because: String)
        /// Accepted with these values, which ask for what is done anyway; any other value is refused.
        case acceptedAs([String], because: String, otherwise: String)
        /// Accepted with these values, which ask for what is done anyway; any other value stands for other words.
        case acceptedElse([String], because: String, means: [String])
        /// Not there; the sentence says what to do instead. A switch that is switched off asks for nothing.
        case refused(String)
    }

    /// The long name, without dashes.
    let name: String
    let form: Form
    let tools: [Tool]
    let verdict: Verdict
}

extension BuilderFlag {
    /// The words for the parser that the flag stands for; none where it changes nothing.
    ///
    /// `value` is what the command line gives, `nil` for a flag that stands alone.
    ///
    /// - Throws: ``CommandLineError`` with a sentence for what is not there.
    func words(for value: String?) throws(CommandLineError) -> [String] {
        if form == .flag, let value, Truth.value(of: value) == nil { throw .badSwitch("--\(name)", value) }
        let isOff = form == .flag && value.flatMap(Truth.value) == false
        switch verdict {
        case .works: return ["--\(name)"] + (value.map { [$0] } ?? [])
        case .accepted: return []
        case .means(let words):
            return isOff ? [] : words.map { Self.filled($0, with: value ?? "") }
        case .acceptedAs(let values, _, let sentence):
            let text = form == .flag ? "\(!isOff)" : value ?? "true"
            guard values.contains(text.lowercased()) else { throw refusal(value, sentence) }
            return []
        case .acceptedElse(let values, _, let words):
            let text = form == .flag ? "\(!isOff)" : value ?? "true"
            return values.contains(text.lowercased()) ? [] : words
        case .refused(let sentence):
            guard !isOff else { return [] }
            throw refusal(value, sentence)
        }
    }

    /// A word with `VALUE` replaced; in a list of fields, the field is quoted where the value has a comma or a quote.
    private static func filled(_ word: String, with value: String) -> String {
        guard word.contains(","), value.contains(where: { ",\"".contains($0) }),
            let start = word.lastIndex(of: ",").map(word.index(after:))
        else { return word.replacing("VALUE", with: value) }
        let field = word[start...].replacing("VALUE", with: value.replacing("\"", with: "\"\""))
        return "\(word[..<start])\"\(field)\""
    }

    private func refusal(_ value: String?, _ sentence: String) -> CommandLineError {
        let text = value.map { "--\(name)=\($0)" } ?? "--\(name)"
        return CommandLineError(message: "\(text) is not there: \(sentence)")
    }
}

/// Truth values as Go's `strconv.ParseBool` takes them.
enum Truth {
    static func value(of text: String) -> Bool? {
        switch text {
        case "1", "t", "T", "true", "TRUE", "True": true
        case "0", "f", "F", "false", "FALSE", "False": false
        default: nil
        }
    }
}
