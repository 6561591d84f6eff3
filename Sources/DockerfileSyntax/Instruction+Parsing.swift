extension Instruction {
    /// Checks a node. Messages have no line number; the file parser puts it in front.
    init(_ node: Node) throws(DockerfileError) {
        do {
            kind = try Kind(node)
        } catch {
            throw DockerfileError(error.message, at: error.range ?? node.range)
        }
        keyword = node.keyword
        range = node.range
        originalText = node.text
        comments = node.comments
        flags = node.flags
        words = node.allWords
        isJSON = node.isJSON
        heredocs = node.heredocs
    }

    /// Parses the text of an ONBUILD trigger when it fires.
    ///
    /// `range` is where the instruction and its errors are said to be, usually the FROM that pulled the trigger in. The
    /// escape character is always the backslash.
    public static func parseTrigger(
        _ text: String, at range: SourceRange
    ) throws(DockerfileError) -> Instruction {
        do throws(DockerfileError) {
            let nodes = try NodeParser(parsing: Array(text.utf8)).nodes
            guard nodes.count == 1, var node = nodes.first else {
                throw DockerfileError("onbuild trigger should be a single expression")
            }
            node.range = range
            let instruction = try Instruction(node)
            if case .from = instruction.kind {
                throw DockerfileError("FROM isn't allowed as an ONBUILD trigger")
            }
            return instruction
        } catch {
            throw DockerfileError(error.message, at: range)
        }
    }
}

extension Instruction.Kind {
    /// All keywords, for suggestions.
    private static let keywords = [
        "add", "arg", "cmd", "copy", "entrypoint", "env", "expose", "from", "healthcheck", "label", "maintainer",
        "onbuild", "run", "shell", "stopsignal", "user", "volume", "workdir",
    ]

    init(_ node: Node) throws(DockerfileError) {
        switch node.name {
        case "from": self = .from(try From(node))
        case "arg": self = .arg(try node.declarations())
        case "env": self = .env(try node.assignments())
        case "label": self = .label(try node.assignments())
        case "run": self = .run(try Run(node))
        case "copy": self = .copy(try Copy(node))
        case "add": self = .add(try Add(node))
        case "workdir": self = .workdir(try node.onlyWord())
        case "user": self = .user(try node.onlyWord())
        case "expose": self = .expose(try node.someWords())
        case "volume": self = .volume(try node.volumes())
        case "stopsignal": self = .stopsignal(try node.onlyWord(checkingFlags: false))
        case "cmd": self = .cmd(try node.command())
        case "entrypoint": self = .entrypoint(try node.command())
        case "shell": self = .shell(try node.shell())
        case "healthcheck": self = .healthcheck(try Healthcheck(node))
        case "onbuild": self = .onbuild(try Onbuild(node))
        case "maintainer": self = .maintainer(try node.onlyWord())
        default:
            let hint = Suggestions.hint(for: node.keyword, among: Self.keywords)
            throw DockerfileError("unknown instruction: \(node.keyword)\(hint)")
        }
    }
}

extension Node {
    /// The keyword as messages show it.
    var shownName: String { keyword.uppercased() }

    func requireSome(_ isEmpty: Bool) throws(DockerfileError) {
        if isEmpty { throw DockerfileError("\(shownName) requires at least one argument") }
    }

    private func rejectFlags() throws(DockerfileError) {
        _ = try FlagSet(flags, known: [:])
    }

    /// The command of RUN, CMD and ENTRYPOINT, whose flags are checked elsewhere.
    var shellOrExec: ShellOrExec { isJSON ? .exec(words) : .shell(words.joined(separator: " ")) }

    fileprivate func command() throws(DockerfileError) -> ShellOrExec {
        try rejectFlags()
        return shellOrExec
    }

    /// The whole argument. STOPSIGNAL passes over flags; so does BuildKit.
    fileprivate func onlyWord(checkingFlags: Bool = true) throws(DockerfileError) -> String {
        guard words.count == 1 else { throw DockerfileError("\(shownName) requires exactly one argument") }
        if checkingFlags { try rejectFlags() }
        return words[0]
    }

    fileprivate func someWords() throws(DockerfileError) -> [String] {
        try requireSome(words.isEmpty)
        try rejectFlags()
        return words
    }

    fileprivate func volumes() throws(DockerfileError) -> [String] {
        try someWords().map { (word) throws(DockerfileError) in
            let volume = Text(word).trimmingSpace().string
            if volume.isEmpty { throw DockerfileError("VOLUME specified can not be an empty string") }
            return volume
        }
    }

    fileprivate func shell() throws(DockerfileError) -> [String] {
        try rejectFlags()
        try requireSome(words.isEmpty)
        if !isJSON { throw DockerfileError("SHELL requires the arguments to be in JSON form") }
        return words
    }

    fileprivate func assignments() throws(DockerfileError) -> Assignments {
        try rejectFlags()
        guard case .pairs(let assignments) = arguments else {
            throw DockerfileError("\(shownName) requires at least one argument")
        }
        if assignments.pairs.contains(where: \.key.isEmpty) {
            throw DockerfileError("\(shownName) names can not be blank")
        }
        return assignments
    }

    /// The declarations of ARG, which passes over flags; so does BuildKit.
    fileprivate func declarations() throws(DockerfileError) -> [ArgumentDeclaration] {
        try requireSome(words.isEmpty)
        return try words.map { (word) throws(DockerfileError) in
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count > 1 && parts[0].isEmpty { throw DockerfileError("ARG names can not be blank") }
            return ArgumentDeclaration(name: String(parts[0]), defaultValue: parts.count > 1 ? String(parts[1]) : nil)
        }
    }
}

extension From {
    init(_ node: Node) throws(DockerfileError) {
        let words = node.words
        switch words.count {
        case 3 where words[1].lowercased() == "as":
            let lower = words[2].lowercased()
            guard Self.isStageName(lower) else {
                throw DockerfileError(
                    "invalid name for build stage: \(words[2].quoted), "
                        + "name can't start with a number or contain symbols")
            }
            name = lower
            originalName = words[2]
            asKeyword = words[1]
        case 1:
            name = nil
            originalName = nil
            asKeyword = nil
        default:
            throw DockerfileError("FROM requires either one or three arguments")
        }
        base = words[0]
        platform = try FlagSet(node.flags, known: ["platform": .text]).text("platform")
    }

    private static func isStageName(_ name: String) -> Bool {
        name.utf8.first?.isLetter == true
            && name.utf8.allSatisfy { $0.isLetter || $0.isDigit || "-_.".utf8.contains($0) }
    }
}

extension Onbuild {
    init(_ node: Node) throws(DockerfileError) {
        guard case .instruction(let inner) = node.arguments else {
            throw DockerfileError("ONBUILD requires at least one argument")
        }
        _ = try FlagSet(node.flags, known: [:])
        switch inner.name {
        case "onbuild": throw DockerfileError("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed")
        case "from", "maintainer":
            throw DockerfileError("\(inner.shownName) isn't allowed as an ONBUILD trigger")
        default: break
        }
        // An image keeps its triggers as text.
        guard node.heredocs.allSatisfy({ $0.bytes[...].isUTF8 }) else {
            throw DockerfileError(NodeParser.notUTF8)
        }
        let line = Text(node.text).trimmingLeadingSpace().dropFirst(node.keyword.utf8.count)
        var bytes = Array(line.trimmingLeadingSpace())
        for heredoc in node.heredocs {
            bytes.append(UInt8(ascii: "\n"))
            bytes.append(contentsOf: heredoc.bytes)
            bytes.append(contentsOf: heredoc.name.utf8)
        }
        trigger = String(decoding: bytes, as: UTF8.self)
    }
}
