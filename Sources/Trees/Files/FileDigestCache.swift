import Diagnostics
package import Linux
import OCI
import Synchronization
package import SystemPackage

/// The state of a file when it was last read, so that an unchanged one need not be read again.
package struct FileFingerprint: Hashable, Sendable {
    package let device: UInt64
    package let inode: UInt64
    package let size: Int64
    package let modified: FileTime
    package let changed: FileTime

    package init(device: UInt64, inode: UInt64, size: Int64, modified: FileTime, changed: FileTime) {
        self.device = device
        self.inode = inode
        self.size = size
        self.modified = modified
        self.changed = changed
    }

    package init(_ status: FileStatus) {
        device = status.device
        inode = status.inode
        size = status.size
        modified = status.modified
        changed = status.changed
    }
}

extension FileTime {
    /// The moment so many milliseconds, less than a second, before this one.
    fileprivate func rewound(milliseconds: Int64) -> FileTime {
        let rest = nanoseconds - milliseconds * 1_000_000
        return rest < 0
            ? FileTime(seconds: seconds - 1, nanoseconds: rest + 1_000_000_000)
            : FileTime(seconds: seconds, nanoseconds: rest)
    }
}

/// The digests of a context's files, kept in one file from build to build.
///
/// A file is known by what `stat(2)` says of it, not by its path: a renamed file is not read again. One that changed
/// within the clock's resolution before it was read is not remembered, as a change right after the reading could leave
/// the same times.
package final class FileDigestCache: Sendable {
    private struct State {
        var records = FileDigestTable()
        /// By inode, the number of the record; of several devices the last one counts.
        var numbers: [UInt64: Int] = [:]
        /// Files that were read and have lost their record to a file of another device.
        var unremembered: Set<FileFingerprint> = []
        /// Whether this build has asked for a record or added it, by the number of the record.
        var isUsed: [Bool] = []
        var isChanged = false

        mutating func index() {
            numbers = Dictionary(minimumCapacity: records.count)
            for number in 0..<records.count { numbers[records.fingerprint(number).inode] = number }
            isUsed = [Bool](repeating: false, count: records.count)
        }

        /// Makes room for the record of a file, which is the next one.
        mutating func take(_ fingerprint: FileFingerprint) {
            // It was read, too, though there is room for one file with this number only.
            if let other = numbers[fingerprint.inode].map({ records.fingerprint($0) }),
                other.device != fingerprint.device
            {
                unremembered.insert(other)
            }
            numbers[fingerprint.inode] = records.count
            isUsed.append(true)
        }
    }

    private let path: FilePath?
    private let state: Mutex<State>

    /// Reads the cache of a context; one that is missing or damaged is empty. Without a directory it is never saved.
    package init(of context: FilePath, in directory: FilePath?) {
        path = directory?.appending(Digest(of: context.string).hex)
        var state = State(records: path.flatMap { try? FileDigestTable(reading: $0) } ?? FileDigestTable())
        state.index()
        self.state = Mutex(state)
    }

    /// The remembered digest and whether the file has extended attributes.
    package func lookup(_ fingerprint: FileFingerprint) -> (digest: [UInt8], hasAttributes: Bool)? {
        state.withLock { state in
            guard let number = state.numbers[fingerprint.inode], state.records.fingerprint(number) == fingerprint,
                !state.records.isTransient(number)
            else { return nil }
            state.isUsed[number] = true
            return (state.records.digest(number), state.records.hasAttributes(number))
        }
    }

    /// Whether this is what a file was like when this build, or one before, read it.
    package func knows(_ fingerprint: FileFingerprint) -> Bool {
        state.withLock { state in
            if let number = state.numbers[fingerprint.inode], state.records.fingerprint(number) == fingerprint {
                return true
            }
            return state.unremembered.contains(fingerprint)
        }
    }

    /// Notes that this build has seen what is in a file, without remembering it.
    package func noteRead(_ fingerprint: FileFingerprint) {
        state.withLock { state in
            if let number = state.numbers[fingerprint.inode], state.records.fingerprint(number) == fingerprint {
                return
            }
            state.take(fingerprint)
            state.records.append(transient: fingerprint)
        }
    }

    package func remember(_ fingerprint: FileFingerprint, digest: [UInt8], hasAttributes: Bool) {
        let now = FileTime.now
        // 20 ms is more than the coarsest tick of the kernel's file clock.
        guard fingerprint.changed < now.rewound(milliseconds: 20) else { return noteRead(fingerprint) }
        state.withLock { state in
            state.take(fingerprint)
            state.records.append(fingerprint, digest: digest, hasAttributes: hasAttributes)
            state.isChanged = true
        }
    }

    /// Writes what was learnt. A failure is no failure of the build: the next one reads the files again.
    package func save() {
        guard let path else { return }
        state.withLock { state in
            guard state.isChanged else { return }
            state.isChanged = false
            // What other builds of the context asked for stays, within measure; what was replaced goes.
            let keepsUnused = state.records.count < 4 * state.isUsed.count(where: \.self) + 10_000
            try? state.records.write(to: path) { number in
                (state.isUsed[number] || keepsUnused) && !state.records.isTransient(number)
                    && state.numbers[state.records.fingerprint(number).inode] == number
            }
        }
    }
}
