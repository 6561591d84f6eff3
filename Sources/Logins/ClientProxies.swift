import OCI

/// The proxies of Docker's `config.json`, which its client gives to the commands of builds and to containers.
///
/// Source: https://docs.docker.com/engine/cli/proxy/.
package enum ClientProxies {
    private static let names = [
        ("httpProxy", "HTTP_PROXY"), ("httpsProxy", "HTTPS_PROXY"), ("noProxy", "NO_PROXY"),
        ("ftpProxy", "FTP_PROXY"), ("allProxy", "ALL_PROXY"),
    ]

    /// The variables, in upper and lower case, without those that are `given`.
    ///
    /// A file that is not there or cannot be read has none: the registry that needs its logins says what is wrong with it.
    package static func variables(
        environment: [String: String], given: some Sequence<String>
    ) -> [(name: String, value: String)] {
        guard let path = CredentialFiles.dockerFile(environment: environment),
            let file = try? CredentialFile.read(path)
        else { return [] }
        return variables(of: file.json, given: Set(given))
    }

    static func variables(of config: JSON, given: Set<String>) -> [(name: String, value: String)] {
        guard let proxies = config["proxies"]?["default"] else { return [] }
        return names.flatMap { key, name -> [(name: String, value: String)] in
            guard let value = proxies[key]?.string, !value.isEmpty else { return [] }
            return [name, name.lowercased()].filter { !given.contains($0) }.map { ($0, value) }
        }
    }
}
