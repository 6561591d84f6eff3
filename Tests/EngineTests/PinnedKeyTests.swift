import Diagnostics
import Engine
import Execution
import Frontend
import Images
import Linux
import OCI
import Records
import Requests
import Solver
import Store
import SystemPackage
import Testing

/// The keys of every operation as they have always been: stores and shared caches of other versions are found by them.
@Suite(.enabled(if: IsolationModes.probe().best != nil, "RUN needs root with CAP_SYS_ADMIN"))
struct PinnedKeyTests {
    private static let cases: FilePath = {
        var path = FilePath(#filePath)
        for _ in 0..<3 { path.removeLastComponent() }
        return path.appending("testdata").appending("keys").appending("pinned.txt")
    }()

    /// The result of a case is a line for each step: its kind and the beginnings of both keys. Many of the builds fail in
    /// their last step, as there is nothing to execute: the keys are made before.
    @Test(arguments: try BuildCase.read(cases)) func keysStayTheSame(_ item: BuildCase) async throws {
        let found = try await keys(of: item)
        #expect(found == item.expected, "\(found.joined(separator: "\n"))")
    }

    private func keys(of item: BuildCase) async throws -> [String] {
        let scratch = try Scratch()
        let context = scratch.path.appending("context")
        try FileLines.make(item.context, in: context)
        let directory = try Directory(opening: context)
        for line in item.context {
            // Times are no part of keys, but of the layers that content keys name.
            try directory.setModified(
                PathBytes(String(line.split(separator: " ")[1])), FileTime(seconds: 1_700_000_000))
        }
        let store = try StoreRoot(at: scratch.path.appending("store"))
        var request = BuildRequest(context: context)
        request.dockerfile = scratch.path.appending("Dockerfile")
        let file = try Directory(opening: scratch.path).create("Dockerfile")
        try file.write(Array(item.dockerfile.utf8).span)
        request.outputs = [.none]
        request.options.buildArguments = [("SOURCE_DATE_EPOCH", "1700000000")]
        for entitlement in ["security.insecure", "network.host", "device"] {
            try request.sandbox.allow(entitlement)
        }
        let registry = RegistryAccess(environment: [:])
        let images = ImageTransfer(store: store, registry: registry)
        let build = Build(request, store: store, images: images, progress: ProgressReporter { _ in })
        do { _ = try await build.run() } catch is any AnyFailure {}
        try await registry.shutdown()
        let record = try BuildHistory(store: store).build(build.recorder.reference)
        return record.details.steps.compactMap { step in
            switch step.kind {
            case .chore, .scratch, .image, .context: return nil
            default: break
            }
            func beginning(_ key: Digest?) -> String { key.map { String($0.hex.prefix(16)) } ?? "-" }
            return "\(step.kind.rawValue) \(beginning(step.definition)) \(beginning(step.content))"
        }
    }
}
