package import DockerfileSyntax
import OCI

extension Outline {
    /// Reads the outline of the target that `options` name.
    ///
    /// Values may come from the environment of a base image, and its triggers may ask for more. A base that cannot be
    /// resolved is passed over: most of an outline is in the file itself.
    ///
    /// - Throws: ``FrontendError`` with the lines at fault.
    package init(
        _ dockerfile: Dockerfile, _ options: BuildOptions, source: DockerfileSource, resolver: some BaseImageResolver
    ) async throws {
        self.init(source: source)
        var lowering = try Lowering(dockerfile, options, WarningLog())
        let target = try lowering.table.target(named: options.target)
        for index in lowering.table.reachable(from: target) {
            guard let key = try lowering.baseRequest(of: index)?.key, lowering.images[key] == nil else { continue }
            lowering.images[key] = try? await resolver.resolve(key)
        }
        let stage = lowering.table.entries[target].stage
        name = stage.name ?? ""
        description = stage.description
        var reader = OutlineReader(lowering, try GlobalArguments(dockerfile, lowering))
        try reader.read(target)
        arguments = reader.arguments.sorted { ($0.line, $0.lastLine) < ($1.line, $1.lastLine) }
        secrets = reader.secrets.sorted { $0.line < $1.line }
        sockets = reader.sockets.sorted { $0.line < $1.line }
    }
}

/// The ARGs above the first FROM, and which of them the value of each needs.
private struct GlobalArguments {
    private(set) var known: [String: Outline.Argument] = [:]
    private var needs: [String: [String]] = [:]

    init(_ dockerfile: Dockerfile, _ lowering: Lowering) throws {
        for instruction in dockerfile.globalArguments {
            guard case .arg(let declarations) = instruction.kind else { continue }
            for declaration in declarations {
                let name = declaration.name
                var used: [String] = []
                if let value = declaration.defaultValue, lowering.options.buildArgument(name) == nil {
                    _ = try locating(instruction, in: lowering.options.fileName) {
                        try lowering.expander.expand(value) { name in
                            used.append(name)
                            return lowering.globalValue(name)
                        }
                    }
                }
                known[name] = Outline.Argument(
                    declaration, value: lowering.globalValue(name), of: instruction)
                needs[name] = used
            }
        }
    }

    /// The names together with all that their values need.
    func closure(of names: [String]) -> Set<String> {
        var found: Set<String> = []
        var open = names
        while let name = open.popLast() {
            if found.insert(name).inserted { open += needs[name] ?? [] }
        }
        return found
    }
}

extension Outline.Argument {
    fileprivate init(_ declaration: ArgumentDeclaration, value: String?, of instruction: Instruction) {
        self.init(
            name: declaration.name, value: value ?? "", description: instruction.description(of: declaration.name),
            line: instruction.range.lines.lowerBound, lastLine: instruction.range.lines.upperBound)
    }
}

/// Walks the stages that a target needs, the target first: of one name, what is nearest to the target counts.
private struct OutlineReader {
    let lowering: Lowering
    let globals: GlobalArguments
    private var seen: Set<String> = []
    private(set) var arguments: [Outline.Argument] = []
    private(set) var secrets: [Outline.Mount] = []
    private(set) var sockets: [Outline.Mount] = []
    /// The variables at the end of each stage read.
    private var environments: [Int: Environment] = [:]

    init(_ lowering: Lowering, _ globals: GlobalArguments) {
        self.lowering = lowering
        self.globals = globals
    }

    mutating func read(_ target: Int) throws {
        // Values may come from the stage below, so those are evaluated from the bottom up.
        var found: [Int: StageOutline] = [:]
        for index in lowering.table.reachable(from: target) { found[index] = try outline(of: index) }
        var visited: Set<Int> = []
        func visit(_ index: Int, _ body: (StageOutline) -> Void) {
            guard visited.insert(index).inserted, let stage = found[index] else { return }
            body(stage)
            for (next, _) in lowering.table.entries[index].requiredStages { visit(next, body) }
        }
        var order: [StageOutline] = []
        visit(target) { order.append($0) }
        for stage in order { add(stage) }
    }

    private struct StageOutline {
        /// The arguments the stage declares with a value of their own or without any.
        var own: [String: Outline.Argument] = [:]
        var used: [String] = []
        var secrets: [Outline.Mount] = []
        var sockets: [Outline.Mount] = []
    }

    private mutating func add(_ stage: StageOutline) {
        for name in globals.closure(of: stage.used).sorted() {
            guard let argument = stage.own[name] ?? globals.known[name], seen.insert(name).inserted else { continue }
            arguments.append(argument)
        }
        Self.merge(stage.secrets, into: &secrets)
        Self.merge(stage.sockets, into: &sockets)
    }

    private static func merge(_ mounts: [Outline.Mount], into all: inout [Outline.Mount]) {
        for mount in mounts {
            if let index = all.firstIndex(where: { $0.id == mount.id }) {
                all[index].isRequired = all[index].isRequired || mount.isRequired
            } else {
                all.append(mount)
            }
        }
    }

    private mutating func outline(of index: Int) throws -> StageOutline {
        let entry = lowering.table.entries[index]
        var result = StageOutline()
        for word in [entry.stage.base, entry.stage.platform ?? ""] {
            _ = try lowering.expander.expand(word) { name in
                result.used.append(name)
                return lowering.globalValue(name)
            }
        }
        var environment = Environment()
        var triggers: [Instruction] = []
        switch entry.base {
        case .scratch, .context: break
        case .stage(let base):
            environment = environments[base] ?? environment
            triggers = try lowering.table.entries[base].stage.instructions.compactMap { instruction in
                guard case .onbuild(let onbuild) = instruction.kind else { return nil }
                return try Instruction.parseTrigger(onbuild.trigger, at: entry.stage.from.range)
            }
        case .image, .layout:
            guard let key = try lowering.baseRequest(of: index)?.key, let image = lowering.images[key] else { break }
            environment = Environment(image.config.config.environment)
            triggers = try lowering.triggers(of: index)
        }
        for instruction in triggers + entry.instructions {
            try locating(instruction, in: lowering.options.fileName) {
                try read(instruction, &environment, &result)
            }
        }
        environments[index] = environment
        return result
    }

    private func read(
        _ instruction: Instruction, _ environment: inout Environment, _ result: inout StageOutline
    ) throws {
        switch instruction.kind {
        case .arg(let declarations):
            for declaration in declarations { try read(declaration, of: instruction, &environment, &result) }
        case .env(let assignments):
            let scope = environment
            for pair in assignments.pairs {
                environment.set(try expand(pair.key, scope), to: try expand(pair.value, scope))
            }
        case .run(let run):
            for mount in run.mounts { try read(mount: expand(mount, environment), of: instruction, &result) }
        default: break
        }
    }

    private func expand(_ word: String, _ scope: Environment) throws -> String {
        try lowering.expander.expand(word, environment: { scope[$0] }).text
    }

    private func read(
        _ declaration: ArgumentDeclaration, of instruction: Instruction, _ environment: inout Environment,
        _ result: inout StageOutline
    ) throws {
        let name = declaration.name
        result.used.append(name)
        var value = lowering.options.buildArgument(name)
        if value == nil, let text = declaration.defaultValue { value = try expand(text, environment) }
        if value == nil, let inherited = lowering.globalValue(name) {
            // The declaration is the global one's; a variable such as TARGETOS has none.
            environment.set(name, to: inherited)
            return
        }
        result.own[name] = Outline.Argument(declaration, value: value, of: instruction)
        if let value { environment.set(name, to: value) }
    }

    /// A mount of RUN with its variables resolved; what is wrong with it shows when it is built.
    private func read(mount text: String, of instruction: Instruction, _ result: inout StageOutline) throws {
        var options: [String: String] = [:]
        for field in try CommaSeparated.fields(text) {
            let parts = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            options[parts[0].lowercased()] = parts.count == 2 ? parts[1] : "true"
        }
        let isRequired = ["true", "1"].contains(options["required"]?.lowercased())
        let target = options["target"] ?? options["dst"] ?? options["destination"] ?? ""
        func mount(_ id: String) -> Outline.Mount {
            Outline.Mount(
                id: id, isRequired: isRequired, line: instruction.range.lines.lowerBound,
                lastLine: instruction.range.lines.upperBound)
        }
        switch options["type"] {
        case "secret":
            let id = options["id"] ?? options["source"] ?? options["src"]
            result.secrets.append(mount(id ?? String(target.split(separator: "/").last ?? "")))
        case "ssh": result.sockets.append(mount(options["id"] ?? "default"))
        default: break
        }
    }
}
