import SystemPackage

/// The version of a kernel, as far as features depend on it.
package struct KernelVersion: Hashable, Comparable, Sendable {
    package let major: Int
    package let minor: Int

    package init(_ major: Int, _ minor: Int) {
        self.major = major
        self.minor = minor
    }

    /// Parses the beginning of a release, e.g. `6.1.0-18-amd64`; what follows the second number does not matter.
    package init?(parsing release: some StringProtocol) {
        let parts = release.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count >= 2, let major = Int(parts[0]), let minor = Int(parts[1].prefix { $0.isNumber }) else {
            return nil
        }
        self.init(major, minor)
    }

    /// The kernel this process runs on.
    package static let current: KernelVersion = {
        let release = (try? readText("/proc/sys/kernel/osrelease")) ?? ""
        return KernelVersion(parsing: release) ?? KernelVersion(0, 0)
    }()

    package static func < (lhs: KernelVersion, rhs: KernelVersion) -> Bool {
        (lhs.major, lhs.minor) < (rhs.major, rhs.minor)
    }
}

extension KernelVersion: CustomStringConvertible {
    package var description: String { "\(major).\(minor)" }
}
