import CArchive
import Diagnostics
import Glibc

/// Reads bzip2 and xz, by libarchive.
@safe
final class FilterReader: ByteStream {
    private let archive: OpaquePointer
    private let feed: Feed

    init(_ source: any ByteStream) throws {
        guard let archive = unsafe archive_read_new() else {
            throw LayerError(.unsupported, "there is not enough memory to decompress a layer")
        }
        unsafe self.archive = unsafe archive
        feed = Feed(source)
        unsafe archive_read_support_filter_bzip2(archive)
        unsafe archive_read_support_filter_xz(archive)
        unsafe archive_read_support_format_raw(archive)
        unsafe archive_read_support_format_empty(archive)
        let client = unsafe Unmanaged.passUnretained(feed).toOpaque()
        let opened = unsafe archive_read_open(archive, client, nil, { unsafe Feed.read(client: $1, target: $2) }, nil)
        var entry: OpaquePointer?
        let started = unsafe opened == ARCHIVE_OK ? archive_read_next_header(archive, &entry) : opened
        feed.isEmpty = started == ARCHIVE_EOF
        guard started == ARCHIVE_OK || feed.isEmpty else { throw failure() }
        // A start too short to be recognised would pass as it is.
        guard unsafe archive_filter_code(archive, 0) != ARCHIVE_FILTER_NONE else {
            throw LayerError(.truncated, "the layer's compressed stream ends too early")
        }
    }

    deinit { unsafe archive_read_free(archive) }

    func read(into buffer: inout [UInt8]) throws -> Int {
        if feed.isEmpty { return 0 }
        let count = unsafe buffer.withUnsafeMutableBytes {
            unsafe archive_read_data(archive, $0.baseAddress, $0.count)
        }
        guard count >= 0 else { throw failure() }
        return count
    }

    private func failure() -> any Error {
        if let error = feed.error { return error }
        let reason = unsafe archive_error_string(archive).map { unsafe String(cString: $0) } ?? "no reason is known"
        return LayerError(.damaged, "the layer cannot be decompressed: \(reason)")
    }
}

/// The input of libarchive's callback.
@safe
private final class Feed {
    private let source: any ByteStream
    private var buffer = [UInt8](repeating: 0, count: 256 << 10)
    /// The buffer that libarchive sees. It keeps the address until it asks again, which an array does not allow.
    private let block: UnsafeMutableRawBufferPointer
    var error: (any Error)?
    var isEmpty = false

    init(_ source: any ByteStream) {
        self.source = source
        unsafe block = .allocate(byteCount: buffer.count, alignment: 16)
    }

    deinit { unsafe block.deallocate() }

    static func read(
        client: UnsafeMutableRawPointer?, target: UnsafeMutablePointer<UnsafeRawPointer?>?
    ) -> Int {
        guard let client = unsafe client, let target = unsafe target else { return -1 }
        let feed = unsafe Unmanaged<Feed>.fromOpaque(client).takeUnretainedValue()
        do {
            let count = try feed.source.read(into: &feed.buffer)
            unsafe feed.block.copyBytes(from: feed.buffer[..<count])
            unsafe target.pointee = UnsafeRawPointer(feed.block.baseAddress)
            return count
        } catch {
            feed.error = error
            return -1
        }
    }
}
