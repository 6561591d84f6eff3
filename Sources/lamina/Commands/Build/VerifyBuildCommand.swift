import ArgumentParser
import Comparison
import Console
import Contexts
import Diagnostics
import Engine
import Frontend
import Images
import Inspector
import Linux
import OCI
import Progress
import Requests
import Store

struct VerifyBuildCommand: UserNamespaceCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify-build", abstract: "Build twice, and show what differs and why.",
        discussion: """
            No step is taken from the cache. The second build has its context in another directory, as a user with a \
            stricter mask would have it, with files made in another order and at another time, and commands see another name of \
            the machine. It takes the options of build; no image is pushed or gets a name. The status is 1 if the images differ.
            """)

    @OptionGroup var build: BuildCommand

    @Option(
        help: ArgumentHelp("How to report: table or json.", valueName: "format"))
    var report = "table"

    var global: GlobalOptions { build.global }

    func needsUserNamespace() -> Bool { build.needsUserNamespace() }

    func validate() throws {
        guard ["table", "json"].contains(report) else {
            throw ValidationError("unknown format '\(report)': use table or json")
        }
    }

    func run() async throws {
        let isEqual = try await global.run(canceled: "ERROR: build canceled") { try await verify() }
        if !isEqual { throw ExitStatus.failure }
    }

    private func verify() async throws -> Bool {
        let mode = try build.progressMode()
        let request = try build.supportedRequest(ProgressRenderer(mode: mode, to: .standardError))
        guard request.platforms.count > 1 else { return try await verify(request, of: nil, mode) }
        var isEqual = true
        for platform in request.platforms {
            var one = request
            one.platforms = [platform]
            if report == "table" { say("\(platform):") }
            if try await !verify(one, of: platform, mode) { isEqual = false }
        }
        return isEqual
    }

    /// Verifies a build for one platform, which `platform` names where there are several.
    private func verify(_ request: BuildRequest, of platform: Platform?, _ mode: ProgressMode) async throws -> Bool {
        let verification = try await offload { try BuildVerification(request, in: global.store()) }
        let first = try await build.image(of: verification.first, mode)
        // Commands that write the time to the second show it.
        try await Task.sleep(for: .seconds(1))
        let second = try await build.image(of: verification.second, mode)
        var variations: [ContentCause.Variation] = [
            .init(.hostName, old: verification.hostNames.first, new: verification.hostNames.second)
        ]
        if let paths = verification.directories {
            variations.append(.init(.buildPath, old: paths.first, new: paths.second))
        }
        withExtendedLifetime(verification) {}
        guard first.id != second.id else {
            BuildComparison.sayEqual(
                first.id, "The builds gave the same image", asJSON: report == "json", platform)
            return true
        }
        let comparison = BuildComparison(
            global: global, registries: build.registries, asJSON: report == "json", platform: platform)
        return try await comparison.show(
            .init(first, named: "first build"), .init(second, named: "second build"), variations)
    }
}

extension BuildCommand {
    /// Runs a build, shows its progress, and gives the image's ID with the lines that made its layers.
    func image(
        of request: BuildRequest, _ mode: ProgressMode
    ) async throws -> (id: Digest, origins: [LayerOrigin?]) {
        let renderer = ProgressRenderer(mode: mode, to: .standardError)
        do {
            let result = try await run(request, renderer, WarningLog(), SourceTexts()) { try await $0.run() }
            renderer.finish()
            guard let id = result.imageID else {
                throw EngineError(.imageNotFound, "the build made no image")
            }
            return (id, result.origins)
        } catch {
            try UserNamespaceEntry.retry(after: error)
            renderer.finish(error: error)
            if error is CancellationError || Task.isCancelled { throw CancellationError() }
            ErrorRenderer(isDebug: global.debug).print(error, isBuild: true)
            throw ExitStatus.failure
        }
    }
}

/// The comparison of the images of two builds of the same thing, for a terminal or for programs.
struct BuildComparison: Sendable {
    let global: GlobalOptions
    let registries: RegistryOptions
    let asJSON: Bool
    /// The platform of the images, where there are builds for several.
    var platform: Platform?

    /// How many names of one cause are listed.
    private static let nameLimit = 8

    static func sayEqual(_ id: Digest, _ sentence: String, asJSON: Bool, _ platform: Platform? = nil) {
        guard asJSON else { return say("\(sentence): \(id)") }
        say(
            JSON.object(
                ("platform", platform.map { .string($0.description) }), ("equal", .bool(true)),
                ("first", .string(id.description)), ("second", .string(id.description)),
                ("differences", .array([]))
            ).text(.pretty(2)))
    }

    /// An image that one of the builds has made.
    struct Side: Sendable {
        let id: String
        let name: String
        let origins: [LayerOrigin?]

        init(_ image: (id: Digest, origins: [LayerOrigin?]), named name: String) {
            id = image.id.description
            origins = image.origins
            self.name = name
        }
    }

    /// Prints what differs, and tells whether nothing does.
    func show(_ first: Side, _ second: Side, _ variations: [ContentCause.Variation] = []) async throws -> Bool {
        let old = try await global.inspected(first.id, registries)
        let new = try await global.inspected(second.id, registries)
        let difference = try ImageDifference(
            ComparedImage(name: first.name, image: old.image, origins: first.origins),
            ComparedImage(name: second.name, image: new.image, origins: second.origins))
        let layers = RepeatabilityReport.layersToRead(difference)
        try await global.fetchContent(of: layers.old, old.stored, registries)
        try await global.fetchContent(of: layers.new, new.stored, registries)
        let report = try RepeatabilityReport(difference, variations: variations)
        if asJSON {
            let members = report.json.object?["differences"]
            say(
                JSON.object(
                    ("platform", platform.map { .string($0.description) }), ("equal", .bool(false)),
                    ("first", .string(first.id)), ("second", .string(second.id)),
                    ("differences", members)
                ).text(.pretty(2)))
            return false
        }
        say("The images differ: \(first.id) of the \(first.name), \(second.id) of the \(second.name)")
        for group in report.groups { show(group) }
        return false
    }

    private func show(_ group: RepeatabilityReport.Group) {
        say("")
        let place =
            group.origin.map { "Dockerfile:\($0.lineText)" } ?? group.layer.map { "layer \($0)" } ?? "image"
        let step = group.step.isEmpty ? "" : "  \(TerminalText.line(group.step).ellipsized(to: 80))"
        say("\(group.explanation.cause.rawValue): \(place)\(step)")
        for name in group.names.prefix(Self.nameLimit) { say("  \(TerminalText.line(name))") }
        if group.names.count > Self.nameLimit { say("  … and \(group.names.count - Self.nameLimit) more") }
        say("  hint: \(group.explanation.hint)")
    }
}
