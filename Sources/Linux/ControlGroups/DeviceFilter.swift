import CLinux
import Glibc
package import SystemPackage

/// A filter of a control group: its processes may make any device node, and open those of a list only.
///
/// The corresponding system call is `bpf(2)` with a program of type `BPF_PROG_TYPE_CGROUP_DEVICE`.
package struct DeviceFilter: Hashable, Sendable {
    /// The devices with one number, or all of a major number.
    package struct Rule: Hashable, Sendable {
        let isBlock: Bool
        let major: UInt32
        /// `nil` for all.
        let minor: UInt32?

        init(isBlock: Bool = false, _ major: UInt32, _ minor: UInt32?) {
            self.isBlock = isBlock
            self.major = major
            self.minor = minor
        }

        /// The device at a path of the host; `nil` where there is none.
        package init?(deviceAt path: FilePath) {
            guard let status = try? FileStatus(of: path) else { return nil }
            switch status.type {
            case .characterDevice: self.init(status.deviceMajor, status.deviceMinor)
            case .blockDevice: self.init(isBlock: true, status.deviceMajor, status.deviceMinor)
            default: return nil
            }
        }
    }

    package let rules: [Rule]

    /// null, zero, full, random, urandom, tty, ptmx, and the terminals of `devpts`, with which nothing of the machine can
    /// be reached; and those named.
    package init(adding rules: [Rule] = []) {
        self.rules =
            [3, 5, 7, 8, 9].map { Rule(1, $0) } + [Rule(5, 0), Rule(5, 2)] + (136...143).map { Rule($0, nil) } + rules
    }

    // MARK: Version 2

    /// Attaches the filter to a group of version 2, until that is removed. Throws `LinuxError`.
    package func attach(to group: FilePath) throws {
        let directory = try OwnedDescriptor.open(group, options: .directory)
        let program = program
        try check("filter the devices of", group) {
            unsafe program.withUnsafeBufferPointer {
                unsafe linux_attach_device_filter(directory.number, $0.baseAddress, UInt32($0.count))
            }
        }
    }

    /// An array of `struct bpf_insn` as it lies in memory of a little-endian machine. Its argument is a
    /// `struct bpf_cgroup_dev_ctx`: type and access in one number, major, minor.
    var program: [UInt64] {
        let (access, type, major, minor): (UInt64, UInt64, UInt64, UInt64) = (3, 2, 4, 5)
        func instruction(_ code: UInt64, _ target: UInt64, source: UInt64 = 0, skip: Int = 0, _ value: UInt32 = 0)
            -> UInt64
        {
            code | target << 8 | source << 12 | UInt64(UInt16(skip)) << 16 | UInt64(value) << 32
        }
        func load(_ target: UInt64, _ offset: Int) -> UInt64 { instruction(0x61, target, source: 1, skip: offset) }
        func skip(_ count: Int, unless target: UInt64, is value: UInt32) -> UInt64 {
            instruction(0x55, target, skip: count, value)
        }
        func end(_ isAllowed: Bool) -> [UInt64] { [instruction(0xb7, 0, isAllowed ? 1 : 0), instruction(0x95, 0)] }

        var program = [load(type, 0), instruction(0xbf, access, source: type), instruction(0x77, access, 16)]
        // 1 is to make a node, and nothing else.
        program += [skip(2, unless: access, is: 1)] + end(true)
        program += [instruction(0x57, type, 0xffff), load(major, 4), load(minor, 8)]
        for rule in rules {
            let rest = rule.minor.map { [skip(2, unless: minor, is: $0)] } ?? []
            program.append(skip(3 + rest.count, unless: type, is: rule.isBlock ? 1 : 2))
            program.append(skip(2 + rest.count, unless: major, is: rule.major))
            program += rest + end(true)
        }
        return program + end(false)
    }

    // MARK: Version 1

    /// The lines for `devices.allow` of a group of version 1 that was denied everything.
    var legacyLines: [String] {
        ["c *:* m", "b *:* m"]
            + rules.map { "\($0.isBlock ? "b" : "c") \($0.major):\($0.minor.map(String.init) ?? "*") rwm" }
    }

    func apply(toLegacy group: FilePath) throws {
        try Self.write("a", to: group.appending("devices.deny"))
        for line in legacyLines { try Self.write(line, to: group.appending("devices.allow")) }
    }

    private static func write(_ line: String, to file: FilePath) throws {
        try OwnedDescriptor.open(file, .writeOnly).write(Array(line.utf8).span)
    }
}
