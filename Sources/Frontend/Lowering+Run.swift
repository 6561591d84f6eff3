import Diagnostics
import DockerfileSyntax
import Graph
import OCI

extension Lowering {
    mutating func lower(_ run: Run, _ step: Step, to state: inout StageState) throws {
        let mounts = try lowerMounts(run.mounts, at: step.instruction, in: state)
        let script = try Script(run)
        let arguments = arguments(of: script.command, in: state)
        let label = label(
            step, suffix: script.summary.map { " (\($0))" } ?? "", mode: .display, hiding: mounts.secretVariables,
            in: &state)
        var environment = state.environment
        if let socket = mounts.agentSocket, environment["SSH_AUTH_SOCK"] == nil {
            environment.set("SSH_AUTH_SOCK", to: socket)
        }
        var operation = RunOperation(
            arguments: arguments, environment: environment.list, transientEnvironment: proxies(for: state),
            user: state.config.config.user, workingDirectory: state.workingDirectory,
            network: run.network == .default ? options.network : NetworkMode(run.network),
            hostNames: options.hostNames, scripts: script.files, mounts: mounts.mounts)
        operation.hostname = options.sandboxHostname
        operation.security = run.security == .insecure ? .insecure : .sandbox
        operation.devices = run.devices.map { DeviceRequest(name: $0.name, isRequired: $0.isRequired) }
        operation.argumentNames = Set(state.declaredArguments).sorted()
        let vertex = graph.add(
            .run(operation), inputs: mounts.inputs, label: label, location: location(of: step.instruction),
            ignoresCache: state.ignoresCache, platform: state.platform)
        let words = Self.historyArguments(of: state) + arguments
        state.record("RUN \(words.joined(separator: " ")) # buildkit", layer: vertex)
    }

    /// The ARGs of the stage for a history entry: their number, and each name once with its present value.
    private static func historyArguments(of state: StageState) -> [String] {
        var values = Environment()
        for (name, value) in state.arguments { values.set(name, to: state.environment[name] ?? value ?? "") }
        return values.entries.isEmpty ? [] : ["|\(values.entries.count)"] + values.list
    }

    /// The proxies given as build arguments, unless the stage sets them itself.
    private func proxies(for state: StageState) -> [String] {
        proxies.filter { state.environment[$0.name] == nil }.map { "\($0.name)=\($0.value)" }
    }

    /// The proxies among the build arguments, under both their names.
    static func proxies(in options: BuildOptions) -> [(name: String, value: String)] {
        ["HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY"].flatMap { name in
            // Of several spellings the lower-case one counts: it sorts last.
            let spellings = Set(options.buildArguments.map(\.name).filter { $0.uppercased() == name })
            guard let value = spellings.sorted().reversed().lazy.compactMap(options.buildArgument).first,
                !value.isEmpty
            else { return [(name: String, value: String)]() }
            return [(name, value), (name.lowercased(), value)]
        }
    }
}

extension NetworkMode {
    fileprivate init(_ network: Run.Network) {
        self =
            switch network {
            case .default: .default
            case .none: .none
            case .host: .host
            }
    }
}

/// The command of a RUN, its here-documents resolved.
private struct Script {
    var command: ShellOrExec
    var files: [InlineFile] = []
    /// The beginning of the script for progress, where the command itself does not show it.
    var summary: String?

    init(_ run: Run) throws {
        command = run.command
        guard let first = run.heredocs.first, case .shell(let line) = run.command else { return }
        guard run.heredocs.count == 1, Self.isMarkerAlone(line) else {
            for heredoc in run.heredocs { try Self.requireText(heredoc) }
            // The shell reads its here-documents itself.
            command = .shell(line + run.heredocs.map { "\n\($0.body)\($0.name)" }.joined())
            return
        }
        summary = Self.summary(of: first.body)
        guard first.bytes.starts(with: "#!".utf8) else {
            try Self.requireText(first)
            command = .shell(first.content)
            return
        }
        // The script names its own interpreter, so it has to be a file.
        command = .shell("/dev/pipes/\(first.name)")
        files = [InlineFile(name: first.name, content: first.contentBytes)]
    }

    /// Throws if the document would change when it becomes an argument of the shell.
    private static func requireText(_ heredoc: Heredoc) throws {
        guard String(validating: heredoc.bytes, as: UTF8.self) == nil else { return }
        throw FrontendError(
            .syntax, "the here-document \(heredoc.name) of RUN is not valid UTF-8",
            hint: "Save the Dockerfile as UTF-8, or COPY the script from a file.")
    }

    /// Whether the command is one here-document and nothing else.
    private static func isMarkerAlone(_ line: String) -> Bool {
        let text = line.drop(while: \.isWhitespace)
        guard text.hasPrefix("<<") else { return false }
        let word = text.dropFirst(2)
        let words = try? WordExpander().words(
            String(word.hasPrefix("-") ? word.dropFirst() : word), environment: { _ in nil })
        return words?.words.count == 1 && !word.contains("<")
    }

    private static func summary(of body: String) -> String {
        let lines = body.trimmed.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        return lines[0] + (lines.count > 1 ? "..." : "")
    }
}
