package import OCI

/// A file that is fetched by HTTP: a tree that holds this one file.
package struct HTTPSource: Hashable, Sendable {
    /// `http` or `https`, as written; it may hold credentials.
    package var url: String
    /// The digest that the file must have. A known file with this digest is used without asking the server.
    package var checksum: Digest?
    /// The name the file gets; never empty and without a slash.
    package var fileName: String
    /// The twelve permission bits of the file.
    package var permissions: UInt32
    package var owner: UInt32
    package var group: UInt32

    package init(
        url: String, checksum: Digest? = nil, fileName: String, permissions: UInt32 = 0o600, owner: UInt32 = 0,
        group: UInt32 = 0
    ) {
        self.url = url
        self.checksum = checksum
        self.fileName = fileName
        self.permissions = permissions
        self.owner = owner
        self.group = group
    }
}

/// The files of one commit of a Git repository: a tree that holds them in the directory ``folder``.
package struct GitSource: Hashable, Sendable {
    /// Not the root, as a file system that is a layer says nothing about its root.
    package static let folder = "/files"

    /// The origin of the files' times.
    package enum Times: String, Hashable, Sendable {
        /// The time of the checkout.
        case checkout
        /// The time of the commit.
        case commit
    }

    /// A URL or `user@host:path`; it may hold credentials.
    package var remote: String

    /// Whether the repository is reached over SSH.
    package var isSSH: Bool { remote.hasPrefix("ssh://") || !remote.contains("://") }

    /// A branch, a tag, a full name such as `refs/heads/x`, or a commit; empty for the default branch.
    package var ref: String
    /// The directory to take, clean and without a slash in front; empty for all.
    package var subdirectory: String
    /// The beginning of the commit's name that is expected; empty when it does not matter.
    package var checksum: String
    package var keepsGitDirectory: Bool
    package var includesSubmodules: Bool
    package var times: Times
    /// Fetch the commit that ``checksum`` names, whatever the ref has become.
    package var fetchesByCommit: Bool

    package init(
        remote: String, ref: String = "", subdirectory: String = "", checksum: String = "",
        keepsGitDirectory: Bool = false, includesSubmodules: Bool = true, times: Times = .checkout,
        fetchesByCommit: Bool = false
    ) {
        self.remote = remote
        self.ref = ref
        self.subdirectory = subdirectory
        self.checksum = checksum
        self.keepsGitDirectory = keepsGitDirectory
        self.includesSubmodules = includesSubmodules
        self.times = times
        self.fetchesByCommit = fetchesByCommit
    }
}
