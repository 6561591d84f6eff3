import ArgumentParser
import Console
import Engine
import Images
import Inspector
import Layers
import Linux
import OCI
import Store
import Viewer

/// The options of commands that look at single files of an image.
struct FileScopeOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Only what this layer holds: a number from 1 on or a DiffID.", valueName: "layer"))
    var layer: String?

    @Option(help: ArgumentHelp("The image of this platform, where a name has several.", valueName: "os/arch"))
    var platform: String?

    @OptionGroup(title: "Registry options") var registries: RegistryOptions

    func scope(in image: InspectedImage) throws -> FileScope {
        guard let layer else { return .after(image.tree.layerCount - 1) }
        return .only(try image.layer(named: layer))
    }
}

/// An image whose files a command looks at.
struct ImageFiles: Sendable {
    let image: InspectedImage
    let files: ScopedFiles
    private let stored: StoredSource?
    private let global: GlobalOptions
    private let registries: RegistryOptions

    init(_ global: GlobalOptions, _ name: String, _ options: FileScopeOptions) async throws {
        self.global = global
        registries = options.registries
        (image, stored) = try await global.inspected(
            name, registries, platform: options.platform, usesTables: true)
        files = ScopedFiles(image.tree, try options.scope(in: image))
    }

    /// All files of an image.
    init(_ global: GlobalOptions, _ name: String, _ registries: RegistryOptions) async throws {
        self.global = global
        self.registries = registries
        (image, stored) = try await global.inspected(name, registries, usesTables: true)
        files = ScopedFiles(image.tree, .after(image.tree.layerCount - 1))
    }

    /// The image's ID.
    var id: Digest { stored?.image.id ?? Digest(of: image.config.encoded) }

    /// The lines of the Dockerfile that made the layers, as far as a build on this machine is recorded.
    var origins: [LayerOrigin?] { ImageSources.of(stored).map { $0?.origin } }

    /// Brings layers into the store, by their indexes, of which only the whereabouts are known.
    func fetchContent(of layers: Set<Int>) async throws {
        try await global.fetchContent(of: layers, stored, registries)
    }
}

extension ScopedFiles {
    /// A row for a file, for listings; `name` is what is shown of its path.
    func row(_ node: Int, name: String) -> JSON {
        guard let file = file(at: node) else { return .object(JSONObject()) }
        let entry = tree.entry(of: file, at: node)
        let target = entry.linkTarget.isEmpty ? "" : VisibleText.escaped(entry.linkTarget.bytes)
        let time = Timestamp(seconds: entry.modified.seconds).description
        return .object(
            ("Name", .string(name)), ("Path", .string("/" + VisibleText.escaped(tree.path(of: node).bytes))),
            ("Kind", .string("\(entry.kind)")), ("Mode", .string(FileModeText.text(entry))),
            ("Owner", .string("\(entry.owner)")), ("Group", .string("\(entry.group)")),
            ("Size", .string("\(entry.size)")),
            ("Modified", .string(time)), ("Target", .string(target)), ("Layer", .string("\(file.layer + 1)")),
            ("Line", .string(Self.line(entry, name, target))))
    }

    /// The name with the target of a link.
    private static func line(_ entry: LayerEntry, _ name: String, _ target: String) -> String {
        switch entry.kind {
        case .symlink: "\(name) -> \(target)"
        case .hardLink: "\(name) => /\(target)"
        case .directory where !name.hasSuffix("/"): "\(name)/"
        default: name
        }
    }

    static let columns: [ListFormat.Column] = [
        .init(field: "Mode", header: "MODE"), .init(field: "Owner", header: "OWNER"),
        .init(field: "Group", header: "GROUP"), .init(field: "Size", header: "SIZE"),
        .init(field: "Modified", header: "MODIFIED"), .init(field: "Layer", header: "LAYER"),
        .init(field: "Line", header: "NAME"), .init(field: "Name", header: "NAME"),
        .init(field: "Path", header: "PATH"), .init(field: "Kind", header: "KIND"),
        .init(field: "Target", header: "TARGET"),
    ]
    static let shownColumns = ["Mode", "Owner", "Group", "Size", "Modified", "Layer", "Line"]
}
