import Diagnostics
import OCI

/// The name of a registry as users write it for a login.
package enum RegistryName {
    /// The server of Docker Hub in files and helpers.
    package static let hubServer = "https://index.docker.io/v1/"

    /// The registry that a user means: host and port without scheme and path; Docker Hub by any of its names.
    package static func normalised(_ text: String) -> String {
        var name = text[...]
        for scheme in ["https://", "http://"] where name.lowercased().hasPrefix(scheme) {
            name = name.dropFirst(scheme.count)
        }
        let host = name.prefix { $0 != "/" }
        return ["docker.io", "index.docker.io", "registry-1.docker.io", ""].contains(host) ? "docker.io" : String(host)
    }

    /// The registry that a user means; throws ``LoginsError`` `.malformedName` for what is no name of a server.
    package static func parsed(_ text: String) throws -> String {
        let name = normalised(text)
        // With a port it is a host by the grammar of image names, whatever it looks like.
        let hasPort = name.hasPrefix("[") ? name.contains("]:") : name.contains(":")
        guard (try? ImageReference(parsing: "\(hasPort ? name : name + ":443")/x")) != nil else {
            throw LoginsError(
                .malformedName, "'\(text.printable(limit: 200))' is no name of a registry",
                hint: "Write it as host or host:port.")
        }
        return name
    }

    /// The name that files and helpers keep a login under.
    package static func server(of registry: String) -> String { registry == "docker.io" ? hubServer : registry }
}
