/// A mount that a command sees besides its root. Targets are absolute and clean; cache IDs are unique in the store.
package enum RunMount: Hashable, Sendable {
    case bind(BindMount)
    case cache(CacheMount)
    case tmpfs(TemporaryMount)
    case secret(SecretMount)
    case ssh(SSHMount)
}

/// Files of another input of the vertex. What the command writes to them is lost.
package struct BindMount: Hashable, Sendable {
    package let target: String
    /// The index of the vertex's input (1 or more) that has the files.
    package let input: Int
    /// The file or directory in the input, absolute and clean.
    package let source: String
    package let isReadOnly: Bool

    package init(target: String, input: Int, source: String, isReadOnly: Bool) {
        self.target = target
        self.input = input
        self.source = source
        self.isReadOnly = isReadOnly
    }
}

/// A directory that outlives the build.
package struct CacheMount: Hashable, Sendable {
    package enum Sharing: String, Hashable, Sendable, CaseIterable {
        /// Any number of commands use it at once.
        case shared
        /// A command that finds it in use gets another directory.
        case `private`
        /// A command that finds it in use waits.
        case locked
    }

    package let target: String
    /// `<namespace>/<id>`, the namespace mostly empty.
    package let id: String
    package let sharing: Sharing
    package let isReadOnly: Bool
    /// The mounted path of the source, absolute and clean; `/` is all of it.
    package let source: String
    /// The index of the vertex's input (1 or more) whose files a new directory starts with.
    package let seed: Int?
    /// How a new directory that starts empty is made; `nil` where the instruction says nothing of it.
    package let attributes: Attributes?

    package struct Attributes: Hashable, Sendable {
        package let mode: UInt32
        package let uid: UInt32
        package let gid: UInt32

        package init(mode: UInt32, uid: UInt32, gid: UInt32) {
            self.mode = mode
            self.uid = uid
            self.gid = gid
        }
    }

    package init(
        target: String, id: String, sharing: Sharing, isReadOnly: Bool, source: String = "/", seed: Int? = nil,
        attributes: Attributes? = nil
    ) {
        self.target = target
        self.id = id
        self.sharing = sharing
        self.isReadOnly = isReadOnly
        self.source = source
        self.seed = seed
        self.attributes = attributes
    }
}

/// An empty directory in memory.
package struct TemporaryMount: Hashable, Sendable {
    package let target: String
    /// In bytes; `nil` for the kernel's default.
    package let size: UInt64?
    package let isReadOnly: Bool

    package init(target: String, size: UInt64?, isReadOnly: Bool) {
        self.target = target
        self.size = size
        self.isReadOnly = isReadOnly
    }
}

/// A value of the user's that must be in no layer, no log and no cache key.
package struct SecretMount: Hashable, Sendable {
    package let id: String
    /// The path of the file; `nil` for a variable alone.
    package let target: String?
    /// The variable that holds the value.
    package let variable: String?
    package let isRequired: Bool
    package let mode: UInt32
    package let uid: UInt32
    package let gid: UInt32

    package init(
        id: String, target: String?, variable: String? = nil, isRequired: Bool = false, mode: UInt32 = 0o400,
        uid: UInt32 = 0, gid: UInt32 = 0
    ) {
        self.id = id
        self.target = target
        self.variable = variable
        self.isRequired = isRequired
        self.mode = mode
        self.uid = uid
        self.gid = gid
    }
}

/// The socket of the user's SSH agent.
package struct SSHMount: Hashable, Sendable {
    /// Empty for the default agent.
    package let id: String
    package let target: String
    package let isRequired: Bool
    package let mode: UInt32
    package let uid: UInt32
    package let gid: UInt32

    package init(
        id: String, target: String, isRequired: Bool = false, mode: UInt32 = 0o600, uid: UInt32 = 0, gid: UInt32 = 0
    ) {
        self.id = id
        self.target = target
        self.isRequired = isRequired
        self.mode = mode
        self.uid = uid
        self.gid = gid
    }
}
