import ArgumentParser
import Diagnostics
import Editing
import Images
import Linux
import OCI
import Rechunking
import Store

struct RechunkCommand: UserNamespaceCommand {
    static let configuration = CommandConfiguration(
        commandName: "rechunk",
        abstract: "Make an image whose layers are its packages, so that updates transfer little.",
        discussion: """
            All files above the base are divided anew: a layer for each package of dpkg, apk or rpm and for each directory \
            of other files, or for several that are small and of one age where there are more than layers. The files stay \
            as they are. With --former, what is in a layer of that image stays in it: a layer whose files are the same is \
            the same, and is not transferred again.
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var options: EditOptions
    @OptionGroup(title: "Registry options") var registries: RegistryOptions

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "The image that it was built from, whose layers stay; scratch divides all (default: what annotations, labels or "
                + "provenance say, else scratch).", valueName: "image"))
    var base: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Keep the layers of an image that rechunk made before.", valueName: "image"))
    var former: String?

    @Option(
        name: .customLong("max-layers"), parsing: .unconditional,
        help: ArgumentHelp("The number of layers that may come of it (default: 64).", valueName: "number"))
    var maxLayers: Int = 64

    @Argument(help: ArgumentHelp("A name or an ID.", valueName: "image"))
    var image: String

    func run() async throws {
        try await global.run {
            try await options.edit(image, by: Self.configuration.commandName, global, registries) { edited, editing in
                let rechunk = try Rechunk(editing, limit: maxLayers)
                let platform = edited.config.platform
                let base = try await base(of: edited, editing)
                if let base { edited.use(base) }
                let first = base?.config.diffIDs.count ?? 0
                let stored = try await offload { try editing.images.image(image, platform: platform) }
                var before: StoredImage?
                if let former {
                    let found = try await editing.find(former, for: platform)
                    edited.use(found.names.first, found.rootDigest ?? found.id)
                    before = found
                }
                let layers = try await rechunk.layers(of: stored, from: first, keeping: before)
                try edited.split(first..<edited.config.diffIDs.count, into: layers.map { ($0.diffID, $0.text) })
                guard let before else { return }
                let kept = Set(before.diffIDs).intersection(layers.map(\.diffID)).count
                tell("\(kept) of \(layers.count) layers are those of \(former ?? "")")
            }
        }
    }

    /// The base, whose layers are not divided; `nil` for none.
    private func base(of edited: EditedImage, _ editing: ImageEditing) async throws -> FoundBase? {
        if base == "scratch" { return nil }
        do {
            let found = try await editing.base(of: image, edited, named: base, for: edited.config.platform)
            guard edited.config.diffIDs.starts(with: found.config.diffIDs) else {
                throw EditingError(
                    .badLayers, "the image is not based on '\(found.name)'",
                    hint: "Name the image that it was built from with --base, or scratch to divide all layers.")
            }
            return found
        } catch let error as EditingError where error.code == .unknownBase {
            return nil
        }
    }
}
