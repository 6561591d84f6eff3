/// The settings of registries that a user gives on the command line and in the environment.
package struct RegistrySettings: Sendable {
    /// Tells where credentials, certificates and proxies are.
    package var environment: [String: String]
    /// Registries to be reached without proof of their identity, or in plain HTTP: host, host and port, or a range of IPv4
    /// addresses.
    package var insecureRegistries: [String] = []
    /// `false` makes every registry an insecure one.
    package var verifiesTLS = true
    /// Token servers of other domains that may get the logins of registries.
    package var allowedRealms: [String] = []

    package init(environment: [String: String]) { self.environment = environment }

    /// The options of a client with these settings.
    package var clientOptions: RegistryClient.Options {
        var options = RegistryClient.Options()
        options.insecureRegistries = verifiesTLS ? insecureRegistries : ["*"]
        options.allowedRealms = allowedRealms
        return options
    }
}
