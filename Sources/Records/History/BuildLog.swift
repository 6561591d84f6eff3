import Diagnostics
import Layers
import Linux
import OCI
package import Solver
package import Store

/// The facts about a running build, at the beginning of its log.
struct BuildOutline: Sendable {
    var record: BuildRecord
    var details: BuildDetails

    /// The numbers that change come first, in eight bytes: so they can be written over.
    fileprivate var encoded: [UInt8] {
        Self.encoded(cached: record.cachedSteps, total: record.totalSteps)
            + Array(
                JSON.object(
                    ("id", .string(record.id)), ("started", .string(record.started.description)),
                    ("name", .string(record.name)), ("target", .string(record.target)),
                    ("tags", .array(record.tags.map { .string($0) })), ("details", .string(details.encoded))
                ).text().utf8)
    }

    fileprivate static func encoded(cached: Int, total: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(UInt64(cached), bytes: 4)
        bytes.append(UInt64(total), bytes: 4)
        return bytes
    }

    init(record: BuildRecord, details: BuildDetails) {
        self.record = record
        self.details = details
    }

    fileprivate init?(decoding bytes: [UInt8]) {
        guard bytes.count > 8, let json = try? JSON(parsing: String(decoding: bytes[8...], as: UTF8.self)),
            let id = json["id"]?.string, let started = json["started"]?.string.flatMap(Timestamp.init(parsing:)),
            let details = json["details"]?.string.flatMap({ BuildDetails(decoding: $0) })
        else { return nil }
        self.details = details
        record = BuildRecord(
            id: id, started: started, finished: started, name: json["name"]?.string ?? "",
            target: json["target"]?.string ?? "", status: .running, cachedSteps: Int(bytes[0..<4].integer),
            totalSteps: Int(bytes[4..<8].integer), tags: json["tags"]?.strings ?? [])
    }
}

/// The kind of a piece, from its second field.
private enum PieceKind: UInt8 {
    // As the values of `OutputStream`.
    case standardOutput = 1
    case standardError = 2
    case outline = 3
    case started = 4
    case done = 5
    case cached = 6
    case cancelled = 7
    /// A failure as older logs have it: its message.
    case failedMessage = 8
    case failed = 9
}

/// The events of a build in order: pieces of output and the beginnings and ends of steps, each with its time.
///
/// It goes to a file at once, so that memory does not grow with it and others can see what runs. A piece is the number
/// of its step (4 bytes), its kind (1), the time in nanoseconds since the start of the build (8) and the count of bytes
/// (4), least significant byte first, and the bytes: output, the text of a step, a failure or the outline.
struct BuildLogWriter: ~Copyable {
    /// Shorter logs are kept as they are.
    private static let compressedSize: Int64 = 16 << 10
    private static let headerSize: Int64 = 17

    private let index: BuildIndex
    private let file: BuildLogFile
    private var size: Int64 = 0
    private var hasOutput = false
    private var isBroken = false

    /// Begins with the outline, and so makes the build one that others see.
    init(_ index: BuildIndex, _ outline: BuildOutline) throws {
        self.index = index
        file = try index.beginLog(of: outline.record.id)
        write(Self.piece(.outline, StepID(number: 0), .zero, outline.encoded))
    }

    /// Appends what is to be kept of an event. A log that cannot be written ends there: the build goes on.
    mutating func append(_ event: BuildEvent, at time: Duration) {
        switch event {
        case .started(let id, let label, _):
            write(Self.piece(.started, id, time, Array(Redaction.withoutLogins(label).utf8)))
        case .output(let id, let stream, let bytes):
            hasOutput = true
            write(Self.piece(stream == .standardOutput ? .standardOutput : .standardError, id, time, bytes))
        case .finished(let id, .done): write(Self.piece(.done, id, time, []))
        case .finished(let id, .cached): write(Self.piece(.cached, id, time, []))
        case .finished(let id, .cancelled): write(Self.piece(.cancelled, id, time, []))
        case .finished(let id, .failed(let failure)): write(Self.piece(.failed, id, time, failure.json.encoded()))
        case .status, .warning: break
        }
    }

    /// Writes how many of the steps are done because they were cached, and how many there are.
    func count(cached: Int, of total: Int) {
        guard !isBroken else { return }
        try? file.overwrite(BuildOutline.encoded(cached: cached, total: total), at: Self.headerSize)
    }

    private mutating func write(_ piece: [UInt8]) {
        guard !isBroken else { return }
        do {
            try file.write(piece.span)
            size += Int64(piece.count)
        } catch {
            isBroken = true
        }
    }

    private static func piece(_ kind: PieceKind, _ step: StepID, _ time: Duration, _ bytes: [UInt8]) -> [UInt8] {
        var piece: [UInt8] = []
        piece.reserveCapacity(bytes.count + Int(headerSize))
        piece.append(UInt64(step.number), bytes: 4)
        piece.append(kind.rawValue)
        piece.append(UInt64(bitPattern: time.nanoseconds), bytes: 8)
        piece.append(UInt64(bytes.count), bytes: 4)
        piece += bytes
        return piece
    }

    /// Ends the log: what is to be kept of it comes apart from the file that says that the build runs, if that is not
    /// the same.
    consuming func finish() throws -> FinishedLog {
        guard hasOutput else { return FinishedLog(kept: nil, running: file) }
        guard size > Self.compressedSize else { return FinishedLog(kept: file, running: nil) }
        let compressed = try index.beginLog()
        var writer = try CompressedBlobWriter(CompressionOptions(.zstd, threads: 1), to: compressed.sink)
        try file.rewind()
        var hasher = DigestHasher()
        var buffer = [UInt8](repeating: 0, count: 256 << 10)
        while true {
            let count = try file.read(into: &buffer)
            if count == 0 { break }
            hasher.update(buffer.span.extracting(..<count))
            try writer.write(buffer.span.extracting(..<count))
        }
        _ = try writer.finish(uncompressed: hasher.finish())
        return FinishedLog(kept: compressed, running: file)
    }
}

/// A log that nothing is added to any more.
struct FinishedLog: ~Copyable {
    /// `nil` when no step has written anything.
    var kept: BuildLogFile?
    /// To be dropped when the build has its record: until then it is seen as one that runs.
    var running: BuildLogFile?
}

/// Reads a build's log piece by piece.
package struct BuildLogReader: ~Copyable {
    /// A piece of output.
    package struct Piece: Hashable, Sendable {
        package let step: StepID
        package let stream: OutputStream
        /// Since the start of the build.
        package let time: Duration
        package let bytes: [UInt8]
    }

    /// The log's facts about the build itself; `nil` in a log of an older version.
    private(set) var outline: BuildOutline?
    /// Whether it went on with something that no build writes.
    package private(set) var isMalformed = false
    private let stream: DecompressedStream
    private var held: [UInt8] = []
    private var position = 0
    private var buffer = [UInt8](repeating: 0, count: 64 << 10)

    /// `nil` when nothing of the build's output is kept.
    package init?(of build: BuildRecord, in store: StoreRoot) throws {
        if let file = try store.builds.openLog(build.id) {
            try self.init(file)
        } else {
            guard let unfinished = try store.builds.unfinished().first(where: { $0.id == build.id }) else { return nil }
            try self.init(of: unfinished, in: store)
        }
    }

    /// `nil` when the build has a record by now.
    init?(of build: UnfinishedBuild, in store: StoreRoot) throws {
        guard let file = try store.builds.openLog(of: build) else { return nil }
        try self.init(file)
    }

    private init(_ file: consuming OwnedDescriptor) throws {
        stream = try DecompressedStream(DescriptorStream(file))
    }

    /// The next piece of output; `nil` at the end, which may come early after a crash of the machine.
    package mutating func next() throws -> Piece? {
        while let (time, event) = try nextEvent() {
            if case .output(let step, let stream, let bytes) = event {
                return Piece(step: step, stream: stream, time: time, bytes: bytes)
            }
        }
        return nil
    }

    /// The next event; `nil` at the end, or where a build that runs has written no more: then it may be asked again.
    package mutating func nextEvent() throws -> (time: Duration, event: BuildEvent)? {
        while try hold(17) {
            let header = Array(held[position..<position + 17])
            let count = Int(header[13...].integer)
            guard let kind = PieceKind(rawValue: header[4]) else {
                isMalformed = true
                return nil
            }
            // Cut off here, as by a kill or a full disk, it is a log that ends.
            guard try hold(17 + count) else { return nil }
            let step = StepID(number: Int(header[..<4].integer))
            let time = Duration.nanoseconds(Int64(truncatingIfNeeded: header[5..<13].integer))
            let bytes = Array(held[(position + 17)..<position + 17 + count])
            position += 17 + count
            if let event = event(kind, step, bytes) { return (time, event) }
        }
        return nil
    }

    private mutating func event(_ kind: PieceKind, _ step: StepID, _ bytes: [UInt8]) -> BuildEvent? {
        switch kind {
        case .standardOutput: return .output(step, .standardOutput, bytes)
        case .standardError: return .output(step, .standardError, bytes)
        case .started: return .started(step, label: String(decoding: bytes, as: UTF8.self), inputs: [])
        case .done: return .finished(step, .done)
        case .cached: return .finished(step, .cached)
        case .cancelled: return .finished(step, .cancelled)
        case .failedMessage: return .finished(step, .failed(StepFailure(String(decoding: bytes, as: UTF8.self))))
        case .failed:
            guard let failure = (try? JSON(parsing: String(decoding: bytes, as: UTF8.self))).flatMap(StepFailure.init)
            else {
                isMalformed = true
                return nil
            }
            return .finished(step, .failed(failure))
        case .outline:
            outline = BuildOutline(decoding: bytes)
            return nil
        }
    }

    /// Makes sure that so many bytes are there, if there are.
    private mutating func hold(_ count: Int) throws -> Bool {
        while held.count - position < count {
            if position > 0 {
                held.removeFirst(position)
                position = 0
            }
            let read = try stream.read(into: &buffer)
            if read == 0 { return false }
            held += buffer[..<read]
        }
        return true
    }
}

extension ArraySlice<UInt8> {
    /// The number that these bytes are, the least significant first.
    fileprivate var integer: UInt64 { reversed().reduce(0) { $0 << 8 | UInt64($1) } }
}

extension [UInt8] {
    fileprivate mutating func append(_ value: UInt64, bytes count: Int) {
        for index in 0..<count { append(UInt8(truncatingIfNeeded: value >> UInt64(8 * index))) }
    }
}
