import ArgumentParser
import Images
import Registry

/// How registries are reached: options of every command that may speak to one.
struct RegistryOptions: ParsableArguments {
    @Flag(
        name: .customLong("tls-verify"), inversion: .prefixedNo,
        help: "Demand HTTPS and a trusted certificate of every registry.")
    var verifiesTLS = true

    @Option(
        name: .customLong("insecure-registry"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp("Reach a registry by HTTPS without proof, or by HTTP.", valueName: "host"))
    var insecureRegistries: [String] = []

    @Option(
        name: .customLong("allow-auth-realm"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp("Send logins to a token server of another domain as well.", valueName: "host"))
    var allowedRealms: [String] = []

    /// The settings that the options and the environment make: the one place where they come together.
    func settings() -> RegistrySettings {
        var settings = RegistrySettings(environment: GlobalOptions.environment)
        settings.verifiesTLS = verifiesTLS
        settings.insecureRegistries = insecureRegistries
        settings.allowedRealms = allowedRealms
        return settings
    }
}
