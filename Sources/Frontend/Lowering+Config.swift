import Diagnostics
import DockerfileSyntax
import GoCompat
import OCI

extension Lowering {
    mutating func lowerExpose(_ words: [String], at instruction: Instruction, to state: inout StageState) throws {
        var ports: [String] = []
        let environment = state.environment
        let sorted = words.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        // Unset variables are not reported here, as BuildKit does not.
        let expanded = try sorted.flatMap { try expander.words($0, environment: { environment[$0] }).words }
        for word in expanded {
            linter.checkPort(word, at: instruction)
            do throws(PortError) { ports += try PortSpecification(parsing: word).ports } catch {
                throw FrontendError(.invalid, error.message)
            }
        }
        for port in ports where !state.config.config.exposedPorts.contains(port) {
            state.config.config.exposedPorts.append(port)
        }
        state.record("EXPOSE \(GoFormat.list(ports))")
    }

    mutating func lowerVolume(_ paths: [String], at instruction: Instruction, to state: inout StageState) throws {
        let volumes = try paths.map { try expand($0, in: state, at: instruction) }
        guard !volumes.contains("") else {
            throw FrontendError(.invalid, "VOLUME specified can not be an empty string")
        }
        for volume in volumes where !state.config.config.volumes.contains(volume) {
            state.config.config.volumes.append(volume)
        }
        state.record("VOLUME \(GoFormat.list(volumes))")
    }

    mutating func lowerStopSignal(_ text: String, at instruction: Instruction, to state: inout StageState) throws {
        let signal = try expand(text, in: state, at: instruction)
        guard Signal.isValid(signal) else {
            throw FrontendError(
                .invalid, "invalid signal: \(signal)", hint: "Give a signal's number, or its name as in SIGTERM.")
        }
        state.config.config.stopSignal = signal
        state.record("STOPSIGNAL \(signal)")
    }

    mutating func lowerCommand(_ command: ShellOrExec, at instruction: Instruction, to state: inout StageState) {
        linter.checkRepetition(of: state.lastCommand)
        linter.checkForm(of: command, hasOwnShell: !(state.config.config.shell ?? []).isEmpty, at: instruction)
        state.lastCommand = instruction
        let arguments = arguments(of: command, in: state)
        state.config.config.command = arguments
        state.config.config.argumentsEscaped = true
        state.record("CMD \(GoFormat.quotedList(arguments))")
    }

    /// ENTRYPOINT also drops the CMD of the base, which was meant for the entrypoint of the base.
    mutating func lowerEntrypoint(_ command: ShellOrExec, at instruction: Instruction, to state: inout StageState) {
        linter.checkRepetition(of: state.lastEntrypoint)
        linter.checkForm(of: command, hasOwnShell: !(state.config.config.shell ?? []).isEmpty, at: instruction)
        state.lastEntrypoint = instruction
        let arguments = arguments(of: command, in: state)
        state.config.config.entrypoint = arguments
        if state.lastCommand == nil { state.config.config.command = nil }
        state.record("ENTRYPOINT \(GoFormat.quotedList(arguments))")
    }

    mutating func lower(
        _ healthcheck: DockerfileSyntax.Healthcheck, at instruction: Instruction, to state: inout StageState
    ) {
        linter.checkRepetition(of: state.lastHealthcheck)
        state.lastHealthcheck = instruction
        let test: [String] =
            switch healthcheck.test {
            case .none: ["NONE"]
            case .command(.shell(let line)): ["CMD-SHELL", line]
            case .command(.exec(let arguments)): ["CMD"] + arguments
            }
        state.config.config.healthcheck = OCI.Healthcheck(
            test: test, interval: healthcheck.interval, timeout: healthcheck.timeout,
            startPeriod: healthcheck.startPeriod, startInterval: healthcheck.startInterval,
            retries: Int64(healthcheck.retries))
        let fields = [
            "Test:\(GoFormat.list(test))",
            "Interval:\(GoFormat.duration(healthcheck.interval))",
            "Timeout:\(GoFormat.duration(healthcheck.timeout))",
            "StartPeriod:\(GoFormat.duration(healthcheck.startPeriod))",
            "StartInterval:\(GoFormat.duration(healthcheck.startInterval))",
            "Retries:\(healthcheck.retries)",
        ]
        state.record("HEALTHCHECK {\(fields.joined(separator: " "))}")
    }
}
