import Diagnostics
import DockerfileSyntax
import Graph
import OCI
import Synchronization

@testable import Frontend

/// Images by their full name; remembers what it was asked for.
final class FakeResolver: BaseImageResolver {
    struct Unknown: Error {}

    private let images: [String: ImageConfig]
    private let requests = Mutex<[String]>([])

    init(_ images: [String: ImageConfig] = [:]) { self.images = images }

    /// `name@platform`, sorted.
    var asked: [String] { requests.withLock { $0.sorted() } }

    func resolve(layout context: String, platform: Platform) async throws -> ResolvedBase {
        try await resolve(ImageName(parsing: context), platform: platform)
    }

    func resolve(_ name: ImageName, platform: Platform) async throws -> ResolvedBase {
        let reference = name.reference
        requests.withLock { $0.append("\(reference) \(platform)") }
        guard let config = images[reference.description] else { throw Unknown() }
        let digest = try Digest(parsing: "sha256:" + String(repeating: "a", count: 64))
        return ResolvedBase(
            source: ImageSource(
                reference: reference.with(tag: reference.tag, digest: digest), platform: config.platform,
                diffIDs: config.diffIDs, imageID: digest),
            config: config)
    }
}

/// An image with one layer, changed by `change`.
func image(_ platform: Platform = .host, _ change: (inout ImageConfig) -> Void = { _ in }) throws -> ImageConfig {
    var config = ImageConfig(platform: platform)
    config.diffIDs = [try DiffID(parsing: "sha256:" + String(repeating: "b", count: 64))]
    config.history = [History(created: Timestamp(seconds: 1), createdBy: "base", emptyLayer: false)]
    config.created = Timestamp(seconds: 1)
    change(&config)
    return config
}

func plan(
    _ text: String, _ options: BuildOptions = BuildOptions(), resolver: FakeResolver = FakeResolver()
) async throws -> BuildPlan {
    try await lower(parse(text, options), options, resolver: resolver)
}

func parse(_ text: String, _ options: BuildOptions = BuildOptions()) throws -> Dockerfile {
    do { return try Dockerfile(parsing: Array(text.utf8)) } catch {
        throw FrontendError(error, file: options.fileName)
    }
}

/// The error of a build that must fail.
func failure(
    _ text: String, _ options: BuildOptions = BuildOptions(), resolver: FakeResolver = FakeResolver()
) async throws -> FrontendError {
    do {
        _ = try await plan(text, options, resolver: resolver)
    } catch let error as FrontendError {
        return error
    }
    throw DidNotFail()
}

struct DidNotFail: Error {}

extension BuildPlan {
    var labels: [String] { graph.reachable(from: target).map(\.label) }

    /// The steps whose operation is of one kind, in order.
    func operations<Value>(_ extract: (Graph.Operation) -> Value?) -> [Value] {
        graph.reachable(from: target).compactMap { extract($0.operation) }
    }

    var runs: [RunOperation] { operations { if case .run(let run) = $0 { run } else { nil } } }
    var copies: [CopyOperation] { operations { if case .copy(let copy) = $0 { copy } else { nil } } }
    var directories: [MakeDirectoryOperation] {
        operations { if case .makeDirectory(let make) = $0 { make } else { nil } }
    }
}
