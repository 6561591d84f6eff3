import ArgumentParser
import Diagnostics
import Images
import OCI
import Registry
import Transports

/// How the registries at the two ends of a copy are reached, where they differ.
struct CopySideOptions: ParsableArguments {
    @Option(
        name: .customLong("src-creds"),
        help: ArgumentHelp("The login for the source; other users can see it.", valueName: "user:password"))
    var sourceLogin: String?

    @Option(
        name: .customLong("dest-creds"),
        help: ArgumentHelp("The login for the destination; other users can see it.", valueName: "user:password"))
    var destinationLogin: String?

    @Option(
        name: .customLong("src-authfile"), help: ArgumentHelp("The file of logins for the source.", valueName: "file"))
    var sourceAuthFile: String?

    @Option(
        name: .customLong("dest-authfile"),
        help: ArgumentHelp("The file of logins for the destination.", valueName: "file"))
    var destinationAuthFile: String?

    @Option(
        name: .customLong("src-cert-dir"), help: ArgumentHelp("Certificates for the source.", valueName: "dir"))
    var sourceCertificates: String?

    @Option(
        name: .customLong("dest-cert-dir"), help: ArgumentHelp("Certificates for the destination.", valueName: "dir"))
    var destinationCertificates: String?

    @Flag(
        name: .customLong("src-tls-verify"), inversion: .prefixedNo,
        help: "Demand HTTPS and a trusted certificate of the source.")
    var verifiesSource = true

    @Flag(
        name: .customLong("dest-tls-verify"), inversion: .prefixedNo,
        help: "Demand HTTPS and a trusted certificate of the destination.")
    var verifiesDestination = true

    /// The access of one end, with the options of the whole command where the end has none of its own.
    func source(_ location: ImageLocation, _ registries: RegistryOptions) throws -> RegistryAccess {
        try access(location, registries, sourceLogin, "--src-creds", sourceAuthFile, sourceCertificates, verifiesSource)
    }

    func destination(_ location: ImageLocation, _ registries: RegistryOptions) throws -> RegistryAccess {
        try access(
            location, registries, destinationLogin, "--dest-creds", destinationAuthFile, destinationCertificates,
            verifiesDestination)
    }

    private func access(
        _ location: ImageLocation, _ registries: RegistryOptions, _ login: String?, _ option: String,
        _ authFile: String?, _ certificates: String?, _ verifiesTLS: Bool
    ) throws -> RegistryAccess {
        var settings = try registries.settings()
        if let login {
            guard case .registry(let reference) = location else {
                throw TransportsError(
                    .badName, "\(option) is for an image in a registry, and '\(location)' is in none",
                    hint: "Leave it out.")
            }
            settings.login = (reference.registry, try LoginOption.credential(login, option: option))
        }
        settings.authFile = authFile ?? settings.authFile
        settings.certificateDirectory = certificates ?? settings.certificateDirectory
        settings.verifiesTLS = settings.verifiesTLS && verifiesTLS
        return RegistryAccess(settings)
    }
}
