import Diagnostics
import Glibc
import Linux
package import OCI
package import Sandbox
import Store
import SystemPackage

/// A line, or a long piece of one, that the command of a container has written.
package struct ContainerLogLine: Sendable {
    package let time: Timestamp
    package let stream: OutputStream
    /// With its end, where it has one.
    package let bytes: [UInt8]
}

/// Writes what a command writes to the log of its container, a line at a time.
///
/// A record is `TIME STREAM LENGTH`, a line break, and so many bytes. What cannot be written is lost: a full disk must
/// not end the command.
struct ContainerLogWriter: ~Copyable {
    private let file: OwnedDescriptor
    private var rest: [OutputStream: [UInt8]] = [:]

    /// Longer lines are several records.
    private static let limit = 16 << 10

    init(_ path: FilePath) throws {
        file = try .open(
            path, .writeOnly, options: [.create, .append], permissions: FilePermissions(rawValue: 0o600))
    }

    mutating func append(_ stream: OutputStream, _ bytes: Span<UInt8>) {
        var line = rest.removeValue(forKey: stream) ?? []
        for index in bytes.indices {
            line.append(bytes[index])
            guard bytes[index] == UInt8(ascii: "\n") || line.count >= Self.limit else { continue }
            write(line, stream)
            line.removeAll(keepingCapacity: true)
        }
        rest[stream] = line
    }

    /// Writes lines without an end.
    mutating func finish() {
        for (stream, line) in rest where !line.isEmpty { write(line, stream) }
        rest = [:]
    }

    private func write(_ line: [UInt8], _ stream: OutputStream) {
        let header = "\(Timestamp.now) \(stream == .standardOutput ? "o" : "e") \(line.count)\n"
        try? file.write((Array(header.utf8) + line).span)
    }
}

/// Reads the log of a container, from its beginning and on as it grows.
package struct ContainerLogReader: ~Copyable {
    private let file: OwnedDescriptor
    private var buffer: [UInt8] = []
    private var start = 0

    /// So many bytes that were read stay in the buffer, lest each record move the rest of it.
    private static let slack = 64 << 10

    /// A container that never ran has no log: `nil`.
    package init?(_ container: Container) throws {
        do { file = try .open(container.log) } catch let error as LinuxError where error.code == .notFound {
            return nil
        }
    }

    /// The next record; `nil` when there is no other yet.
    ///
    /// Throws ``ContainersError`` `.corrupt`.
    package mutating func next() throws -> ContainerLogLine? {
        if start > Self.slack {
            buffer.removeFirst(start)
            start = 0
        }
        guard let end = try endOfHeader() else { return nil }
        let words = String(decoding: buffer[start..<end], as: UTF8.self).split(separator: " ")
        guard words.count == 3, let time = Timestamp(parsing: String(words[0])), let count = Int(words[2]),
            (0...(1 << 20)).contains(count)
        else { throw ContainersError(.corrupt, "the log of the container cannot be read") }
        let first = end + 1
        while buffer.count < first + count { guard try fill() else { return nil } }
        start = first + count
        return ContainerLogLine(
            time: time, stream: words[1] == "e" ? .standardError : .standardOutput,
            bytes: Array(buffer[first..<start]))
    }

    private mutating func endOfHeader() throws -> Int? {
        while true {
            if let end = buffer[start...].firstIndex(of: UInt8(ascii: "\n")) { return end }
            guard try fill() else { return nil }
        }
    }

    /// Reads on; `false` at the end of what there is.
    private mutating func fill() throws -> Bool {
        var piece = [UInt8](repeating: 0, count: 64 << 10)
        let count = try file.read(into: &piece)
        buffer += piece[..<count]
        return count > 0
    }
}
