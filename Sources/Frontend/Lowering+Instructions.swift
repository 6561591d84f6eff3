import DockerfileSyntax
import GoCompat
import Graph
import OCI

/// An instruction to be lowered, from the stage itself or from its base.
struct Step: Sendable {
    let instruction: Instruction
    /// Whether it is an ONBUILD of the base.
    let isTrigger: Bool

    init(_ instruction: Instruction, isTrigger: Bool = false) {
        self.instruction = instruction
        self.isTrigger = isTrigger
    }
}

extension Lowering {
    /// Adds what one instruction does to the stage.
    mutating func apply(_ step: Step, to state: inout StageState) throws {
        try locating(step.instruction, in: options.fileName) { try dispatch(step, to: &state) }
    }

    private mutating func dispatch(_ step: Step, to state: inout StageState) throws {
        let instruction = step.instruction
        switch instruction.kind {
        case .from: preconditionFailure("FROM starts a stage")
        case .arg(let declarations): try lower(declarations, at: instruction, to: &state)
        case .env(let assignments): try lowerEnv(assignments, at: instruction, to: &state)
        case .label(let assignments): try lowerLabel(assignments, at: instruction, to: &state)
        case .run(let run): try lower(run, step, to: &state)
        case .copy(let copy): try lower(copy, step, to: &state)
        case .add(let add): try lower(add, step, to: &state)
        case .workdir(let path): try lowerWorkdir(path, step, to: &state)
        case .user(let user):
            state.config.config.user = try expand(user, in: state, at: instruction)
            state.record("USER \(state.config.config.user)")
        case .expose(let words): try lowerExpose(words, at: instruction, to: &state)
        case .volume(let paths): try lowerVolume(paths, at: instruction, to: &state)
        case .stopsignal(let signal): try lowerStopSignal(signal, at: instruction, to: &state)
        case .cmd(let command): lowerCommand(command, at: instruction, to: &state)
        case .entrypoint(let command): lowerEntrypoint(command, at: instruction, to: &state)
        case .shell(let arguments):
            state.config.config.shell = arguments
            state.record("SHELL \(GoFormat.list(arguments))")
        case .healthcheck(let healthcheck): lower(healthcheck, at: instruction, to: &state)
        case .onbuild(let onbuild): state.config.config.onBuild.append(onbuild.trigger)
        case .maintainer(let author):
            state.config.author = author
            state.record("MAINTAINER \(author)")
        }
    }

    /// Resolves the variables, quotes and escapes of a word.
    mutating func expand(_ word: String, in state: StageState, at instruction: Instruction) throws -> String {
        let result = try expander.expand(word, environment: { state.environment[$0] })
        note(unmatched: result.unmatched, in: state, at: instruction)
        return result.text
    }

    /// Warns about variables that were used and are not set.
    mutating func note(unmatched: [String], in state: StageState, at instruction: Instruction) {
        linter.checkVariables(
            unmatched, environment: state.environment, declared: state.declaredArguments, at: instruction)
    }

    /// The name of a step for progress: the source text with its keyword in upper case and its variables resolved.
    /// Values that hold secrets show as stars.
    func label(
        _ step: Step, suffix: String = "", mode: WordExpander.Mode = .word, hiding secrets: [String] = [],
        in state: inout StageState
    ) -> String {
        var environment = state.environment
        for name in secrets { environment.set(name, to: "****") }
        let source = step.instruction.originalText + suffix
        let text = (try? expander.expand(source, mode: mode, environment: { environment[$0] }))?.text ?? source
        let keyword = text.prefix { $0 != " " }
        return state.label.next(
            (step.isTrigger ? "ONBUILD " : "") + keyword.uppercased() + text.dropFirst(keyword.count),
            environment: state.environment)
    }

    /// Runs a command line through the shell of the image.
    func arguments(of command: ShellOrExec, in state: StageState) -> [String] {
        switch command {
        case .exec(let arguments): arguments
        case .shell(let line): (state.config.config.shell ?? ["/bin/sh", "-c"]) + [line]
        }
    }
}
