import Diagnostics
package import Frontend
package import OCI

extension BuildRequest {
    /// Whether the result is an index: there are several platforms, or the build argument asks for it.
    package var makesIndex: Bool { platforms.count > 1 || (try? Self.multiPlatform(options)) == true }

    /// Takes the platforms over, each once.
    ///
    /// - Throws: ``RequestsError`` `.unsupported` for a platform that nobody has.
    package mutating func setPlatforms(_ platforms: [Platform]) throws {
        var seen: Set<Platform> = []
        self.platforms = platforms.filter { seen.insert($0).inserted }
        if let unknown = self.platforms.first(where: { !$0.isKnown }) {
            throw RequestsError(
                .unsupported, "there is no platform \(unknown)",
                hint: "Write it as os/arch[/variant], e.g. linux/arm64.")
        }
        options.platform = self.platforms.first ?? .host
        options.isPlatformExplicit = !self.platforms.isEmpty
    }

    /// Checks that the outputs take what the build makes for its platforms.
    ///
    /// - Throws: ``RequestsError`` in BuildKit's words.
    package func checkPlatforms() throws {
        if try Self.multiPlatform(options) == false, platforms.count > 1 {
            throw RequestsError(
                .unsupported, "conflicting config: returning multiple target platforms is not allowed",
                hint: "Build without BUILDKIT_MULTI_PLATFORM, or for one platform.")
        }
        guard makesIndex, outputs.contains(where: { if case .dockerArchive = $0 { true } else { false } }) else {
            return
        }
        throw RequestsError(
            .unsupported, "docker exporter does not currently support exporting manifest lists",
            hint: "Use --output type=oci, or build for one platform.")
    }

    /// The options of the build for each platform.
    package func platformOptions(_ options: BuildOptions) -> [BuildOptions] {
        (platforms.isEmpty ? [.host] : platforms).map { platform in
            var own = options
            own.platform = platform
            own.isPlatformExplicit = true
            own.labelsNamePlatforms = true
            return own
        }
    }

    /// The value of the build argument that decides for or against an index; `nil` where it is not given.
    private static func multiPlatform(_ options: BuildOptions) throws -> Bool? {
        let name = "BUILDKIT_MULTI_PLATFORM"
        guard let text = options.buildArguments.last(where: { $0.name == name })?.value, !text.isEmpty else {
            return nil
        }
        switch text {
        case "1", "t", "T", "true", "TRUE", "True": return true
        case "0", "f", "F", "false", "FALSE", "False": return false
        default:
            throw RequestsError(
                .unsupported, "'\(text)' is not a value for the build argument \(name)", hint: "Use true or false.")
        }
    }
}
