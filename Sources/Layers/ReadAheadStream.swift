import Dispatch
import Synchronization

/// Reads a source on a thread of its own, a few buffers ahead, so that decompressing and hashing go on while the
/// entries are unpacked.
final class ReadAheadStream: ByteStream {
    private let state: ReadAheadState
    private var isAtEnd = false

    /// Takes the source over: it may be used again when ``read(into:)`` has returned 0 or thrown.
    init(_ source: any ByteStream) {
        state = ReadAheadState(source)
        let state = state
        DispatchQueue(label: "read-ahead").async { state.run() }
    }

    deinit { state.stop() }

    func read(into buffer: inout [UInt8]) throws -> Int {
        if isAtEnd { return 0 }
        // Unless there were bytes, the other thread has ended and nothing follows.
        isAtEnd = true
        let count = try state.take(&buffer)
        isAtEnd = count == 0
        return count
    }
}

/// Unchecked: the source belongs to the thread that runs ``run()`` until the last buffer is filled. A buffer belongs to
/// that thread from a signal of `free` to one of `filled`, and to the reader from then to the next signal of `free`.
private final class ReadAheadState: @unchecked Sendable {
    private static let count = 4
    private static let size = 512 << 10

    private let source: any ByteStream
    private var buffers = [ReadAheadBuffer]()
    /// Begins with 0, since a semaphore may not be dropped below the value that it began with.
    private let free = DispatchSemaphore(value: 0)
    private let filled = DispatchSemaphore(value: 0)
    private let isStopped = Atomic(false)
    private var next = 0

    init(_ source: any ByteStream) {
        self.source = source
        for _ in 0..<Self.count {
            buffers.append(ReadAheadBuffer())
            free.signal()
        }
    }

    func run() {
        var index = 0
        var size = BufferSize.first
        while true {
            free.wait()
            if isStopped.load(ordering: .acquiring) { break }
            let count = buffers[index].fill(from: source, size: size)
            filled.signal()
            guard count > 0 else { break }
            if count >= size { size = Self.size }
            index = (index + 1) % Self.count
        }
    }

    func stop() {
        isStopped.store(true, ordering: .releasing)
        free.signal()
    }

    /// Gives the reader the oldest buffer's bytes.
    func take(_ target: inout [UInt8]) throws -> Int {
        filled.wait()
        let buffer = buffers[next]
        next = (next + 1) % Self.count
        let count = try buffer.result.get()
        swap(&buffer.bytes, &target)
        free.signal()
        return count
    }
}

private final class ReadAheadBuffer {
    var bytes: [UInt8] = []
    var result: Result<Int, any Error> = .success(0)

    /// Reads into a buffer of at least a size, in bytes.
    ///
    /// - Returns: the number of bytes; 0 at the end and after an error.
    func fill(from source: any ByteStream, size: Int) -> Int {
        BufferSize.grow(&bytes, to: size)
        do {
            let count = try source.read(into: &bytes)
            result = .success(count)
            return count
        } catch {
            result = .failure(error)
            return 0
        }
    }
}
