import Diagnostics
package import DockerfileSyntax
import Frontend
import Linux
import Requests
package import SystemPackage
import Trees

/// The ignore file of a build, or that there is none.
package struct IgnoreFile: Sendable {
    /// Path of the file; `nil` if there is none, and then nothing is ignored.
    package let path: FilePath?
    package let rules: IgnoreRules
    /// Its size in bytes.
    package let size: Int

    /// Nothing is ignored.
    package static func none() throws -> IgnoreFile { try IgnoreFile(candidates: []) }

    /// Reads the ignore file beside the Dockerfile, else that of the context; `chosen` goes before both, and has to be
    /// there.
    ///
    /// Throws ``FrontendError`` `.syntax`, with the line, for a pattern that is none.
    package init(dockerfile: FilePath?, context: FilePath, chosen: FilePath? = nil) throws {
        if let chosen {
            try self.init(chosen: chosen)
            return
        }
        // Buildah's file goes first where the build is written for Buildah; Docker does not read it at all.
        let isForBuildah = dockerfile?.lastComponent?.string.hasPrefix("Containerfile") == true
        let suffixes = isForBuildah ? [".containerignore", ".dockerignore"] : [".dockerignore", ".containerignore"]
        let own = suffixes.compactMap { suffix in dockerfile.map { "\($0)\(suffix)" } }
        try self.init(
            candidates: own.map { (FilePath($0), $0) } + suffixes.map { (context.appending($0), $0) })
    }

    /// Reads the one file that counts.
    ///
    /// Throws ``ContextsError`` `.badContext` if it is not there, and ``FrontendError`` `.syntax` for a bad pattern.
    package init(chosen: FilePath) throws {
        try self.init(candidates: [(chosen, chosen.string)])
        guard path != nil else {
            throw ContextsError(.badContext, "the ignore file \(chosen) is not there", hint: "Check --ignorefile.")
        }
    }

    /// Reads the first file that is there; messages call it by its name.
    private init(candidates: [(path: FilePath, name: String)]) throws {
        for (path, name) in candidates {
            guard try LocalFiles.isFile(path) else { continue }
            let bytes = try OwnedDescriptor.open(path).readAll(limit: 16 << 20)
            do { rules = try IgnoreRules(parsing: bytes) } catch {
                throw FrontendError(error, file: name)
            }
            self.path = path
            size = bytes.count
            return
        }
        path = nil
        rules = try IgnoreRules(patterns: [])
        size = 0
    }
}
