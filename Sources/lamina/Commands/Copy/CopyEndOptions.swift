import ArgumentParser
import Diagnostics
import Images
import Logins
import OCI
import Registry
import Transports

/// The registries that options are for: those of the whole command, or that at one end of a copy.
protocol RegistryEnd: Sendable {
    /// The beginning of the options' names.
    static var prefix: String { get }
    /// The words for the registries, in help.
    static var words: String { get }
}

enum EveryRegistry: RegistryEnd {
    static let prefix = ""
    static let words = "every registry"
}

enum SourceEnd: RegistryEnd {
    static let prefix = "src-"
    static let words = "the source"
}

enum DestinationEnd: RegistryEnd {
    static let prefix = "dest-"
    static let words = "the destination"
}

/// Certificates and logins, for all registries or for one end.
struct RegistryTrustOptions<End: RegistryEnd>: ParsableArguments {
    @Flag(
        name: .customLong("\(End.prefix)tls-verify"), inversion: .prefixedNo,
        help: "Demand HTTPS and a trusted certificate of \(End.words).")
    var verifiesTLS = true

    @Option(
        name: .customLong("\(End.prefix)cert-dir"),
        help: ArgumentHelp(
            "Certificates for \(End.words): *.crt of authorities, NAME.cert and NAME.key of this client.",
            valueName: "dir"))
    var certificateDirectory: String?

    @Option(
        name: .customLong("\(End.prefix)authfile"),
        help: ArgumentHelp("The file of logins for \(End.words), in place of Docker's and Podman's.", valueName: "file")
    )
    var authFile: String?

    /// Puts what is given in the place of what the settings have.
    func apply(to settings: inout RegistrySettings) {
        settings.authFile = authFile ?? settings.authFile
        settings.certificateDirectory = certificateDirectory ?? settings.certificateDirectory
        settings.verifiesTLS = settings.verifiesTLS && verifiesTLS
    }
}

/// How the registry at one end of a copy is reached, where it differs from the other.
struct CopyEndOptions<End: RegistryEnd>: ParsableArguments {
    @OptionGroup var trust: RegistryTrustOptions<End>

    @Option(
        name: .customLong("\(End.prefix)creds"),
        help: ArgumentHelp("The login for \(End.words); other users can see it.", valueName: "user:password"))
    var login: String?

    @Option(
        name: .customLong("\(End.prefix)registry-token"),
        help: ArgumentHelp("An access token for \(End.words); other users can see it.", valueName: "token"))
    var token: String?

    @Flag(name: .customLong("\(End.prefix)no-creds"), help: "Ask \(End.words) without a login.")
    var isAnonymous = false

    func validate() throws {
        let given = [
            login.map { _ in "creds" }, token.map { _ in "registry-token" }, isAnonymous ? "no-creds" : nil,
        ].compactMap(\.self)
        guard given.count < 2 else {
            throw ValidationError("--\(End.prefix)\(given[0]) and --\(End.prefix)\(given[1]) contradict each other")
        }
    }

    /// The access of this end, with the options of the whole command where the end has none of its own.
    func access(_ location: ImageLocation, _ registries: RegistryOptions) throws -> RegistryAccess {
        var host: String?
        if case .registry(let reference) = location { host = reference.registry }
        return RegistryAccess(try settings(host, named: "\(location)", registries))
    }

    /// The settings of this end; `host` is its registry, `nil` for a place that is in none and named so.
    func settings(_ host: String?, named place: String, _ registries: RegistryOptions) throws -> RegistrySettings {
        var settings = try registries.settings()
        if let credential = try credential() {
            guard let host else {
                throw TransportsError(
                    .badName,
                    "--\(End.prefix)\(login == nil ? "registry-token" : "creds") is for an image in a registry, and "
                        + "'\(place)' is in none",
                    hint: "Leave it out.")
            }
            settings.login = (host, credential)
        }
        settings.isAnonymous = isAnonymous
        trust.apply(to: &settings)
        return settings
    }

    private func credential() throws -> Credential? {
        if let token { return .registryToken(token) }
        return try login.map { try LoginOption.credential($0, option: "--\(End.prefix)creds") }
    }
}
