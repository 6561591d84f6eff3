import ArgumentParser
import Console
import Diagnostics
import Images
import Logins
import Registry

/// The login for the one registry that a command reaches.
struct LoginOption: ParsableArguments {
    @Option(
        name: .customLong("creds"),
        help: ArgumentHelp(
            "The login for the registry; other users of this machine can see it.", valueName: "user:password"))
    var text: String?

    fileprivate func credential() throws -> Credential? { try text.map { try Self.credential($0, option: "--creds") } }

    /// The login that an option gives as `user:password`.
    static func credential(_ text: String, option: String) throws -> Credential {
        guard let colon = text.firstIndex(of: ":"), colon != text.startIndex else {
            throw LoginsError(
                .credentials, "\(option) takes a user name and a password", hint: "Write it as \(option) user:password."
            )
        }
        return .password(user: String(text[..<colon]), password: String(text[text.index(after: colon)...]))
    }
}

/// How registries are reached: options of every command that may speak to one.
struct RegistryOptions: ParsableArguments {
    @OptionGroup var trust: RegistryTrustOptions<EveryRegistry>

    @Option(
        name: .customLong("insecure-registry"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp("Reach a registry by HTTPS without proof, or by HTTP.", valueName: "host"))
    var insecureRegistries: [String] = []

    @Option(
        name: .customLong("allow-auth-realm"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp("Send logins to a token server of another domain as well.", valueName: "host"))
    var allowedRealms: [String] = []

    @Option(
        name: .customLong("registry-mirror"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "Read from a mirror first: of Docker Hub, or of the registry named.", valueName: "[registry=]url"))
    var mirrors: [String] = []

    @Option(
        name: .customLong("registry-certificate"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp("A file with the authorities of one registry.", valueName: "registry=file"))
    var certificates: [String] = []

    @Option(
        name: .customLong("registry-client-cert"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "The certificate of this client, and its key, for one registry.", valueName: "registry=cert,key"))
    var clientCertificates: [String] = []

    @Flag(
        name: .customLong("skip-default-registry-fallback"),
        help: "Read images of a registry with a --registry-mirror from there only.")
    var readsMirrorsOnly = false

    @Flag(help: "Ask nothing of the network: what is not in the store is said to be missing.")
    var offline = false

    @OptionGroup var retries: RetryOptions

    /// Shows what a command waits for.
    static let showNotice: @Sendable (String) -> Void = { tell($0) }

    /// The settings that the options and the environment make: the one place where they come together.
    func settings(_ login: LoginOption? = nil, for registry: String = "") throws -> RegistrySettings {
        var settings = RegistrySettings(environment: GlobalOptions.environment)
        trust.apply(to: &settings)
        settings.insecureRegistries = insecureRegistries
        settings.allowedRealms = allowedRealms
        if let credential = try login?.credential() { settings.login = (registry, credential) }
        settings.isOffline = offline
        settings.retries = retries.retry
        settings.retryDelay = retries.delay
        settings.mirrors = mirrors
        settings.readsMirrorsOnly = readsMirrorsOnly
        settings.certificates =
            try certificates.map { try CertificateFiles(authority: $0) }
            + clientCertificates.map { try CertificateFiles(client: $0) }
        return settings
    }
}
