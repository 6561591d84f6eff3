package import Diagnostics

/// The operating system and processor an image is for.
///
/// Source: OCI image-spec, image-index.md, "platform"; the aliases are those of containerd's platform names.
package struct Platform: Hashable, Sendable {
    package let os: String
    package let architecture: String
    /// E.g. `v7` for 32-bit ARM; empty where the architecture has one form only.
    package let variant: String

    package init(os: String, architecture: String, variant: String = "") {
        self.os = os.lowercased()
        (self.architecture, self.variant) = Self.normalise(architecture.lowercased(), variant.lowercased())
    }

    /// Parses `os/arch[/variant]`, or an os or architecture alone, completed from the machine's own platform.
    package init(parsing text: String) throws(PlatformError) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        let wellFormed = parts.allSatisfy { part in
            !part.isEmpty && part.utf8.allSatisfy { $0 < 0x80 && ($0.isAlphanumeric || "_-.()".utf8.contains($0)) }
        }
        guard wellFormed, (1...3).contains(parts.count) else {
            throw PlatformError(
                .malformed, "'\(text)' is not a platform", hint: "Write it as os/arch[/variant], e.g. linux/arm64.")
        }
        let os = parts[0].split(separator: "(").first.map(String.init) ?? parts[0]
        switch parts.count {
        case 1 where Self.systems.contains(os.lowercased()):
            self.init(os: os, architecture: Platform.host.architecture, variant: Platform.host.variant)
        case 1:
            self.init(os: Platform.host.os, architecture: parts[0])
            guard Self.architectures.contains(architecture) else {
                throw PlatformError(
                    .unknown, "'\(text)' is neither an operating system nor a processor",
                    hint: "Write it as os/arch[/variant], e.g. linux/arm64.")
            }
        default: self.init(os: os, architecture: parts[1], variant: parts.count == 3 ? parts[2] : "")
        }
    }

    /// The names that Go has for operating systems and processors, as containerd knows them: only these can stand alone.
    private static let systems: Set<String> = [
        "aix", "android", "darwin", "dragonfly", "freebsd", "hurd", "illumos", "ios", "js", "linux", "nacl", "netbsd",
        "openbsd", "plan9", "solaris", "wasi", "wasip1", "windows", "zos",
    ]
    private static let architectures: Set<String> = [
        "386", "amd64", "amd64p32", "arm", "armbe", "arm64", "arm64be", "loong64", "mips", "mipsle", "mips64",
        "mips64le", "mips64p32", "mips64p32le", "ppc", "ppc64", "ppc64le", "riscv", "riscv64", "s390", "s390x", "sparc",
        "sparc64", "wasm",
    ]

    /// Whether the operating system and the processor are ones that images are made for.
    package var isKnown: Bool { Self.systems.contains(os) && Self.architectures.contains(architecture) }

    private static func normalise(_ architecture: String, _ variant: String) -> (String, String) {
        switch (architecture, variant) {
        case ("x86_64", _), ("x86-64", _), ("amd64", _): ("amd64", variant == "v1" ? "" : variant)
        case ("aarch64", _), ("arm64", _): ("arm64", ["8", "v8", "v8.0"].contains(variant) ? "" : variant)
        case ("i386", _), ("i686", _), ("386", _): ("386", "")
        case ("armhf", _): ("arm", "v7")
        case ("armel", _): ("arm", "v6")
        case ("arm", ""), ("arm", "7"): ("arm", "v7")
        case ("arm", "5"), ("arm", "6"), ("arm", "8"): ("arm", "v\(variant)")
        default: (architecture, variant)
        }
    }

    /// The platform this program was built for.
    package static let host: Platform = {
        #if arch(x86_64)
        return Platform(os: "linux", architecture: "amd64")
        #elseif arch(arm64)
        return Platform(os: "linux", architecture: "arm64")
        #else
        #error("name this architecture as OCI images do")
        #endif
    }()
}

extension Platform: CustomStringConvertible {
    package var description: String { "\(os)/\(architecture)" + (variant.isEmpty ? "" : "/\(variant)") }
}

extension Platform {
    /// The `platform` object of a descriptor, keys in Go's order.
    package var json: JSON {
        .object(
            ("architecture", .string(architecture)), ("os", .string(os)),
            ("variant", variant.isEmpty ? nil : .string(variant)))
    }

    package init?(json: JSON?) {
        guard let os = json?["os"]?.string, let architecture = json?["architecture"]?.string else { return nil }
        self.init(os: os, architecture: architecture, variant: json?["variant"]?.string ?? "")
    }

    /// How well an image for `self` runs on `wanted`: 0 is exact, greater is worse, `nil` not at all.
    package func distance(from wanted: Platform) -> Int? {
        guard os == wanted.os else { return nil }
        if architecture == wanted.architecture {
            guard let own = level, let limit = wanted.level else { return variant == wanted.variant ? 0 : nil }
            return own <= limit ? limit - own : nil
        }
        switch (wanted.architecture, architecture) {
        case ("amd64", "386"): return 100
        case ("arm64", "arm"):
            let own = level ?? 7
            return own <= 8 ? 100 + (8 - own) : nil
        default: return nil
        }
    }

    private var level: Int? {
        if variant.isEmpty { return architecture == "arm64" ? 80 : 1 }
        let parts = variant.dropFirst().split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
        guard let major = parts[0].map(Int.init) else { return nil }
        guard architecture == "arm64" else { return parts.count == 1 ? major : nil }
        guard parts.count <= 2, let minor = parts.count == 2 ? parts[1].map(Int.init) : 0 else { return nil }
        return minor < 10 ? major * 10 + minor : nil
    }
}

/// Errors of platforms.
package enum PlatformCode: String, FailureCode {
    case malformed = "platform.malformed"
    case unknown = "platform.unknown"
}
package typealias PlatformError = Failure<PlatformCode>

extension UInt8 {
    /// An ASCII letter or digit.
    var isAlphanumeric: Bool {
        switch self {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
        default: false
        }
    }
}
