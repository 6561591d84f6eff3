import ArgumentParser
import Console
import Diagnostics
import Glibc
import Images
import Logins
import Registry

struct LoginCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "login", abstract: "Log in to a registry.",
        discussion: """
            The login is tried, and kept by the credential helper that Docker's configuration names for the registry, \
            otherwise in the file itself. Without a server, the registry is Docker Hub.
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @OptionGroup(title: "Registry options") var registries: RegistryOptions

    @Option(name: .shortAndLong, help: ArgumentHelp("The user name.", valueName: "name"))
    var username: String?

    @Option(
        name: .shortAndLong, parsing: .unconditional,
        help: ArgumentHelp(
            "The password or access token; other users of this machine can see it.", valueName: "password"))
    var password: String?

    @Flag(name: .customLong("password-stdin"), help: "Take the password from the standard input.")
    var readsPassword = false

    @Flag(name: .customLong("get-login"), help: "Print the user of the login that is kept, and do nothing else.")
    var printsUser = false

    @Argument(help: ArgumentHelp("The registry: host, or host:port.", valueName: "server"))
    var server: String?

    func run() async throws {
        try await global.run {
            try checkOptions()
            let registry = try RegistryName.parsed(server ?? "")
            let settings = try registries.settings()
            let file = try LoginFile(environment: settings.environment, authFile: settings.authFile)
            if printsUser {
                guard let user = try file.user(of: registry) else {
                    throw LoginsError(
                        .credentials, "not logged in to \(registry)", hint: "Use 'lamina login \(registry)'.")
                }
                return lamina.say(user)
            }
            let access = RegistryAccess(settings)
            do {
                if try await !reusesLogin(of: registry, settings, access) {
                    let login = try await verified(try await credential(file.user(of: registry)), registry, access)
                    say(try file.store(login, for: registry))
                }
            } catch {
                try? await access.shutdown()
                throw error
            }
            try await access.shutdown()
            lamina.say("Login Succeeded")
        }
    }

    private func checkOptions() throws {
        if readsPassword, password != nil {
            throw LoginsError(.credentials, "--password and --password-stdin are mutually exclusive")
        }
        if readsPassword, username == nil {
            throw LoginsError(.credentials, "Must provide --username with --password-stdin")
        }
        if password != nil {
            tell("WARNING! Using --password via the CLI is insecure. Use --password-stdin.")
        }
    }

    /// Tries the login that there is already, unless another one is given; `false` if there is none or it is refused.
    private func reusesLogin(
        of registry: String, _ settings: RegistrySettings, _ access: RegistryAccess
    ) async throws -> Bool {
        guard username == nil, password == nil,
            let stored = try await settings.credentials.credential(for: registry, repository: "")
        else { return false }
        lamina.say("Authenticating with existing credentials...")
        do {
            _ = try await access.client.login(to: registry, with: stored)
            return true
        } catch let error as RegistryError where error.code == .unauthorised {
            tell("Login did not succeed, error: \(error.message)")
            return false
        }
    }

    private func credential(_ knownUser: String?) async throws -> (user: String, password: String) {
        if let username, readsPassword { return (username, try await standardInput()) }
        if let username, let password { return (username, password) }
        guard TerminalPrompt.isPossible else {
            throw LoginsError(
                .credentials, "Cannot perform an interactive login from a non TTY device",
                hint: "Use --username and --password-stdin.")
        }
        var user = username ?? ""
        if user.isEmpty {
            user = try await TerminalPrompt.ask("Username\(knownUser.map { " (\($0))" } ?? ""): ")
            if user.isEmpty { user = knownUser ?? "" }
        }
        guard !user.isEmpty else { throw LoginsError(.credentials, "username is required") }
        if let password { return (user, password) }
        let typed = try await TerminalPrompt.ask("Password: ", isHidden: true)
        guard !typed.isEmpty else { throw LoginsError(.credentials, "password is required") }
        return (user, typed)
    }

    /// The password on the standard input without the end of its line.
    private func standardInput() async throws -> String {
        var password = try await TerminalPrompt.readAll()
        if password.hasSuffix("\r\n") || password.hasSuffix("\n") { password.removeLast() }
        guard !password.isEmpty else {
            throw LoginsError(.credentials, "the standard input holds no password")
        }
        return password
    }

    private func verified(
        _ given: (user: String, password: String), _ registry: String, _ access: RegistryAccess
    ) async throws -> LoginFile.Login {
        let kept = try await access.client.login(
            to: registry, with: .password(user: given.user, password: given.password))
        return LoginFile.Login(user: given.user, kept)
    }

    private func say(_ place: LoginFile.Place) {
        guard case .file(let path) = place else { return }
        tell(
            """

            WARNING! Your credentials are stored unencrypted in '\(path)'.
            Configure a credential helper to remove this warning. See
            https://docs.docker.com/go/credential-store/

            """)
    }
}

struct LogoutCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "logout", abstract: "Forget the login of a registry.")

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Option(
        name: .customLong("authfile"), help: ArgumentHelp("The file of logins (REGISTRY_AUTH_FILE).", valueName: "file")
    )
    var authFile: String?

    @Flag(name: .shortAndLong, help: "Forget the logins of all registries.")
    var all = false

    @Argument(help: ArgumentHelp("The registry: host, or host:port; without one, Docker Hub.", valueName: "server"))
    var server: String?

    func validate() throws {
        if all, server != nil { throw ValidationError("--all takes no registry") }
    }

    func run() async throws {
        try await global.run {
            if all {
                let file = try LoginFile(environment: GlobalOptions.environment, authFile: authFile)
                let names = try file.eraseAll()
                for name in names { say("Removing login credentials for \(RegistryName.server(of: name))") }
                if names.isEmpty { say("Not logged in to any registry") }
                return
            }
            let registry = try RegistryName.parsed(server ?? "")
            let file = try LoginFile(environment: GlobalOptions.environment, authFile: authFile)
            let isErased = try file.erase(registry)
            let name = RegistryName.server(of: registry)
            say(isErased ? "Removing login credentials for \(name)" : "Not logged in to \(name)")
        }
    }
}
