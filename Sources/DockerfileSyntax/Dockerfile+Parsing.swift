extension Dockerfile {
    /// Parses the bytes of a Dockerfile.
    ///
    /// As in BuildKit the whole file is split first, and its errors have no line number in their message; then each
    /// instruction is checked, and its errors begin with "dockerfile parse error on line N". See
    /// https://docs.docker.com/reference/dockerfile/.
    public init(parsing bytes: [UInt8]) throws(DockerfileError) {
        try self.init(bytes, stopsAtError: false)
        if stages.isEmpty { throw DockerfileError("dockerfile contains no stages to build") }
    }

    /// Parses the part of a Dockerfile before its first malformed instruction, which may be all of it or nothing.
    package init(beginningOf bytes: [UInt8]) throws(DockerfileError) { try self.init(bytes, stopsAtError: true) }

    /// `stopsAtError` says that a malformed instruction ends the file and is no error.
    private init(_ bytes: [UInt8], stopsAtError: Bool) throws(DockerfileError) {
        if bytes.isEmpty { throw DockerfileError("the Dockerfile cannot be empty") }
        try Self.refuseNUL(in: bytes)
        let parser = try NodeParser(parsing: bytes)
        let lines = LineReader.lines(of: bytes)
        sourceLines = lines.map(\.string)
        escape = parser.escape
        warnings = parser.warnings
        let own = parser.directives.directives.filter { $0.name == .escape }
        directives = (own + (try DirectiveScanner.leadingDirectives(of: lines))).sorted { $0.line < $1.line }
        (globalArguments, stages, malformed) = try Self.stages(of: parser.nodes, stopsAtError: stopsAtError)
    }

    /// No path, argument or variable can hold a NUL, and where one is the file is hardly a Dockerfile.
    private static func refuseNUL(in bytes: [UInt8]) throws(DockerfileError) {
        guard let index = bytes.firstIndex(of: 0) else { return }
        let line = bytes[..<index].count { $0 == UInt8(ascii: "\n") } + 1
        let position = SourcePosition(line: line, column: 1)
        throw DockerfileError(
            "dockerfile parse error on line \(line): the line holds a NUL byte",
            at: SourceRange(start: position, end: position))
    }

    private static func stages(
        of nodes: [Node], stopsAtError: Bool
    ) throws(DockerfileError) -> (globals: [Instruction], stages: [Stage], malformed: MalformedInstruction?) {
        var globals: [Instruction] = []
        var stages: [Stage] = []
        var malformed: MalformedInstruction?
        var current: (from: Instruction, header: From, instructions: [Instruction])?
        func finishStage() {
            guard let current else { return }
            stages.append(
                Stage(
                    index: stages.count, from: current.from, header: current.header,
                    instructions: current.instructions))
        }
        for node in nodes {
            let instruction: Instruction
            do { instruction = try checked(node) } catch {
                guard stopsAtError else { throw error }
                malformed = MalformedInstruction(node)
                break
            }
            switch instruction.kind {
            case .from(let header):
                finishStage()
                current = (instruction, header, [])
            case .arg where current == nil:
                globals.append(instruction)
            default:
                if current == nil, stopsAtError { return (globals, [], nil) }
                if current == nil { throw DockerfileError("no build stage in current context", at: node.range) }
                current?.instructions.append(instruction)
            }
        }
        finishStage()
        return (globals, stages, malformed)
    }

    private static func checked(_ node: Node) throws(DockerfileError) -> Instruction {
        do {
            return try Instruction(node)
        } catch {
            let place = "dockerfile parse error on line \(node.range.start.line): "
            throw DockerfileError(place + error.message, at: error.range)
        }
    }
}
