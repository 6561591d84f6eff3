package import Linux
package import OCI

extension Timestamp {
    /// The clock of the system.
    package static var now: Timestamp { Timestamp(FileTime.now) }

    package var fileTime: FileTime { FileTime(seconds: seconds, nanoseconds: Int64(nanoseconds)) }
}
