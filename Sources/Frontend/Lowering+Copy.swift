import Diagnostics
import DockerfileSyntax
import Graph
import OCI

/// The common parts of COPY and ADD, unexpanded.
///
/// `--link` is not one of them: a copy is always a layer of its own, made from file lists without unpacking what is below
/// it, and what it finds there stays as it is.
private struct CopyInstruction {
    let keyword: String
    let sources: [DockerfileSyntax.CopySource]
    let destination: String
    let chown: String?
    let chmod: String?
    var excludes: [String]
    var keepsParents = false
    var archives = ArchiveHandling.copy
    /// The origin of the files, unless it is the build context.
    var origin: StageSource?
}

extension Lowering {
    mutating func lower(_ copy: Copy, _ step: Step, to state: inout StageState) throws {
        let origin = try table.source(of: step.instruction)
        let instruction = CopyInstruction(
            keyword: "COPY", sources: copy.sources, destination: copy.destination, chown: copy.chown,
            chmod: copy.chmod, excludes: copy.excludes, keepsParents: copy.parents,
            origin: origin)
        try lower(instruction, step, to: &state) { path in
            switch try RemoteSource(path) {
            case .git: throw FrontendError(.invalid, "source can't be a git ref for COPY", hint: "Use ADD.")
            case .http: throw FrontendError(.invalid, "source can't be a URL for COPY", hint: "Use ADD.")
            case nil: return nil
            }
        }
    }

    mutating func lower(_ add: Add, _ step: Step, to state: inout StageState) throws {
        let checksum = try add.checksum.map { try expand($0, in: state, at: step.instruction) } ?? ""
        let instruction = CopyInstruction(
            keyword: "ADD", sources: add.sources, destination: add.destination, chown: add.chown, chmod: add.chmod,
            excludes: add.excludes, archives: add.unpack.map { $0 ? .unpackAll : .copy } ?? .unpack)
        let flags = RemoteFlags(
            checksum: checksum, keepsGitDirectory: add.keepGitDir,
            sourceCount: add.sources.count { if case .path = $0 { true } else { false } })
        try lower(instruction, step, to: &state) { try flags.operation($0) }
    }

    /// `remote` judges each expanded path, and says how to fetch it if it is none.
    private mutating func lower(
        _ copy: CopyInstruction, _ step: Step, to state: inout StageState,
        remote: (String) throws -> (operation: Graph.Operation, label: String)?
    ) throws {
        let instruction = step.instruction
        // In BuildKit's order, by which the checks stand beside the first error.
        let owner = try copy.chown.map { try expand($0, in: state, at: instruction) } ?? ""
        let modeText = try copy.chmod.map { try expand($0, in: state, at: instruction) } ?? ""
        let paths = try copy.sources.compactMap { source -> String? in
            guard case .path(let word) = source else { return nil }
            return try expand(word, in: state, at: instruction)
        }
        let destination = try expand(copy.destination, in: state, at: instruction)
        let files = try copy.sources.compactMap { source -> InlineFile? in
            guard case .heredoc(let heredoc) = source else { return nil }
            return try inlineFile(heredoc, in: state, at: instruction)
        }
        let mode = modeText.isEmpty ? nil : try Self.mode(modeText)
        let remotes = try paths.map { path in
            let found = try remote(path)
            if found == nil, copy.origin == nil { linter.checkIgnored(path, copy.keyword, options, step) }
            return found
        }
        if copy.origin == nil {
            let local = zip(paths, remotes).filter { $0.1 == nil }.map(\.0)
            linter.checkContextSources(
                local, isAll: local.count == paths.count, copy.keyword, options, step)
        }

        var inputs = [state.vertex]
        if let origin = copy.origin {
            inputs.append(try vertex(of: origin, for: instruction, in: state))
        } else if remotes.contains(where: { $0 == nil }) {
            inputs.append(contextVertex())
        }
        let sources = zip(paths, remotes).map { path, remote -> Graph.CopySource in
            guard let remote else { return .path(path, input: 1) }
            inputs.append(shared(remote.operation, label: remote.label, location: location(of: instruction)))
            guard case .http(let source) = remote.operation else {
                return .path(GitSource.folder, input: inputs.count - 1)
            }
            return .path(source.fileName.escapedPattern, input: inputs.count - 1)
        }
        let operation = CopyOperation(
            sources: sources + files.map { .inline($0) },
            destination: ContainerPath.destination(destination, in: state.workingDirectory),
            owner: owner.isEmpty ? nil : owner, mode: mode, excludes: copy.excludes,
            keepsParents: copy.keepsParents, archives: copy.archives)
        let label = label(step, in: &state)
        let vertex = graph.add(
            .copy(operation), inputs: inputs, label: label, location: location(of: instruction),
            ignoresCache: state.ignoresCache, platform: state.platform)
        let flags = [
            copy.keepsParents ? "--parents" : nil, owner.isEmpty ? nil : "--chown=\(owner)",
            mode.map { "--chmod=\($0.text)" },
        ]
        let words = [copy.keyword] + flags.compactMap(\.self) + paths + files.map { "<<\($0.name)" }
        state.record("\((words + [destination]).joined(separator: " ")) # buildkit", layer: vertex)
    }

    private static func mode(_ text: String) throws -> FileMode {
        do { return try FileMode(parsing: text) } catch {
            throw FrontendError(.invalid, error.message, hint: error.hint)
        }
    }

    /// A here-document as a file; in its body, escapes are always backslashes.
    private mutating func inlineFile(
        _ heredoc: Heredoc, in state: StageState, at instruction: Instruction
    ) throws -> InlineFile {
        let content = heredoc.contentBytes
        guard heredoc.expand else { return InlineFile(name: heredoc.name, content: content) }
        guard let text = String(validating: content, as: UTF8.self) else {
            // Bytes that are no text pass through the expander as characters of Latin-1, one each.
            let body = try WordExpander().expand(
                String(latin1: content), mode: .heredocBody,
                environment: { name in
                    state.environment[String(decoding: name.latin1, as: UTF8.self)].map { String(latin1: $0.utf8) }
                })
            note(unmatched: body.unmatched, in: state, at: instruction)
            return InlineFile(name: heredoc.name, content: body.text.latin1)
        }
        let body = try WordExpander().expand(text, mode: .heredocBody, environment: { state.environment[$0] })
        note(unmatched: body.unmatched, in: state, at: instruction)
        return InlineFile(name: heredoc.name, content: body.text)
    }

    /// WORKDIR makes the directory, and a layer with it, unless it is the root.
    mutating func lowerWorkdir(_ word: String, _ step: Step, to state: inout StageState) throws {
        let path = try expand(word, in: state, at: step.instruction)
        if !state.hasWorkdir { linter.checkFirstWorkdir(path, at: step.instruction) }
        state.hasWorkdir = true
        // BuildKit keeps an absolute path as it is written, in the config as in the history.
        let directory = path.hasPrefix("/") ? path : ContainerPath.resolve(path, in: state.workingDirectory)
        state.config.config.workingDirectory = directory
        guard directory != "/" else { return state.record("WORKDIR /") }
        let operation = MakeDirectoryOperation(path: state.workingDirectory, owner: state.config.config.user)
        let label = label(step, in: &state)
        let vertex = graph.add(
            .makeDirectory(operation), inputs: [state.vertex], label: label, location: location(of: step.instruction),
            platform: state.platform)
        state.record("WORKDIR \(directory)", layer: vertex)
    }
}

extension String {
    /// One character for each byte.
    fileprivate init(latin1 bytes: some Sequence<UInt8>) {
        var scalars = UnicodeScalarView()
        scalars.append(contentsOf: bytes.lazy.map { Unicode.Scalar($0) })
        self.init(scalars)
    }

    /// The bytes of a string that has one character for each.
    fileprivate var latin1: [UInt8] { unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) } }

    /// The word of a copy that names this file and no other.
    ///
    /// A word without a wildcard is taken as it stands. Sets of one character keep another one a pattern: where every
    /// wildcard is escaped, the backslashes would be part of the name.
    var escapedPattern: String {
        guard Glob.isPattern(self) else { return self }
        return unicodeScalars.reduce(into: "") { pattern, scalar in
            switch scalar {
            case "*", "?", "[": pattern += "[\(scalar)]"
            case "\\": pattern += "\\\\"
            default: pattern.unicodeScalars.append(scalar)
            }
        }
    }
}
