import Diagnostics
package import SystemPackage

/// Looks now and then whether what is written still fits on its file system, so that it fails before the disk is full
/// and not because it is.
package struct SpaceGuard: Sendable {
    /// So many bytes are written between two looks, which cost a system call each.
    private static let interval: Int64 = 16 << 20

    private var allowance = interval

    package init() {}

    /// To be called before `count` bytes are written to a file.
    ///
    /// - Throws: `LinuxError` `.noSpace` when they do not fit, with a reserve kept.
    package mutating func spend(_ count: Int64, on file: FileDescriptor) throws {
        guard count > allowance else { return allowance -= count }
        let usable = try Self.require(count, on: file)
        allowance = min(Self.interval, usable - count)
    }

    /// Makes sure that there is room for so many bytes.
    ///
    /// - Returns: what may be written, in bytes.
    /// - Throws: `LinuxError` `.noSpace` when they do not fit, with a reserve kept.
    @discardableResult
    package static func require(_ count: Int64, on file: FileDescriptor) throws -> Int64 {
        let space = try FileSystemSpace(of: file)
        guard count <= space.usable else {
            throw LinuxError(
                .noSpace,
                "there is too little space: \(mebibytes(count)) are to be written, and \(mebibytes(space.available)) "
                    + "are left on the file system",
                hint: "Free some space there and try again.")
        }
        return space.usable
    }

    private static func mebibytes(_ count: Int64) -> String { "\(max(1, count >> 20)) MiB" }
}
