import Glibc
import SystemPackage

/// An image to run the program under test in: almost only directories onto which those of this machine are mounted.
enum Box {
    static let name = "docker.io/library/box:latest"

    /// The archive that podman and docker load.
    static let archive = Result { () throws -> FilePath in
        let scratch = try Scratch.shared.get().appending("box")
        let lamina = Lamina(root: scratch.appending("store"))
        try expectSuccess("mkdir", "-p", scratch.appending("context").string)
        try expectSuccess(
            "sh", "-ec", "printf 'FROM lamina/base\\nRUN mkdir -p %s /src\\n' \"$*\" > \"$0/context/Dockerfile\"",
            scratch.string, mounted.joined(separator: " "))
        try lamina.build(scratch.appending("context"), "-t", "box")
        let archive = scratch.appending("box.tar")
        try lamina.succeeding("save", "-o", archive.string, "box")
        return archive
    }

    /// Where the libraries are that the program needs, if it is not a static one.
    private static let mounted = ["/usr", "/lib", "/lib64", "/opt"].filter { (path: String) in
        unsafe access(path, F_OK) == 0
    }

    /// The options of `run`: the program is /src/lamina, the context /context, the store /store.
    ///
    /// `directory` has the program, if not the one that it was built in.
    static func options(context: FilePath, program directory: FilePath? = nil) throws -> [String] {
        guard let binary = Lamina.binary else {
            throw CommandFailure(description: "there is no lamina: build it, or name it in LAMINA_BINARY")
        }
        let source = directory ?? binary.removingLastComponent()
        let volumes = mounted.map { "\($0):\($0):ro" } + ["\(source):/src:ro", "\(context):/context:ro"]
        return volumes.flatMap { ["-v", $0] } + ["-e", "LAMINA_ROOT=/store", "-e", "SOURCE_DATE_EPOCH=1000000000"]
    }
}
