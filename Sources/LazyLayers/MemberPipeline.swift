import Dispatch
import Layers

/// Writes a blob of members that are compressed each on its own, on several threads, and passed on in order.
///
/// The bytes do not depend on the number of threads.
final class MemberPipeline {
    /// As many bytes of whole members are compressed at once.
    private static let batchSize = 1 << 20
    /// A longer member is cut, so that memory is bounded: readers take two members as one.
    static let memberLimit = 8 << 20
    /// Each thread takes about three times the size of a long member.
    private static let threadLimit = 8

    private let output: BlobOutput
    private let queue = DispatchQueue(label: "members", attributes: .concurrent)
    private let batches: [Batch]
    /// The batch being filled; those before it, as many as are `busy`, are being compressed.
    private var current = 0
    private var busy = 0
    private var count = 0
    /// The beginnings of the members in the blob, in bytes; complete after ``flush()``.
    private(set) var offsets: [Int64] = []

    init(_ options: CompressionOptions, _ output: BlobOutput) throws {
        self.output = output
        batches = try (0...min(options.threads, Self.threadLimit)).map { _ in try Batch(options) }
    }

    deinit {
        while busy > 0 {
            oldest.wait()
            busy -= 1
        }
    }

    private var oldest: Batch { batches[(current + batches.count - busy) % batches.count] }

    /// Appends to the present member.
    func write(_ bytes: Span<UInt8>) throws {
        var start = 0
        while start < bytes.count {
            let room = Self.memberLimit - batches[current].openCount
            let end = min(bytes.count, start + room)
            batches[current].append(bytes.extracting(start..<end))
            start = end
            if batches[current].openCount == Self.memberLimit { _ = try cut() }
        }
    }

    /// Ends the present member, unless it is empty. Returns the number of the next one.
    func cut() throws -> Int {
        guard batches[current].openCount > 0 else { return count }
        batches[current].end()
        count += 1
        if batches[current].inputCount >= Self.batchSize { try startCurrent() }
        return count
    }

    /// Returns when all members were passed on; the last one ends.
    func flush() throws {
        _ = try cut()
        if batches[current].inputCount > 0 { try startCurrent() }
        while busy > 0 { try collectOldest() }
    }

    private func startCurrent() throws {
        batches[current].compress(on: queue)
        current = (current + 1) % batches.count
        busy += 1
        if busy == batches.count { try collectOldest() }
    }

    private func collectOldest() throws {
        let batch = oldest
        batch.wait()
        busy -= 1
        let start = output.size
        let ends = try batch.take { try output.write($0) }
        offsets += ([0] + ends.dropLast()).map { start + Int64($0) }
    }
}

/// Members on their way: filled by the pipeline's thread, compressed on another, taken by the first.
///
/// Unchecked: between `compress(on:)` and the return of `wait()` only the block on the queue touches the state, before
/// and after only the thread of the pipeline, and the semaphore orders the two.
private final class Batch: @unchecked Sendable {
    private let compressor: MemberCompressor
    private var input: [UInt8] = []
    /// The ends of the members in the input, and in the output.
    private var inputEnds: [Int] = []
    private var outputEnds: [Int] = []
    private var output: [UInt8] = []
    private var failure: (any Error)?
    private let done = DispatchSemaphore(value: 0)

    init(_ options: CompressionOptions) throws { compressor = try MemberCompressor(options) }

    var inputCount: Int { input.count }
    /// The bytes of the member that has not ended.
    var openCount: Int { input.count - (inputEnds.last ?? 0) }

    func append(_ bytes: Span<UInt8>) {
        unsafe bytes.withUnsafeBytes { unsafe input.append(contentsOf: $0) }
    }

    func end() { inputEnds.append(input.count) }

    func compress(on queue: DispatchQueue) {
        queue.async { [self] in
            compressAll()
            done.signal()
        }
    }

    func wait() { done.wait() }

    /// Passes on what was made, and returns the ends of the members in it.
    func take(_ body: (Span<UInt8>) throws -> Void) throws -> [Int] {
        if let failure { throw failure }
        let (output, ends) = (output, outputEnds)
        try body(output.span)
        input.removeAll(keepingCapacity: true)
        inputEnds.removeAll(keepingCapacity: true)
        return ends
    }

    private func compressAll() {
        output.removeAll(keepingCapacity: true)
        outputEnds.removeAll(keepingCapacity: true)
        let input = input
        var start = 0
        do {
            for end in inputEnds {
                try compressor.append(input.span.extracting(start..<end), to: &output)
                outputEnds.append(output.count)
                start = end
            }
        } catch {
            failure = error
        }
    }
}
