import Linux
import OCI

/// The time of day.
enum WallClock {
    static func now() -> Timestamp {
        let time = FileTime.now
        return Timestamp(seconds: time.seconds, nanoseconds: Int32(time.nanoseconds))
    }
}
