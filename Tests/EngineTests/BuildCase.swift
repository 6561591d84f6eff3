import Diagnostics
import Engine
import Glibc
import Images
import Layers
import Linux
import OCI
import Requests
import Solver
import Store
import SystemPackage
import Testing
import Trees

/// A directory for one test, removed after it.
final class Scratch: Sendable {
    let path: FilePath

    init() throws {
        path = FilePath("/tmp/lamina-engine-\(ProcessIdentity.current)-\(UInt64.random(in: 0 ... .max))")
        try Directory(opening: "/tmp").makeDirectory(PathBytes(path.lastComponent?.string ?? ""), permissions: 0o755)
    }

    deinit {
        try? Directory(opening: "/tmp").removeTree(PathBytes(path.lastComponent?.string ?? ""))
    }
}

/// One case of `testdata/copy`: a context, a Dockerfile, and the files of the result or the error.
struct BuildCase: CustomTestStringConvertible, Sendable {
    let name: String
    let context: [String]
    let dockerfile: String
    let expected: [String]

    var testDescription: String { name }

    /// The cases of a file: `=== name`, then the sections `--- context`, `--- Dockerfile` and `--- result`.
    static func read(_ path: FilePath) throws -> [BuildCase] {
        let text = String(decoding: try OwnedDescriptor.open(path).readAll(limit: 1 << 20), as: UTF8.self)
        return text.components(startingWith: "=== ").map { block in
            let sections = block.components(startingWith: "--- ")
            func lines(_ title: String) -> [String] {
                guard let section = sections.first(where: { $0.hasPrefix(title + "\n") }) else { return [] }
                return section.split(separator: "\n").dropFirst().map(String.init)
            }
            return BuildCase(
                name: String(block.prefix { $0 != "\n" }), context: lines("context"),
                dockerfile: lines("Dockerfile").joined(separator: "\n") + "\n", expected: lines("result"))
        }
    }

    /// Builds the case and describes what came out: its files, or `error: ` and the message.
    func run() async throws -> [String] {
        let scratch = try Scratch()
        try FileLines.make(context, in: scratch.path.appending("context"))
        let store = try StoreRoot(at: scratch.path.appending("store"))
        var request = BuildRequest(context: scratch.path.appending("context"))
        request.dockerfile = scratch.path.appending("Dockerfile")
        let file = try Directory(opening: scratch.path).create("Dockerfile")
        try file.write(Array(dockerfile.utf8).span)
        let archive = scratch.path.appending("result.tar")
        request.outputs = [.tar(archive)]
        let images = ImageTransfer(store: store, registry: RegistryAccess(environment: [:]))
        do {
            _ = try await Build(request, store: store, images: images, progress: ProgressReporter { _ in }).run()
        } catch let error as any AnyFailure {
            return ["error: \(error.message)"]
        }
        return try FileLines.describe(archive)
    }
}

extension String {
    /// The pieces that follow each line start that begins with a marker.
    func components(startingWith marker: String) -> [String] {
        ("\n" + self).split(separator: "\n" + marker).map(String.init).dropFirst(hasPrefix(marker) ? 0 : 1).map { $0 }
    }
}

enum FileLines {
    /// Makes the files that lines describe.
    static func make(_ lines: [String], in root: FilePath) throws {
        let parent = try Directory(opening: root.removingLastComponent())
        try parent.makeDirectory(PathBytes(root.lastComponent?.string ?? ""), permissions: 0o755)
        let directory = try Directory(opening: root)
        var modes: [(PathBytes, UInt32)] = []
        for line in lines {
            let fields = line.split(separator: " ", maxSplits: 3).map(String.init)
            let path = PathBytes(fields[1])
            let mode = fields.count > 2 ? UInt32(fields[2], radix: 8) : nil
            switch fields[0] {
            case "d":
                try directory.makeDirectory(path, permissions: 0o755)
                if let mode { modes.append((path, mode)) }
            case "l": try directory.makeSymlink(path, to: PathBytes(fields[3]))
            case "h": try directory.makeHardLink(path, to: PathBytes(fields[3]), in: directory)
            case "p": try directory.makeNode(path, .fifo, permissions: mode ?? 0o600)
            default:
                let file = try directory.open(path, O_WRONLY | O_CREAT, mode: 0o600)
                try file.write(Array((fields.count > 3 ? fields[3] : "").utf8).span)
                try directory.setPermissions(path, mode ?? 0o644)
            }
        }
        for (path, mode) in modes.reversed() { try directory.setPermissions(path, mode) }
    }

    /// Describes the members of an archive in its order.
    static func describe(_ archive: FilePath) throws -> [String] {
        var reader = try LayerReader(DescriptorStream(try OwnedDescriptor.open(archive)), readsMarks: false)
        var lines: [String] = []
        while let entry = try reader.next() {
            var content: [UInt8] = []
            try reader.readContent { bytes in for index in bytes.indices { content.append(bytes[index]) } }
            lines.append(describe(entry, content))
        }
        return lines
    }

    private static func describe(_ entry: LayerEntry, _ content: [UInt8]) -> String {
        let owner = entry.owner == 0 && entry.group == 0 ? "" : " \(entry.owner):\(entry.group)"
        let octal = String(entry.permissions, radix: 8)
        let mode = String(repeating: "0", count: 4 - octal.count) + octal + owner
        switch entry.kind {
        case .directory: return "d \(entry.path) \(mode)"
        case .symlink: return "l \(entry.path)\(owner) -> \(entry.linkTarget)"
        case .hardLink: return "h \(entry.path) = \(entry.linkTarget)"
        case .fifo: return "p \(entry.path) \(mode)"
        case .characterDevice, .blockDevice: return "c \(entry.path) \(mode)"
        default:
            let text = String(decoding: content, as: UTF8.self).replacingNewlines()
            return "f \(entry.path) \(mode)" + (text.isEmpty ? "" : " \(text)")
        }
    }
}

extension String {
    fileprivate func replacingNewlines() -> String {
        split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\\n")
    }
}
