import ArgumentParser
import Diagnostics
import Engine
import Frontend
import Linux
import Logins
import OCI
import Requests
import SystemPackage

/// The options that give values to a Dockerfile's variables.
struct ArgumentOptions: ParsableArguments {
    @Option(
        name: .customLong("build-arg"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp("Set a build argument; K alone takes the value from the environment.", valueName: "K[=V]"))
    var buildArguments: [String] = []

    @Option(
        name: .customLong("build-arg-file"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "Set the build arguments in a file, K=V a line; --build-arg goes before it.", valueName: "file"))
    var argumentFiles: [String] = []

    @Option(
        parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "The platforms of the image, e.g. linux/amd64,linux/arm64 (default: this machine's).", valueName: "p"))
    var platform: [String] = []

    @Option(name: .customLong("os"), help: ArgumentHelp("The operating system of --platform.", valueName: "name"))
    var system: String?

    @Option(
        name: .customLong("arch"), help: ArgumentHelp("The processor of --platform, e.g. arm64.", valueName: "name"))
    var architecture: String?

    @Option(help: ArgumentHelp("The variant of the processor, e.g. v7.", valueName: "name"))
    var variant: String?

    @Flag(name: .customLong("http-proxy"), help: "Give commands the proxies of this environment, such as HTTP_PROXY.")
    var passesProxies = false

    func validate() throws {
        guard !buildArguments.contains(where: { $0.hasPrefix("=") }) else {
            throw ValidationError("--build-arg needs a name before the equals sign")
        }
    }

    /// Whether a file with arguments can be read only once.
    var readsStreams: Bool { argumentFiles.contains(where: isStream) }

    /// The build arguments, of which the last of a name counts; reads their files.
    ///
    /// Without `takesEpoch` an epoch is a contradiction, and that of the environment does not count.
    func arguments(takesEpoch: Bool = true) throws -> [(name: String, value: String?)] {
        var arguments = try argumentFiles.flatMap { try ArgumentFile.read(FilePath($0)) }
        arguments += buildArguments.map { KeyValue.pair($0) }
        arguments = arguments.map { ($0.name, $0.value ?? GlobalOptions.environment[$0.name]) }
        // As with the option of Docker and Buildah, what is given for one build goes before what the machine has.
        let proxies = passesProxies ? Self.proxies.filter { GlobalOptions.environment[$0] != nil } : []
        guard takesEpoch || !arguments.contains(where: { $0.name == EpochSource.name && $0.value?.isEmpty == false })
        else { throw ValidationError("--timestamp and SOURCE_DATE_EPOCH contradict each other: give one of them") }
        for name in proxies + (takesEpoch ? [EpochSource.name] : [])
        where !arguments.contains(where: { $0.name == name }) {
            arguments.append((name, GlobalOptions.environment[name]))
        }
        arguments += ClientProxies.variables(environment: GlobalOptions.environment, given: arguments.map(\.name))
            .map { ($0.name, $0.value) }
        return arguments
    }

    /// The variables that RUN gets without their being part of its key.
    private static let proxies = ["http", "https", "ftp", "no", "all"].flatMap { scheme in
        ["\(scheme)_proxy", "\(scheme)_proxy".uppercased()]
    }

    /// The platforms of the options or of `DOCKER_DEFAULT_PLATFORM`; none for this machine's.
    func platforms() throws -> [Platform] {
        if system != nil || architecture != nil || variant != nil {
            guard platform.isEmpty else {
                throw ValidationError("--platform says it all: leave --os, --arch and --variant out")
            }
            let host = Platform.host
            // A variant is one of a processor.
            let ofHost = architecture == nil && !host.variant.isEmpty ? host.variant : nil
            let parts = [system ?? host.os, architecture ?? host.architecture, variant ?? ofHost].compactMap(\.self)
            return [try Platform(parsing: parts.joined(separator: "/"))]
        }
        let given = platform.isEmpty ? [GlobalOptions.environment["DOCKER_DEFAULT_PLATFORM"] ?? ""] : platform
        let names = given.flatMap { $0.split(separator: ",").map(String.init) }
        return try names.map { $0 == "local" ? Platform.host : try Platform(parsing: $0) }
    }
}

/// Whether the name is one of a pipe or a terminal, which can be read only once.
func isStream(_ name: String) -> Bool {
    guard let type = try? FileStatus(of: FilePath(name)).type else { return false }
    return type != .regular && type != .directory
}
