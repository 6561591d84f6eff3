import ArgumentParser
import Engine
import Requests

/// The network of commands, for build and run.
struct NetworkOptions: ParsableArguments {
    @Option(
        name: [.long, .customLong("net")],
        help: ArgumentHelp("The network of commands: default, host, none or private.", valueName: "mode"))
    var network: String?

    @Option(
        name: .customLong("add-host"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp("Add a name to /etc/hosts; host-gateway is this machine.", valueName: "name=ip"))
    var addedHosts: [String] = []

    @Option(
        parsing: .unconditionalSingleValue,
        help: ArgumentHelp("Name servers in place of this machine's.", valueName: "ip"))
    var dns: [String] = []

    @Option(
        name: .customLong("dns-search"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp("Domains to look names up in, in place of this machine's; . for none.", valueName: "domain"))
    var dnsSearch: [String] = []

    @Option(
        name: .customLong("dns-option"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp("Options of the resolver, in place of this machine's.", valueName: "option"))
    var dnsOptions: [String] = []

    /// Throws `RequestsError` `.badNetwork`.
    func settings() throws -> NetworkSettings {
        try NetworkSettings(
            mode: network, hosts: addedHosts, nameServers: dns, searchDomains: dnsSearch, resolverOptions: dnsOptions)
    }
}
