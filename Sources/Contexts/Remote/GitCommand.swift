import Diagnostics
import Linux
package import Solver
package import SystemPackage

/// Runs `git` so that nothing but its arguments matters: no configuration of the host or the user, no hooks, no
/// questions, no protocols that reach the host's own files or commands.
package struct GitCommand: Sendable {
    /// The working directory, which git also takes for the user's home.
    package let directory: FilePath
    /// The variables of this process's environment for reaching the network.
    package let environment: [String: String]
    package var program = "git"
    /// Whether a repository above its directory is none of its business, such as one that the store happens to lie in.
    package var staysInDirectory = true
    /// The server that a login is for, `https://host`, and the login as a value of `Authorization`.
    package var login: (origin: String, authorization: String)?
    /// How servers are reached over SSH; without it they are not.
    package var ssh: SSHAccess?

    package init(
        directory: FilePath, environment: [String: String], program: String = "git",
        login: (origin: String, authorization: String)? = nil, ssh: SSHAccess? = nil
    ) {
        self.directory = directory
        self.environment = environment
        self.program = program
        self.login = login
        self.ssh = ssh
    }

    /// A `git` that ended with an error.
    package struct Failed: Error {
        /// Its message, in one line.
        package let reason: String
    }

    private static let settings = [
        "core.hooksPath=/dev/null", "core.fsmonitor=false", "core.symlinks=true", "core.autocrlf=false",
        "core.askPass=", "credential.helper=", "advice.detachedHead=false", "gc.auto=0", "maintenance.auto=false",
        "init.defaultBranch=main", "submodule.recurse=false", "protocol.file.allow=never",
        "protocol.ext.allow=never",
        // A server that sends nothing for a minute is given up.
        "http.lowSpeedLimit=1", "http.lowSpeedTime=60",
    ]

    private var variables: [String] {
        let passed = [
            "PATH", "HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY",
            "no_proxy",
        ]
        let authorities = environment["SSL_CERT_FILE"].map { ["GIT_SSL_CAINFO=\($0)"] } ?? []
        // Not as an argument, which all users of the machine can see, and not in the URL, which is written to files.
        let login =
            login.map { login in
                [
                    "GIT_CONFIG_COUNT=2", "GIT_CONFIG_KEY_0=http.\(login.origin)/.extraHeader",
                    "GIT_CONFIG_VALUE_0=Authorization: \(login.authorization)",
                    // Git would take the login along to the server that it is sent to.
                    "GIT_CONFIG_KEY_1=http.\(login.origin)/.followRedirects", "GIT_CONFIG_VALUE_1=false",
                ]
            } ?? []
        // Git would tell from the program's name how to call it.
        let shell = ssh.map { ["GIT_SSH_COMMAND=\($0.command)", "GIT_SSH_VARIANT=ssh"] } ?? []
        let protocols = ["http", "https", "git"] + (ssh == nil ? [] : ["ssh"])
        let network = passed.compactMap { name in environment[name].map { "\(name)=\($0)" } } + authorities
        let ceiling = staysInDirectory ? ["GIT_CEILING_DIRECTORIES=\(directory.removingLastComponent())"] : []
        return network + login + shell + ceiling + [
            "HOME=\(directory)", "LC_ALL=C", "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null",
            "GIT_ATTR_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0", "GIT_ALLOW_PROTOCOL=\(protocols.joined(separator: ":"))",
        ]
    }

    /// Runs `git` in a directory below its own, and returns what it wrote.
    ///
    /// Throws ``Failed``, ``ContextsError`` `.git` when there is no `git`, or `CancellationError`.
    package func run(_ arguments: [String], in folder: FilePath = "", step: StepReporter? = nil) async throws -> String
    {
        let place = directory.pushing(folder)
        let all = ["-C", place.string] + Self.settings.flatMap { ["-c", $0] } + arguments
        let process = ChildProcess(program, all, environment: variables)
        let outcome = try await withTaskCancellationHandler {
            try await offload {
                do {
                    return try process.run { bytes in step?.output(.standardError, bytes) }
                } catch let error as LinuxError where error.code == .notFound {
                    throw ContextsError(
                        .git, "ADD from a Git repository needs the program 'git', which is not installed",
                        hint: "Install git, or add the files from the build context.", cause: error)
                }
            }
        } onCancel: {
            process.kill()
        }
        if process.isKilled { throw CancellationError() }
        let errors = String(decoding: outcome.errors, as: UTF8.self)
        guard outcome.status == 0 else { throw Failed(reason: Self.reason(errors, outcome.status)) }
        return String(decoding: outcome.output, as: UTF8.self)
    }

    /// The line that says what went wrong, without control characters: a server may have written it.
    private static func reason(_ errors: String, _ status: Int) -> String {
        let lines = errors.split(whereSeparator: \.isNewline).map { line in
            String(String.UnicodeScalarView(line.unicodeScalars.filter { $0.properties.generalCategory != .control }))
        }
        var line = lines.last { $0.hasPrefix("fatal: ") } ?? lines.last { $0.hasPrefix("error: ") } ?? lines.last
        // What SSH says of a refusal comes before what Git makes of it.
        if let said = lines.firstIndex(of: "fatal: Could not read from remote repository."), said > 0 {
            line = lines[said - 1]
        }
        guard let line else { return "exit code \(status)" }
        let isMarked = line.hasPrefix("fatal: ") || line.hasPrefix("error: ")
        return isMarked ? String(line.dropFirst(7)) : line
    }
}
