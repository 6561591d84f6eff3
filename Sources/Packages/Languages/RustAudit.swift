import Layers
import OCI

/// The crates that a program of Rust was built from, where cargo-auditable has noted them.
///
/// Source: cargo-auditable, PARSING.md.
enum RustAudit {
    private static let limit = 8 << 20
    private static let crateLimit = 20_000

    static func packages(in elf: ELFImage) -> [InstalledSoftware] {
        guard let section = elf.bytes(of: ".dep-v0"),
            let text = try? Inflater.inflate(section, format: .zlib, limit: limit),
            let crates = (try? JSON(parsing: text))?["packages"]?.array
        else { return [] }
        return crates.prefix(crateLimit).compactMap { crate in
            // A crate that only the build has used is not in the program.
            guard crate["kind"]?.string ?? "runtime" == "runtime" else { return nil }
            return InstalledSoftware(.cargo, name: crate["name"]?.string, version: crate["version"]?.string)
        }
    }
}
