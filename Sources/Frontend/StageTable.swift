import Diagnostics
import DockerfileSyntax
import GoCompat
import OCI

/// The base of a stage or the source of a COPY.
enum StageSource: Hashable, Sendable {
    case scratch
    case stage(Int)
    /// An image by its name as written.
    case image(String)
    /// The files of a context that the user gives under this name.
    case context(String)
    /// The image in a layout directory that the user gives under this name.
    case layout(String)
}

/// One stage with its names resolved.
struct StageEntry: Sendable {
    let stage: Stage
    let base: StageSource
    /// The value of `--platform`.
    let platform: Platform?
    /// Whether a context of its name stands in for the stage, whose instructions then do not count.
    let isReplaced: Bool
    /// The sources of COPY and of RUN's mounts, with their instructions.
    var dependencies: [(source: StageSource, instruction: Instruction)] = []

    /// The steps on the base.
    var instructions: [Instruction] { isReplaced ? [] : stage.instructions }

    /// The name in messages; stages without a name have a number.
    var displayName: String { stage.name ?? "stage-\(stage.index)" }

    /// The stages this one needs, with the instruction that says so.
    var requiredStages: [(index: Int, instruction: Instruction)] {
        ([(base, stage.from)] + dependencies).compactMap { source, instruction in
            guard case .stage(let index) = source else { return nil }
            return (index, instruction)
        }
    }
}

/// The stages of a file and how they depend on each other.
struct StageTable: Sendable {
    private(set) var entries: [StageEntry] = []
    /// Stage names in lower case; a later stage takes over the name of an earlier one.
    private var indices: [String: Int] = [:]
    private let file: String
    private let contexts: NamedContexts
    /// The platform of the result.
    private let platform: Platform

    init(
        _ dockerfile: Dockerfile, _ options: BuildOptions, scope: GlobalScope, expander: WordExpander,
        linter: inout Linter
    ) throws {
        let file = options.fileName
        self.file = file
        contexts = options.contexts
        platform = options.platform
        for stage in dockerfile.stages {
            let entry = try locating(stage.from, in: file) { () throws -> StageEntry in
                let given = stage.index == 0 ? options.firstBase : nil
                let name = try given ?? baseName(of: stage, scope, expander, linter)
                let platform = try Self.platform(of: stage, scope, expander, &linter)
                // FROM finds only stages above it, and compares the name exactly, unlike everything else.
                let above = given == nil ? indices[name].map { StageSource.stage($0) } : nil
                let base = above ?? source(ofImage: name, for: platform ?? options.platform)
                let context = stage.name.flatMap { contexts.source($0, for: platform ?? options.platform) }
                return StageEntry(
                    stage: stage, base: context ?? base, platform: platform, isReplaced: context != nil)
            }
            entries.append(entry)
            if let name = stage.name { indices[name] = stage.index }
        }
        for index in entries.indices {
            for instruction in entries[index].instructions {
                for source in try sources(of: instruction) { entries[index].dependencies.append((source, instruction)) }
            }
        }
        try rejectCycles()
    }

    private func baseName(
        of stage: Stage, _ scope: GlobalScope, _ expander: WordExpander, _ linter: Linter
    ) throws -> String {
        let word = try Self.expand(stage.base, of: stage, scope, expander, linter)
        guard !word.text.isEmpty else {
            throw FrontendError(.invalid, "base name (\(stage.base)) should not be blank")
        }
        return word.text
    }

    /// The meaning of a name that is not that of a stage.
    private func source(ofImage name: String, for platform: Platform) -> StageSource {
        name == "scratch" ? .scratch : contexts.source(name, for: platform) ?? .image(name)
    }

    /// Expands a word of FROM. Variables that are not set are reported, also when the word cannot be expanded.
    private static func expand(
        _ word: String, of stage: Stage, _ scope: GlobalScope, _ expander: WordExpander, _ linter: Linter
    ) throws -> ExpandedWord {
        var missing: [String] = []
        do {
            let result = try expander.expand(word) { name in
                let value = scope.environment[name]
                if value == nil, !missing.contains(name) { missing.append(name) }
                return value
            }
            linter.checkArguments(result.unmatched, declared: scope.declared, of: stage)
            return result
        } catch {
            linter.checkArguments(missing, declared: scope.declared, of: stage)
            throw error
        }
    }

    private static func platform(
        of stage: Stage, _ scope: GlobalScope, _ expander: WordExpander, _ linter: inout Linter
    ) throws -> Platform? {
        guard let text = stage.platform, !text.isEmpty else { return nil }
        let word = try expand(text, of: stage, scope, expander, linter)
        linter.checkPlatform(text, expanded: word.text, of: stage)
        guard !word.text.isEmpty else {
            throw FrontendError(.invalid, "empty platform value from expression \(text)")
        }
        do { return try Platform(parsing: word.text) } catch {
            let reason =
                error.code == .unknown
                ? "unknown operating system or architecture" : "cannot parse platform specifier"
            throw FrontendError(
                .invalid, "failed to parse platform \(text): \"\(word.text)\": \(reason): invalid argument",
                hint: error.hint, cause: error)
        }
    }

    /// The source of a COPY with `--from`; `nil` for anything else.
    func source(of instruction: Instruction) throws -> StageSource? {
        guard case .copy(let copy) = instruction.kind, let name = copy.from, !name.isEmpty else { return nil }
        return try locating(instruction, in: file) { try source(named: name) }
    }

    /// All that an instruction reads besides the stage it is in and the build context.
    func sources(of instruction: Instruction) throws -> [StageSource] {
        guard case .run(let run) = instruction.kind else { return try source(of: instruction).map { [$0] } ?? [] }
        return try locating(instruction, in: file) {
            try run.mounts.compactMap { try MountOptions.origin(of: $0) }.map { try source(named: $0) }
        }
    }

    /// The meaning of `--from` of COPY or `from` of a mount.
    func source(named name: String) throws -> StageSource {
        guard !name.contains("$") else {
            throw FrontendError(
                .invalid,
                "variable expansion is not supported for --from, define a new stage with FROM using ARG from global "
                    + "scope as a workaround")
        }
        if let index = Int(name) {
            guard entries.indices.contains(index) else {
                throw FrontendError(.unknownStage, "invalid stage index \(index)")
            }
            return .stage(index)
        }
        if let index = indices[name.lowercased()] { return .stage(index) }
        return source(ofImage: name, for: platform)
    }

    /// The stage with a name, in any case.
    func index(ofStage name: String) -> Int? { indices[name.lowercased()] }

    /// The stage to build; `nil` is the last one.
    func target(named name: String?) throws -> Int {
        guard let name, !name.isEmpty else { return entries.count - 1 }
        if let index = indices[name.lowercased()] { return index }
        let names = entries.compactMap(\.stage.name)
        let suggestion = Suggestions.closest(to: name.lowercased(), among: names)
        throw FrontendError(
            .unknownTarget,
            "target stage \(GoFormat.quoted(name)) could not be found"
                + (suggestion.map { " (did you mean \($0)?)" } ?? ""),
            hint: names.isEmpty ? "No stage of this file has a name." : "Stages: \(names.joined(separator: ", ")).")
    }

    /// `target` and all stages it needs, in file order.
    func reachable(from target: Int) -> [Int] {
        var found: Set<Int> = []
        var open = [target]
        while let index = open.popLast() {
            guard found.insert(index).inserted else { continue }
            open += entries[index].requiredStages.map(\.index)
        }
        return found.sorted()
    }

    private func rejectCycles() throws {
        enum Mark { case new, active, done }
        var marks = [Mark](repeating: .new, count: entries.count)
        for (index, entry) in entries.enumerated() where marks[index] == .new {
            // The way from the stage to the one that is looked at, each with the stages it requires that are left.
            var way = [(stage: index, instruction: entry.stage.from, rest: entry.requiredStages[...])]
            marks[index] = .active
            while let last = way.last {
                guard let (next, instruction) = last.rest.first else {
                    marks[last.stage] = .done
                    way.removeLast()
                    continue
                }
                way[way.count - 1].rest = last.rest.dropFirst()
                way[way.count - 1].instruction = instruction
                if marks[next] == .active {
                    throw FrontendError(
                        .circular, "circular dependency detected on stage: \(entry.displayName)",
                        at: Diagnostics.SourceRange(file: file, lines: way[0].instruction.range.lines))
                }
                guard marks[next] == .new else { continue }
                marks[next] = .active
                way.append((next, entries[next].stage.from, entries[next].requiredStages[...]))
            }
        }
    }
}
