import ArgumentParser
import Diagnostics
import Editing
import Engine
import Images
import Linux
import OCI
import Store

/// The options of commands that make an image of another one without a build.
struct EditOptions: ParsableArguments {
    @Option(
        name: .shortAndLong, parsing: .unconditionalSingleValue,
        help: ArgumentHelp("A name of the new image; without one it has its ID alone.", valueName: "name[:tag]"))
    var tag: [String] = []

    @Option(help: ArgumentHelp("The image of this platform, where a name has several.", valueName: "os/arch"))
    var platform: String?

    @Flag(help: "Attach a statement of what the image was made from, and how.")
    var provenance = false

    /// The names of the new image.
    private func names() throws -> [ImageReference] {
        try tag.map { text in
            let reference = try ImageReference(parsing: text)
            guard reference.digest == nil else {
                throw EditingError(.badValue, "invalid name '\(text)': a new image has no digest yet")
            }
            return reference
        }
    }

    /// The time of what is done: `SOURCE_DATE_EPOCH`, else now.
    static func time() throws -> Timestamp {
        guard let text = GlobalOptions.environment["SOURCE_DATE_EPOCH"], !text.isEmpty else { return .now }
        guard let seconds = Int64(text), (0...253_402_300_799).contains(seconds) else {
            throw EditingError(
                .badValue, "invalid SOURCE_DATE_EPOCH: \(text)", hint: "Give a number of seconds since 1970.")
        }
        return Timestamp(seconds: seconds)
    }

    /// Finds an image, changes it, records what comes of that, and prints its ID.
    func edit(
        _ text: String, by command: String?, _ global: GlobalOptions, _ registries: RegistryOptions,
        _ change: (inout EditedImage, ImageEditing) async throws -> Void
    ) async throws {
        let names = try names()
        let time = try Self.time()
        let platform = try platform.map { try Platform(parsing: $0) }
        let images = try global.images(registries)
        try await images.closingRegistry {
            let editing = ImageEditing(images)
            // What is made has no name before the end.
            let lease = try images.store.lease()
            let image = try await offload { try images.image(text, platform: platform) }
            var edited = try await offload { try editing.edited(image, named: text, time: time) }
            try await change(&edited, editing)
            if provenance { try await images.fetcher.requireContent(edited.config.diffIDs) { _ in } }
            let recorded = try await offload { [edited, provenance] in
                try editing.record(edited, as: names, attestedBy: provenance ? command : nil)
            }
            _ = consume lease
            say(recorded.id.description)
        }
    }
}
