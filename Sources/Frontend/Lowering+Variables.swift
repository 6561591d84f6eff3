import DockerfileSyntax
import OCI

extension Lowering {
    /// ARG: a build argument, else the default, else the value outside the stage.
    mutating func lower(
        _ declarations: [ArgumentDeclaration], at instruction: Instruction, to state: inout StageState
    ) throws {
        var texts: [String] = []
        for declaration in declarations {
            let name = declaration.name
            linter.checkSecret(name: name, at: instruction)
            var value = options.buildArgument(name)
            if value == nil, let text = declaration.defaultValue {
                value = try expand(text, in: state, at: instruction)
            }
            value = value ?? globalValue(name)
            state.arguments.append((name, value))
            texts.append(value.map { "\(name)=\($0)" } ?? name)
            guard let value, !Self.switches.contains(name) else { continue }
            state.environment.set(name, to: value)
            try state.environment.checkSize()
        }
        state.record("ARG \(texts.joined(separator: " "))")
    }

    /// Arguments that switch the scanning for a bill of materials, and are not variables.
    private static let switches = ["BUILDKIT_SBOM_SCAN_CONTEXT", "BUILDKIT_SBOM_SCAN_STAGE"]

    mutating func lowerEnv(
        _ assignments: Assignments, at instruction: Instruction, to state: inout StageState
    ) throws {
        let pairs = try expand(assignments, in: state, at: instruction)
        linter.checkLegacyFormat(assignments, at: instruction)
        for (name, value) in pairs {
            linter.checkSecret(name: name, at: instruction)
            state.environment.set(name, to: value)
            state.configured.set(name, to: value)
        }
        try state.environment.checkSize()
        state.record((["ENV"] + pairs.map { "\($0.name)=\($0.value)" }).joined(separator: " "))
    }

    mutating func lowerLabel(
        _ assignments: Assignments, at instruction: Instruction, to state: inout StageState
    ) throws {
        let pairs = try expand(assignments, in: state, at: instruction)
        linter.checkLegacyFormat(assignments, at: instruction)
        for (name, value) in pairs { state.config.config.labels[name] = value }
        state.record((["LABEL"] + pairs.map { "\($0.name)=\($0.value)" }).joined(separator: " "))
    }

    /// All pairs see the variables as they were before the instruction.
    private mutating func expand(
        _ assignments: Assignments, in state: StageState, at instruction: Instruction
    ) throws -> [(name: String, value: String)] {
        try assignments.pairs.map { pair in
            (
                try expand(pair.key, in: state, at: instruction),
                try expand(pair.value, in: state, at: instruction)
            )
        }
    }
}
