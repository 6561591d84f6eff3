import Diagnostics
import DockerfileSyntax
import GoCompat

/// The build arguments that mean something to the builder itself, as BuildKit documents them.
///
/// Each is honoured where it belongs or refused here: one that had no effect would be a build other than the one that
/// was asked for.
enum BuiltInArguments {
    /// Throws ``FrontendError`` for an argument that asks for what Lamina cannot do.
    static func check(_ options: BuildOptions) throws {
        if let hostname = options.sandboxHostname { try check(hostname: hostname) }
        for name in ["BUILDKIT_ATTEST_SBOM", "BUILDKIT_ATTEST_PROVENANCE"] {
            guard let value = options.buildArgument(name), isOn(value) else { continue }
            throw unsupported(name, "Lamina does not make attestations")
        }
        if options.buildArgument("BUILDKIT_DISABLE_FILEOP") != nil {
            throw unsupported("BUILDKIT_DISABLE_FILEOP", "BuildKit does not have it any more either")
        }
    }

    /// Whether a value, also one with attributes, switches something on.
    private static func isOn(_ value: String) -> Bool {
        !["0", "f", "F", "false", "FALSE", "False", "disabled=true"].contains(value)
    }

    private static func unsupported(_ name: String, _ reason: String) -> FrontendError {
        FrontendError(
            .unsupported, "the build argument \(name) is not supported: \(reason)",
            hint: "Build without --build-arg \(name).")
    }

    /// The kernel takes 64 bytes, and the name becomes a word of `/etc/hosts`.
    private static func check(hostname: String) throws {
        let isName = hostname.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"): true
            default: false
            }
        }
        guard isName, hostname.utf8.count <= 64 else {
            throw FrontendError(
                .invalid, "\(GoFormat.quoted(hostname)) cannot be the name of a machine",
                hint: "Use up to 64 letters, digits, dots and hyphens.")
        }
    }
}

extension BuildOptions {
    /// The name of the machine that commands see: that of the build argument, else of the option; `nil` for the usual.
    package var sandboxHostname: String? {
        let name = buildArgument("BUILDKIT_SANDBOX_HOSTNAME").flatMap { $0.isEmpty ? nil : $0 } ?? hostname ?? ""
        return name.isEmpty ? nil : name
    }
}
