import OCI

/// The ``FileList`` of a layer as bytes, with what is asked of it most: a list of many files takes a fifth of the memory
/// so.
package struct EncodedFileList: Sendable {
    /// The bytes that ``FileList/init(decoding:)`` reads.
    package let bytes: [UInt8]
    /// The sum of the sizes of the regular files, in bytes.
    package let contentSize: Int64
    /// The number of files, marks not counted.
    package let fileCount: Int
    /// The size of the uncompressed archive in bytes.
    package let tarSize: Int64

    package init(_ list: FileList) {
        bytes = list.encode()
        contentSize = list.contentSize
        fileCount = list.fileCount
        tarSize = list.tarSize
    }

    fileprivate init(bytes: [UInt8], contentSize: Int64, fileCount: Int, tarSize: Int64) {
        self.bytes = bytes
        self.contentSize = contentSize
        self.fileCount = fileCount
        self.tarSize = tarSize
    }

    /// The list itself.
    package func decoded() throws(LayerError) -> FileList { try FileList(decoding: bytes) }
}

/// The list of a layer that is being written, kept as bytes.
struct FileListBuilder {
    private var encoder = ListEncoder()
    private var last: LayerEntry?
    private var isSorted = true
    private var contentSize: Int64 = 0
    private var fileCount = 0

    mutating func add(_ entry: LayerEntry) {
        if let last, !last.precedes(entry) { isSorted = false }
        last = entry
        encoder.add(entry)
        contentSize = contentSize.addingClamped(entry.size)
        if !entry.isMark { fileCount += 1 }
    }

    consuming func finish(tarSize: Int64) throws(LayerError) -> EncodedFileList {
        let bytes = encoder.finish(tarSize: tarSize)
        // Reading a list brings it into order.
        guard isSorted else { return EncodedFileList(try FileList(decoding: bytes)) }
        return EncodedFileList(bytes: bytes, contentSize: contentSize, fileCount: fileCount, tarSize: tarSize)
    }
}
