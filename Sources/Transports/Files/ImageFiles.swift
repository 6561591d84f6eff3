import Diagnostics
package import OCI

/// The files of an archive or of a directory that holds images.
package protocol ImageFiles: Sendable {
    /// The place, as messages name it.
    var place: String { get }

    /// The size of a file in bytes; `nil` when there is none.
    func size(of name: String) throws -> Int64?

    /// Opens a file that is there.
    func reader(of name: String, from offset: Int64) throws -> any BlobReader

    /// The digest of a file, where it is known without the file being read.
    func knownDigest(of name: String) throws -> Digest?

    /// Whether it is an archive of images as Docker before 1.10 saved them: a directory for each layer, with `layer.tar`
    /// and the layer's `json`. Source: Docker's image specification 1.0.
    var isOldDockerArchive: Bool { get }
}

extension ImageFiles {
    package func knownDigest(of name: String) throws -> Digest? { nil }

    package var isOldDockerArchive: Bool { false }

    /// A small file as a whole; `nil` when there is none. Throws ``TransportsError`` `.badArchive` for a large one.
    package func document(_ name: String) throws -> [UInt8]? {
        guard let size = try size(of: name) else { return nil }
        guard size <= BlobTree.documentLimit else {
            throw TransportsError(.badArchive, "the document '\(name)' of \(place) is too large")
        }
        let reader = try reader(of: name, from: 0)
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: Int(min(max(size, 1), 1 << 18)))
        while true {
            let count = try reader.read(into: &buffer)
            if count == 0 { return bytes }
            bytes += buffer[..<count]
            guard bytes.count <= BlobTree.documentLimit else {
                throw TransportsError(.badArchive, "the document '\(name)' of \(place) is too large")
            }
        }
    }

    /// A small file that must be there.
    package func requireDocument(_ name: String) throws -> [UInt8] {
        guard let bytes = try document(name) else {
            throw TransportsError(
                .badArchive, "\(place) has no file '\(name)'", hint: "The image is damaged: make it or get it again.")
        }
        return bytes
    }
}
