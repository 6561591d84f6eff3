import SystemPackage
import Testing

/// Commands where the store is on a file system that takes no overlay, as in most containers: on an overlay.
@Suite("A store on an overlay", .enabled(if: Machine.isRoot, Machine.needsRoot))
struct StoreOnOverlayTests {
    /// Somebody who builds there.
    enum Builder: String, CaseIterable, Sendable {
        case root
        case rootInUserNamespace = "root, rootless"
        case plainUser = "rootless"
        case oneNumber = "rootless, without subordinate numbers"
    }

    /// Where the files of commands come from.
    enum Source: String, CaseIterable, Sendable {
        case copies
        case server = "fuse-overlayfs"

        /// The script that sets it up, in the mount namespace of the command.
        var preparation: String {
            switch self {
            case .copies:
                "if command -v fuse-overlayfs >/dev/null; then mount --bind /dev/null $(command -v fuse-overlayfs); fi"
            case .server:
                """
                [ -e "$0/fuse" ] || { mknod "$0/fuse" c 10 229 && chmod 666 "$0/fuse"; }
                mount --bind "$0/fuse" /dev/fuse
                """
            }
        }

        /// The line of `lamina doctor` about it.
        var words: String {
            switch self {
            case .copies: "Its files would be a copy of the layers"
            case .server: "Its files would be an overlay by /"
            }
        }
    }

    private static let hasServer = Machine.has("fuse-overlayfs") && (try? run("test", "-c", "/dev/fuse"))?.status == 0

    /// Runs `lamina` with its store on an overlay.
    private struct Bench {
        let builder: Builder
        private let user: PlainUser
        private let variables: [String: String]
        private let preparation: String

        /// Mounts an overlay in the directory `$0`, where only the command that follows sees it.
        private static let mount = """
            mkdir -p "$0/over/lower" "$0/over/upper" "$0/over/work" "$0/merged"
            mount -t overlay overlay \
                -o "lowerdir=$0/over/lower,upperdir=$0/over/upper,workdir=$0/over/work" "$0/merged"
            [ -d "$0/merged/home" ] || install -d -o \(PlainUser.number) "$0/merged/home"
            """

        init(_ builder: Builder, _ source: Source, variables: [String: String] = [:]) throws {
            self.builder = builder
            let variables = variables.merging(["NO_COLOR": "1"]) { $1 }
            var user = try PlainUser(builder == .oneNumber ? .none : .range, variables: variables)
            let preparation = Self.mount + "\n" + source.preparation
            self.preparation = preparation
            user.preparation = preparation
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
                    ["unshare", "--mount", "sh", "-ec", preparation + "\nexec \"$@\"", user.path.string, binary]
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

    @Test(arguments: Builder.allCases) func makesTheSameImagesWithCopies(_ builder: Builder) throws {
        try expectSameImages(builder, .copies)
    }

    @Test(.enabled(if: hasServer, "needs fuse-overlayfs and /dev/fuse"), arguments: Builder.allCases)
    func makesTheSameImagesWithServer(_ builder: Builder) throws { try expectSameImages(builder, .server) }

    /// Builds a third of the cases for each builder, all of them together.
    private func expectSameImages(_ builder: Builder, _ source: Source) throws {
        let shared = try IsolationMatrixTests.bench.get()
        let expected = try IsolationMatrixTests.expected.get()
        let bench = try Bench(builder, source, variables: shared.variables)
        #expect(try bench.succeeding(["doctor"]).outputText.contains(source.words))
        let turn = Builder.allCases.firstIndex(of: builder) ?? 0
        let cases = IsolationMatrixTests.cases.enumerated().filter { index, value in
            index % 3 == turn % 3 && !(builder == .oneNumber && value.exceptions.contains(.oneNumber))
                && !(source == .server && value.exceptions.contains(.server))
        }
        let images = try IsolationMatrixTests.images(of: cases.map(\.element)) { try bench.succeeding($0) }
        #expect(images.count > 5)
        for (name, image) in images where image != expected[name] {
            Issue.record("\(name): \(image) and not \(expected[name] ?? "")")
        }
    }

    @Test(arguments: Builder.allCases) func runsImagesWithCopies(_ builder: Builder) throws {
        try expectRuns(builder, .copies)
    }

    @Test(.enabled(if: hasServer, "needs fuse-overlayfs and /dev/fuse"), arguments: Builder.allCases)
    func runsImagesWithServer(_ builder: Builder) throws { try expectRuns(builder, .server) }

    private func expectRuns(_ builder: Builder, _ source: Source) throws {
        let bench = try Bench(builder, source)
        let context = try bench.context("FROM lamina/base\nRUN mkdir /d && touch /d/f\nRUN rm -r /d && mkdir /d\n")
        _ = try bench.succeeding(["build", "-t", "made", context.string])
        let finished = try bench.succeeding(["run", "--rm", "made", "sh", "-c", "ls /d; touch /new; id -u; echo $$"])
        #expect(finished.outputLines.prefix(1) == ["0"])
        _ = try bench.succeeding(["run", "--rm", "made", "test", "!", "-e", "/new"])
        // A command that fails says so, and leaves nothing behind.
        #expect(try bench.start(["run", "--rm", "made", "sh", "-c", "touch /new; exit 7"]).wait().status == 7)
        // The marks of the layers below are understood by whoever reads files of a stack.
        _ = try bench.succeeding(["fsck"])
    }
}
