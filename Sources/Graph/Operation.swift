package import OCI

/// The action of a step. Closed on purpose: the compiler names every place that must handle a new case.
package enum Operation: Hashable, Sendable {
    /// The empty file system.
    case scratch
    /// The file system of an image.
    case image(ImageSource)
    /// The files of a local directory, as far as its ignore file lets them be seen.
    case context(ContextSource)
    /// A file of the web.
    case http(HTTPSource)
    /// The files of a Git repository.
    case git(GitSource)
    /// A command; input 0 is its root, its mounts read the others.
    case run(RunOperation)
    /// Files copied onto input 0 from the other inputs.
    case copy(CopyOperation)
    /// A working directory made on input 0 if it is missing.
    case makeDirectory(MakeDirectoryOperation)
}

/// An image, resolved as far as to what it holds.
package struct ImageSource: Hashable, Sendable {
    package let reference: ImageReference
    package let platform: Platform
    /// The image's layers, bottom first: its identity for the cache, whatever name it came by.
    package let diffIDs: [DiffID]
    /// The digest of its config.
    package let imageID: Digest

    package init(reference: ImageReference, platform: Platform, diffIDs: [DiffID], imageID: Digest) {
        self.reference = reference
        self.platform = platform
        self.diffIDs = diffIDs
        self.imageID = imageID
    }
}

/// A directory given by the user under a name; the unnamed one is the build context.
package struct ContextSource: Hashable, Sendable {
    package let name: String

    package init(name: String) { self.name = name }

    /// The directory given as the argument of the build.
    package static let main = ContextSource(name: "context")
}

/// A command to run in input 0.
package struct RunOperation: Hashable, Sendable {
    package var arguments: [String]
    /// `NAME=value` in order. Part of the cache key.
    package var environment: [String]
    /// The names of the variables that ARG declared, as explanations call them. Not part of the cache key.
    package var argumentNames: [String] = []
    /// Added to the environment of the process, but not to the cache key: proxies.
    package var transientEnvironment: [String]
    /// `user[:group]` as written; resolved in the root's own `/etc/passwd` and `/etc/group`. Empty is root.
    package var user: String
    /// Absolute.
    package var workingDirectory: String
    package var network: NetworkMode
    package var security = SecurityMode.sandbox
    /// The devices that `--device` names, in the order of the instruction.
    package var devices: [DeviceRequest] = []
    /// The names that the user has added to `/etc/hosts`. Their addresses are no part of the build.
    package var hostNames: [String]
    /// The name of the machine that the command sees; `nil` is the usual one.
    package var hostname: String?
    /// Scripts that are visible below `/dev/pipes/` while the command runs.
    package var scripts: [InlineFile]
    /// In the order of the instruction.
    package var mounts: [RunMount]

    package init(
        arguments: [String], environment: [String], transientEnvironment: [String] = [], user: String = "",
        workingDirectory: String = "/", network: NetworkMode = .default, hostNames: [String] = [],
        scripts: [InlineFile] = [], mounts: [RunMount] = []
    ) {
        self.arguments = arguments
        self.environment = environment
        self.transientEnvironment = transientEnvironment
        self.user = user
        self.workingDirectory = workingDirectory
        self.network = network
        self.hostNames = hostNames
        self.scripts = scripts
        self.mounts = mounts
    }
}

/// The network a command sees.
package enum NetworkMode: String, Hashable, Sendable {
    /// The builder's own.
    case `default`
    /// Loopback only.
    case none
    /// The builder's own, asked for by name.
    case host
    /// One of its own that reaches the outside, but not this machine.
    case `private`
}

/// How far a command is kept from the machine.
package enum SecurityMode: String, Hashable, Sendable {
    case sandbox
    /// The builder's own privileges.
    case insecure
}

/// A device a command asks for.
package struct DeviceRequest: Hashable, Sendable {
    /// A path such as `/dev/fuse`.
    package let name: String
    /// Whether the step fails when there is no such device.
    package let isRequired: Bool

    package init(name: String, isRequired: Bool) {
        self.name = name
        self.isRequired = isRequired
    }
}

/// A file whose content stands in the Dockerfile.
package struct InlineFile: Hashable, Sendable {
    package let name: String
    /// As in the Dockerfile, which need not be UTF-8.
    package let content: [UInt8]

    package init(name: String, content: [UInt8]) {
        self.name = name
        self.content = content
    }

    package init(name: String, content: String) { self.init(name: name, content: Array(content.utf8)) }
}

/// Files copied onto input 0. One operation is one layer, however many sources it has.
package struct CopyOperation: Hashable, Sendable {
    /// In the order of the instruction.
    package var sources: [CopySource]
    /// Absolute, with the slash at the end if it was written with one; `.` and an empty word end in a slash too.
    package var destination: String
    /// `user[:group]` as written, resolved in input 0; `nil` keeps what the source says.
    package var owner: String?
    /// `nil` keeps the source's mode.
    package var mode: FileMode?
    /// Patterns of paths to leave out, relative to each source.
    package var excludes: [String]
    /// Keep the parent directories of each source (`COPY --parents`).
    package var keepsParents: Bool
    /// The treatment of a source that is a tar archive.
    package var archives: ArchiveHandling

    package init(
        sources: [CopySource], destination: String, owner: String? = nil, mode: FileMode? = nil,
        excludes: [String] = [], keepsParents: Bool = false, archives: ArchiveHandling = .copy
    ) {
        self.sources = sources
        self.destination = destination
        self.owner = owner
        self.mode = mode
        self.excludes = excludes
        self.keepsParents = keepsParents
        self.archives = archives
    }
}

/// One source of a copy.
package enum CopySource: Hashable, Sendable {
    /// A path or a wildcard in the files of the vertex's input with this index (1 or more).
    case path(String, input: Int)
    /// A file written in the Dockerfile.
    case inline(InlineFile)
}

/// Whether a copied file that is an archive is unpacked.
package enum ArchiveHandling: Hashable, Sendable {
    /// COPY: a file is a file.
    case copy
    /// ADD: a local tar archive is unpacked into the destination, one that was fetched is not.
    case unpack
    /// `ADD --unpack`: an archive is unpacked wherever it comes from.
    case unpackAll
}

/// The directory of a WORKDIR.
package struct MakeDirectoryOperation: Hashable, Sendable {
    /// Absolute and clean.
    package var path: String
    /// `user[:group]` that owns what has to be made; unknown names mean root.
    package var owner: String

    package init(path: String, owner: String) {
        self.path = path
        self.owner = owner
    }
}
