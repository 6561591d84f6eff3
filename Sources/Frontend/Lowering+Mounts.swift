import Diagnostics
import DockerfileSyntax
import GoCompat
import Graph

/// The mounts of a RUN, resolved.
struct LoweredMounts {
    var mounts: [RunMount] = []
    /// The inputs of the vertex: its root first, then what mounts read.
    var inputs: [VertexID]

    /// The variables that secrets are given in.
    var secretVariables: [String] {
        mounts.compactMap { if case .secret(let secret) = $0 { secret.variable } else { nil } }
    }

    /// The path at which programs find the agent: the first socket.
    var agentSocket: String? {
        mounts.lazy.compactMap { if case .ssh(let ssh) = $0 { ssh.target } else { nil } }.first
    }

    /// The index of an input, which is added if it is new. The root is its own input, even if a mount reads it too.
    fileprivate mutating func index(of vertex: VertexID) -> Int {
        if let known = inputs.dropFirst().firstIndex(of: vertex) { return known }
        inputs.append(vertex)
        return inputs.count - 1
    }
}

extension Lowering {
    mutating func lowerMounts(
        _ texts: [String], at instruction: Instruction, in state: StageState
    ) throws -> LoweredMounts {
        var lowered = LoweredMounts(inputs: [state.vertex])
        for text in texts {
            let options = try MountOptions(parsing: text) { try expand($0, in: state, at: instruction) }
            let mount: RunMount
            switch options.kind {
            case .bind: mount = .bind(try bindMount(options, at: instruction, in: state, &lowered))
            case .cache: mount = .cache(try cacheMount(options, at: instruction, in: state, &lowered))
            case .tmpfs:
                mount = .tmpfs(
                    TemporaryMount(
                        target: try Self.target(options.target, in: state.workingDirectory),
                        size: options.size == 0 ? nil : options.size, isReadOnly: options.isReadOnly))
            case .secret: mount = .secret(try Self.secretMount(options, in: state.workingDirectory))
            case .ssh:
                let number = lowered.mounts.count { if case .ssh = $0 { true } else { false } }
                mount = .ssh(try Self.agentMount(options, number: number, in: state.workingDirectory))
            }
            lowered.mounts.append(mount)
        }
        return lowered
    }

    /// The place of a mount; an empty one is the working directory itself.
    static func target(_ text: String, in directory: String) throws -> String {
        let target = ContainerPath.resolve(text, in: directory)
        guard target != "/" else { throw FrontendError(.invalid, "invalid mount target \(GoFormat.quoted(target))") }
        return target
    }

    /// The files that `from` names.
    private mutating func origin(
        _ options: MountOptions, at instruction: Instruction, in state: StageState
    ) throws -> VertexID {
        let source = try table.source(named: options.from)
        if case .stage(let index) = source, states[index] == nil {
            throw FrontendError(
                .unknownStage,
                "cannot mount from stage \(GoFormat.quoted(options.from)) to \(GoFormat.quoted(options.target)), "
                    + "stage needs to be defined before current command",
                hint: "Move the stage up.")
        }
        return try vertex(of: source, for: instruction, in: state)
    }

    private mutating func bindMount(
        _ options: MountOptions, at instruction: Instruction, in state: StageState, _ lowered: inout LoweredMounts
    ) throws -> BindMount {
        let target = try Self.target(options.target, in: state.workingDirectory)
        let vertex =
            options.from.isEmpty
            ? contextVertex() : try origin(options, at: instruction, in: state)
        return BindMount(
            target: target, input: lowered.index(of: vertex),
            source: ContainerPath.resolve(options.source, in: "/"), isReadOnly: options.isReadOnly)
    }

    private mutating func cacheMount(
        _ options: MountOptions, at instruction: Instruction, in state: StageState, _ lowered: inout LoweredMounts
    ) throws -> CacheMount {
        let target = try Self.target(options.target, in: state.workingDirectory)
        let source = ContainerPath.resolve(options.source, in: "/")
        let attributes = source == "/" ? options.cacheAttributes : nil
        var seed: Int?
        if !options.from.isEmpty {
            let vertex = try origin(options, at: instruction, in: state)
            // As in BuildKit: whoever says what the new directory is like gets an empty one.
            if attributes == nil, graph[vertex].operation != .scratch { seed = lowered.index(of: vertex) }
        }
        let namespace = self.options.buildArgument("BUILDKIT_CACHE_MOUNT_NS") ?? ""
        let id = options.id.isEmpty ? ContainerPath.cleanAsWritten(options.target) : options.id
        return CacheMount(
            target: target, id: "\(namespace)/\(id)", sharing: options.sharing ?? .shared,
            isReadOnly: options.isReadOnly, source: source, seed: seed, attributes: attributes)
    }

    static func secretMount(_ options: MountOptions, in directory: String) throws -> SecretMount {
        var id = options.source.isEmpty ? options.id : options.source
        if id.isEmpty { id = ContainerPath.base(options.target) }
        var target: String?
        if !options.target.isEmpty {
            target = try Self.target(options.target, in: directory)
        } else if options.variable == nil {
            target = "/run/secrets/\(ContainerPath.base(id))"
        }
        return SecretMount(
            id: id, target: target, variable: options.variable, isRequired: options.isRequired,
            mode: options.mode ?? 0o400, uid: options.uid ?? 0, gid: options.gid ?? 0)
    }

    static func agentMount(_ options: MountOptions, number: Int, in directory: String) throws -> SSHMount {
        SSHMount(
            id: options.id,
            target: options.target.isEmpty
                ? "/run/buildkit/ssh_agent.\(number)" : try target(options.target, in: directory),
            isRequired: options.isRequired, mode: options.mode ?? 0o600, uid: options.uid ?? 0, gid: options.gid ?? 0)
    }
}
