import DockerfileSyntax

/// The simple commands of a RUN, as far as they can be told without a shell: enough to recognise package managers.
enum ShellCommands {
    /// One command, without assignments and wrappers such as `sudo`.
    struct Command: Hashable, Sendable {
        /// Without directories.
        let name: String
        /// The words behind the name.
        let words: [String]

        /// `nil` when there are no words.
        fileprivate init?(_ words: [String]) {
            guard let first = words.first else { return nil }
            name = ShellCommands.baseName(first)
            self.words = Array(words.dropFirst())
        }
    }

    /// The commands in the order in which they are written.
    static func of(_ run: Run) -> [Command] {
        switch run.command {
        case .shell(let line):
            return commands(in: ([line] + run.heredocs.map(\.content)).joined(separator: "\n"))
        case .exec(let arguments):
            return script(of: arguments).map(commands(in:)) ?? [Command(arguments)].compactMap(\.self)
        }
    }

    /// The script of `sh -c script`.
    private static func script(of words: [String]) -> String? {
        guard let shell = words.first.map(baseName), ["sh", "bash", "ash", "dash", "zsh"].contains(shell),
            let flag = words.dropFirst().firstIndex(where: { $0.hasPrefix("-") && $0.hasSuffix("c") }),
            flag + 1 < words.count
        else { return nil }
        return words[flag + 1]
    }

    private static func baseName(_ path: String) -> String {
        String(path.split(separator: "/").last ?? "")
    }

    static func commands(in text: String) -> [Command] {
        var scanner = Scanner()
        for byte in text.utf8 { scanner.take(byte) }
        scanner.endCommand()
        return scanner.commands.flatMap { words -> [Command] in
            let words = withoutWrappers(words)
            if let script = script(of: words) { return commands(in: script) }
            return [Command(words)].compactMap(\.self)
        }
    }

    private static let wrappers: Set<String> = [
        "sudo", "env", "exec", "time", "command", "nice", "if", "then", "elif", "else", "do", "while", "until", "!",
        "{",
    ]

    /// Without what stands before the name of a command: assignments, reserved words, `sudo` and the like.
    private static func withoutWrappers(_ words: [String]) -> [String] {
        var rest = words[...]
        while let word = rest.first, wrappers.contains(word) || isAssignment(word) { rest = rest.dropFirst() }
        return Array(rest)
    }

    private static func isAssignment(_ word: String) -> Bool {
        guard let equals = word.firstIndex(of: "="), equals > word.startIndex else { return false }
        return word[..<equals].allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
    }

    /// Splits a script at its operators and blanks; quotes and escapes are resolved.
    private struct Scanner {
        var commands: [[String]] = []
        private var words: [String] = []
        private var word: [UInt8] = []
        /// Tells an empty word in quotes from none.
        private var hasWord = false
        private var quote: UInt8?
        private var isEscaped = false
        private var isComment = false
        private static let newline = UInt8(ascii: "\n")

        mutating func take(_ byte: UInt8) {
            if isComment {
                guard byte == Self.newline else { return }
                isComment = false
            }
            if isEscaped {
                isEscaped = false
                if byte != Self.newline { append(byte) }
            } else if let open = quote {
                if byte == open { quote = nil } else { append(byte) }
            } else {
                takeUnquoted(byte)
            }
        }

        private mutating func takeUnquoted(_ byte: UInt8) {
            switch byte {
            case UInt8(ascii: "\\"): isEscaped = true
            case UInt8(ascii: "'"), UInt8(ascii: "\""):
                quote = byte
                hasWord = true
            case UInt8(ascii: ";"), UInt8(ascii: "&"), UInt8(ascii: "|"), UInt8(ascii: "("), UInt8(ascii: ")"),
                Self.newline:
                endCommand()
            case UInt8(ascii: "#") where !hasWord: isComment = true
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"): endWord()
            default: append(byte)
            }
        }

        private mutating func append(_ byte: UInt8) {
            word.append(byte)
            hasWord = true
        }

        private mutating func endWord() {
            if hasWord { words.append(String(decoding: word, as: UTF8.self)) }
            word.removeAll(keepingCapacity: true)
            hasWord = false
        }

        mutating func endCommand() {
            endWord()
            if !words.isEmpty { commands.append(words) }
            words = []
        }
    }
}
