import Diagnostics
import Engine
import Frontend
import Glibc
import Images
import Linux
import OCI
import Requests
import Solver
import Store
import Synchronization
import SystemPackage
import Trees

/// A build, as far as anything about it may matter to the keys of its steps.
struct KeySetup: Sendable {
    /// The files of the context, as ``FileLines`` has them.
    var files = [
        "f f1 644 one", "d src", "f src/a 644 a", "f src/b 600 b", "l src/link 777 a", "d other", "f other/x 644 x",
        "f f1x 644 one",
    ]
    var dockerfile = """
        FROM lamina/base
        COPY f1 /f1
        COPY src /src
        ARG MODE=1
        ENV E=1
        RUN echo one
        """
    var arguments: [(name: String, value: String?)] = []
    var labels: [(name: String, value: String)] = []
    var noCache = NoCache.none
    var secrets: [String: String] = [:]
    /// The owner of all files of the context.
    var owner: UInt32 = 0
    /// The modification time of all files of the context, in seconds since the epoch.
    var time: Int64 = 1_700_000_000
    var target: String?

    mutating func replace(_ text: String, with other: String) {
        guard let range = dockerfile.firstRange(of: text) else { preconditionFailure("there is no \(text)") }
        dockerfile.replaceSubrange(range, with: other)
    }

    mutating func file(_ name: String, is line: String?) {
        guard let index = files.firstIndex(where: { $0.split(separator: " ")[1] == name }) else {
            preconditionFailure("there is no file \(name)")
        }
        if let line { files[index] = line } else { files.remove(at: index) }
    }
}

/// A store in which one setup after the other is built.
final class KeyFixture: Sendable {
    private let scratch: FilePath
    private let counter = Mutex(0)
    let store: FilePath

    init() throws {
        let parent: FilePath = (try? Directory(opening: "/dev/shm")) != nil ? "/dev/shm" : "/tmp"
        let name = "lamina-keys-\(ProcessIdentity.current)-\(UInt64.random(in: 0 ... .max))"
        scratch = parent.appending(name)
        store = scratch.appending("store")
        try Directory(opening: parent).makeDirectory(PathBytes(name), permissions: 0o755)
    }

    deinit {
        let name = PathBytes(scratch.lastComponent?.string ?? "")
        try? Directory(opening: scratch.removingLastComponent()).removeTree(name)
    }

    /// Builds a setup in a context of its own, made anew as a clone of a repository is.
    ///
    /// - Returns: the instructions that ran, bases left out.
    func build(_ setup: KeySetup, output: BuildOutput = .none) async throws -> Set<String> {
        let number = counter.withLock { number in
            number += 1
            return number
        }
        let context = scratch.appending("context \(number)")
        try FileLines.make(setup.files, in: context)
        let directory = try Directory(opening: context)
        for line in setup.files {
            let name = PathBytes(String(line.split(separator: " ")[1]))
            if setup.owner != 0 { try directory.setOwner(name, setup.owner, setup.owner) }
            try directory.setModified(name, FileTime(seconds: setup.time))
        }
        let file = scratch.appending("Dockerfile.\(number)")
        try write(setup.dockerfile + "\n", to: file)
        var request = BuildRequest(context: context)
        request.dockerfile = file
        request.outputs = [output]
        request.options = BuildOptions(
            target: setup.target, buildArguments: setup.arguments, labels: setup.labels, noCache: setup.noCache)
        for (id, value) in setup.secrets {
            let path = scratch.appending("secret.\(number).\(id)")
            try write(value, to: path)
            request.secrets.append(try BuildSecret.parse("id=\(id),src=\(path)", environment: [:]))
        }
        let root = try StoreRoot(at: store)
        let images = ImageTransfer(store: root, registry: RegistryAccess(environment: [:]))
        let ran = Ran()
        _ = try await Build(
            request, store: root, images: images, progress: ProgressReporter { ran.receive($0) }
        ).run()
        return ran.labels
    }

    private func write(_ text: String, to path: FilePath) throws {
        let file = try OwnedDescriptor.open(
            path, .writeOnly, options: [.create, .truncate], permissions: FilePermissions(rawValue: 0o644))
        try file.write(Array(text.utf8).span)
    }
}

/// The instructions that ran.
private final class Ran: Sendable {
    private struct State {
        var labels: [StepID: String] = [:]
        var ran: Set<String> = []
    }

    private let state = Mutex(State())

    var labels: Set<String> { state.withLock { $0.ran } }

    func receive(_ event: BuildEvent) {
        state.withLock { state in
            switch event {
            case .started(let step, let label, _): state.labels[step] = label
            case .finished(let step, .done):
                // `[stage 2/3] COPY a b`; chores and bases have no instruction of their own.
                guard let label = state.labels[step], label.hasPrefix("["), !label.hasPrefix("[internal]"),
                    let bracket = label.firstRange(of: "] ")
                else { return }
                let instruction = String(label[bracket.upperBound...])
                if !instruction.hasPrefix("FROM ") { state.ran.insert(instruction) }
            default: break
            }
        }
    }
}
