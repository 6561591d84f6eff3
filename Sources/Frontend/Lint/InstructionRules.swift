import DockerfileSyntax
import GoCompat

extension LintRule {
    static let jsonArgumentsRecommended = LintRule(
        "JSONArgsRecommended",
        "A shell around the program keeps signals, such as the one that stops a container, from it")
    static let multipleInstructions = LintRule(
        "MultipleInstructionsDisallowed",
        "Only the last instruction of its kind has an effect")
    static let workdirRelativePath = LintRule(
        "WorkdirRelativePath",
        "A relative directory starts where the base image happens to end")
    static let exposeProtocolCasing = LintRule(
        "ExposeProtoCasing", "Protocols are written in lower case")
    static let exposeInvalidFormat = LintRule(
        "ExposeInvalidFormat", "Addresses and host ports are chosen when a container starts, not in the image")
}

extension Linter {
    func checkForm(of command: ShellOrExec, hasOwnShell: Bool, at instruction: Instruction) {
        guard case .shell = command, !hasOwnShell else { return }
        let name = instruction.kind.name
        report(
            .jsonArgumentsRecommended,
            "JSON arguments recommended for \(name) to prevent unintended behavior related to OS signals",
            at: instruction)
    }

    /// `earlier` is the instruction of the same kind that has no effect.
    func checkRepetition(of earlier: Instruction?) {
        guard let earlier else { return }
        report(
            .multipleInstructions,
            "Multiple \(earlier.kind.name) instructions should not be used in the same stage "
                + "because only the last one will be used", at: earlier)
    }

    func checkFirstWorkdir(_ path: String, at instruction: Instruction) {
        guard !path.hasPrefix("/") else { return }
        report(
            .workdirRelativePath,
            "Relative workdir \"\(path)\" can have unexpected results if the base image changes", at: instruction)
    }

    func checkPort(_ word: String, at instruction: Instruction) {
        let parts = PortSpecification.parts(of: word)
        if !parts.address.isEmpty || !parts.hostPort.isEmpty {
            report(
                .exposeInvalidFormat,
                "EXPOSE instruction should not define an IP address or host-port mapping, found '\(word)'",
                at: instruction)
        }
        if parts.proto != parts.proto.lowercased() {
            report(
                .exposeProtocolCasing,
                "Defined protocol '\(word)' in EXPOSE instruction should be lowercase", at: instruction)
        }
    }
}
