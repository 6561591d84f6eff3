import SystemPackage
import Testing

/// Commands where the store is on a file system that takes no overlay, as in most containers: on an overlay.
@Suite("A store on an overlay", .enabled(if: Machine.isRoot, Machine.needsRoot))
struct StoreOnOverlayTests {
    /// Somebody who builds there.
    enum Builder: String, CaseIterable, Sendable {
        case root
        case rootInUserNamespace = "root, rootless"
        case plainUser = "a plain user, rootless"
        case oneNumber = "a plain user without subordinate numbers"

        /// Without numbers, nothing can be given away.
        func canBuild(_ dockerfile: String) -> Bool {
            self != .oneNumber || !["chown", "chgrp", "USER", "uid="].contains { dockerfile.contains($0) }
        }
    }

    /// Runs `lamina` with its store on an overlay.
    private struct Bench {
        let builder: Builder
        private let user: PlainUser
        private let variables: [String: String]

        /// Mounts an overlay in the directory `$0`, where only the command that follows sees it.
        private static let mount = """
            mkdir -p "$0/over/lower" "$0/over/upper" "$0/over/work" "$0/merged"
            mount -t overlay overlay \
                -o "lowerdir=$0/over/lower,upperdir=$0/over/upper,workdir=$0/over/work" "$0/merged"
            [ -d "$0/merged/home" ] || install -d -o \(PlainUser.number) "$0/merged/home"
            """

        init(_ builder: Builder, variables: [String: String] = [:]) throws {
            self.builder = builder
            // The user's directory is not known yet.
            let variables = variables.merging(["NO_COLOR": "1"]) { $1 }
            var user = try PlainUser(builder == .oneNumber ? .none : .range, variables: variables)
            user.preparation = Self.mount
            user.store = user.path.appending("merged/home/store")
            self.user = user
            self.variables = variables
        }

        func start(_ arguments: [String]) throws -> RunningProcess {
            switch builder {
            case .plainUser, .oneNumber: return try user.start(["lamina"] + arguments)
            case .root, .rootInUserNamespace:
                let isolation = builder == .root ? "namespaces" : "rootless"
                let binary = try #require(Lamina.binary).string
                return try RunningProcess(
                    ["unshare", "--mount", "sh", "-ec", Self.mount + "\nexec \"$@\"", user.path.string, binary]
                        + arguments,
                    environment: variables.merging([
                        "LAMINA_ROOT": user.path.appending("merged/store").string, "LAMINA_ISOLATION": isolation,
                    ]) { $1 })
            }
        }

        func succeeding(_ arguments: [String]) throws -> Finished {
            let finished = try start(arguments).wait()
            guard finished.status == 0 else {
                throw CommandFailure(
                    description: "lamina \(arguments.joined(separator: " ")) ended with \(finished.status): "
                        + finished.errorText)
            }
            return finished
        }

        /// A context that is one Dockerfile.
        func context(_ dockerfile: String) throws -> FilePath { try user.context(dockerfile) }
    }

    /// A third of the cases for each, all of them together.
    @Test(arguments: Builder.allCases) func makesTheSameImages(_ builder: Builder) throws {
        let shared = try IsolationMatrixTests.bench.get()
        let expected = try IsolationMatrixTests.expected.get()
        let bench = try Bench(builder, variables: shared.variables)
        let turn = Builder.allCases.firstIndex(of: builder) ?? 0
        let cases = IsolationMatrixTests.cases.enumerated().filter { index, value in
            index % 3 == turn % 3 && builder.canBuild(value.text)
        }
        let images = try IsolationMatrixTests.images(of: cases.map(\.element)) { try bench.succeeding($0) }
        #expect(images.count > 5)
        for (name, image) in images where image != expected[name] {
            Issue.record("\(name): \(image) and not \(expected[name] ?? "")")
        }
    }

    @Test(arguments: Builder.allCases) func runsImages(_ builder: Builder) throws {
        let bench = try Bench(builder)
        let context = try bench.context("FROM lamina/base\nRUN mkdir /d && touch /d/f\nRUN rm -r /d && mkdir /d\n")
        _ = try bench.succeeding(["build", "-t", "made", context.string])
        let finished = try bench.succeeding(["run", "--rm", "made", "sh", "-c", "ls /d; touch /new; id -u; echo $$"])
        #expect(finished.outputLines.prefix(1) == ["0"])
        _ = try bench.succeeding(["run", "--rm", "made", "test", "!", "-e", "/new"])
        // The marks of the layers below are understood by whoever reads files of a stack.
        _ = try bench.succeeding(["fsck"])
    }
}
