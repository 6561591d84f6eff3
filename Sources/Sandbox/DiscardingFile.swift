import Dispatch
import Glibc
import Linux
import SystemPackage

/// Keeps a plain file empty that stands for `/dev/null`: what is written to it is gone soon after. Until it is dropped.
final class DiscardingFile: Sendable {
    /// The state of the thread; it is freed when both are done with it.
    private final class Watch: Sendable {
        let file: OwnedDescriptor
        let events: OwnedDescriptor
        let stop: SharedDescriptor

        init(_ file: consuming OwnedDescriptor, _ events: consuming OwnedDescriptor, _ stop: SharedDescriptor) {
            self.file = file
            self.events = events
            self.stop = stop
        }
    }

    /// The thread sees the end of the pipe when this is gone.
    private let stop: SharedDescriptor

    /// Takes the file, open for writing. The corresponding system call is `inotify_add_watch(2)`.
    init(_ file: consuming OwnedDescriptor) throws {
        let number = try check("watch", "a file") { inotify_init1(Int32(IN_CLOEXEC)) }
        let events = OwnedDescriptor(FileDescriptor(rawValue: number))
        let path = "/proc/self/fd/\(file.number)"
        try check("watch", path) { unsafe inotify_add_watch(number, path, UInt32(IN_MODIFY)) }
        let pipe = try DescriptorPair()
        let watch = Watch(file, events, pipe.ours)
        stop = pipe.theirs
        DispatchQueue(label: "discard").async { Self.keepEmpty(watch) }
    }

    private static func keepEmpty(_ watch: Watch) {
        var polled = [watch.events.number, watch.stop.number].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = unsafe polled.withUnsafeMutableBufferPointer { unsafe poll($0.baseAddress, 2, -1) }
            guard count > 0 || Errno.current == .interrupted, polled[1].revents == 0 else { return }
            guard count > 0, (try? watch.events.read(into: &buffer)) != nil else { continue }
            // To empty it is a change as well, of which there is a message in its turn.
            if let size = try? watch.file.status().size, size > 0 { ftruncate(watch.file.number, 0) }
        }
    }
}
