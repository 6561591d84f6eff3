import Diagnostics
import Layers
import Linux
import OCI
import SystemPackage

/// The files of an image outside of a store: of an OCI layout or of an archive.
protocol ImageMembers: Sendable {
    /// A small document; `nil` when there is none of this name.
    func document(_ name: String) throws -> [UInt8]?

    /// The files of a layer, read in one pass. Throws when there is no such layer.
    func summary(_ name: String) throws -> LayerSummary

    /// The size of a file in bytes; `nil` when it is not known.
    func size(_ name: String) throws -> Int64?

    /// Opens a layer for reading.
    func open(_ name: String) throws -> any ByteStream
}

extension ImageMembers {
    func require(_ name: String) throws -> [UInt8] {
        guard let bytes = try document(name) else {
            throw InspectorError(.badImageFile, "it has no '\(name)'", hint: "The image is damaged: make it again.")
        }
        return bytes
    }
}

/// The layers of an image that is not in a store.
struct MemberContents: LayerContents {
    let members: any ImageMembers
    /// The names of the layers, bottom first.
    let layers: [String]

    func directory(of layer: Int) throws -> FilePath? { nil }

    func blob(of layer: Int) throws -> (any ByteStream)? { try members.open(layers[layer]) }
}

/// The files of a directory that is an OCI layout.
struct LayoutMembers: ImageMembers {
    let path: FilePath

    private func open(_ name: String) throws -> OwnedDescriptor? {
        do {
            return try Directory(opening: path).open(PathBytes(name))
        } catch let error as LinuxError where error.code == .notFound {
            return nil
        }
    }

    private func file(_ name: String) throws -> OwnedDescriptor {
        guard let file = try open(name) else {
            throw InspectorError(.badImageFile, "it has no '\(name)'", hint: "The image is damaged: make it again.")
        }
        return file
    }

    func document(_ name: String) throws -> [UInt8]? { try open(name)?.readAll(limit: ArchiveMembers.documentLimit) }

    func summary(_ name: String) throws -> LayerSummary {
        try LayerReader.readFileList(from: DescriptorStream(try file(name)))
    }

    func size(_ name: String) throws -> Int64? { try open(name)?.status().size }

    func open(_ name: String) throws -> any ByteStream { DescriptorStream(try file(name)) }
}
