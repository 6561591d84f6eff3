import SystemPackage
import Testing

/// One commit, built as differently as can be: `--reproducible` gives the very same image.
@Suite("--reproducible", .enabled(if: Machine.hasPlainUsers && Machine.has("git"), Machine.needsPlainUsers))
struct ReproducibleTests {
    private static let dockerfile = """
        FROM lamina/base
        WORKDIR /made
        COPY . /src/
        COPY dir/program /bin/
        RUN --mount=type=bind,target=/context cp /context/dir/program /made/copied
        RUN mkdir /old && touch -d @1000000000 /old
        RUN mkdir /made/dir && echo text >/made/dir/file && chown 7:8 /made/dir/file
        COPY --chown=5 <<F /etc/conf
        x
        F

        """

    /// The builder: its user, isolation and machine.
    enum Builder: String, CaseIterable, Sendable {
        case root
        case otherMaskAndOneCore = "root with another mask and one core"
        case rootless = "root, rootless"
        case chroot = "root, chroot"
        case container = "root of a container"
        case plainUser = "another user"

        var mask: String {
            switch self {
            case .otherMaskAndOneCore: "077"
            case .plainUser: "002"
            default: "022"
            }
        }
    }

    /// A repository of one commit.
    private struct Bench: Sendable {
        let scratch: Scratch
        let origin: FilePath

        init() throws {
            scratch = try Scratch()
            origin = scratch.path.appending("origin")
            try scratch.write(ReproducibleTests.dockerfile, to: "origin/Dockerfile")
            try scratch.write("program\n", to: "origin/dir/program")
            try expectSuccess(
                "sh", "-ec",
                """
                chmod 755 "$0" "$0/.."
                cd "$0" && chmod 755 dir/program && ln -s dir/program link
                export GIT_AUTHOR_DATE=@1600000000 GIT_COMMITTER_DATE="@1600000000 +0000"
                git init -q . && git add . && git -c user.name=a -c user.email=a@b commit -q -m one
                """, origin.string)
        }

        /// Clones the repository and builds the clone; gives the digest of the manifest.
        func build(as builder: Builder) throws -> String {
            let place = scratch.path.appending("\(builder)")
            let clone = place.appending("clone")
            try expectSuccess(
                "sh", "-ec", "mkdir -m 755 \"$1\"; umask \(builder.mask); git clone -q \"$0\" \"$1/clone\"",
                origin.string, place.string)
            let lamina = Lamina(root: place.appending("store"))
            let archive = place.appending("image.tar")
            let arguments = ["build", "--reproducible", "-o", "type=oci,dest=\(archive)", clone.string]
            let finished: Finished
            switch builder {
            case .root: finished = try lamina.start(arguments).wait()
            case .rootless: finished = try lamina.with(isolation: "rootless").start(arguments).wait()
            case .chroot: finished = try lamina.with(isolation: "chroot").start(arguments).wait()
            case .container: finished = try lamina.startInContainer(arguments).wait()
            case .otherMaskAndOneCore:
                let binary = try #require(Lamina.binary).string
                finished = try RunningProcess(
                    ["sh", "-ec", "umask 077; exec taskset -c 0 \"$@\"", "sh", binary] + arguments,
                    environment: ["LAMINA_ROOT": lamina.root.string]
                ).wait()
            case .plainUser:
                try expectSuccess("chown", "-R", "\(PlainUser.number)", place.string)
                let user = try PlainUser()
                finished = try user.start(["lamina"] + arguments).wait()
                withExtendedLifetime(user) {}
            }
            guard finished.status == 0 else { throw CommandFailure(description: finished.errorText) }
            return try expectSuccess("sh", "-ec", "sha256sum <\"$0\"", archive.string).trimmed
        }
    }

    private static let bench = Result { try Bench() }
    private static let expected = Result { try bench.get().build(as: .root) }

    @Test(arguments: Builder.allCases.filter { $0 != .root }) func givesTheSameImageAs(_ builder: Builder) throws {
        #expect(try Self.bench.get().build(as: builder) == (try Self.expected.get()))
    }

    @Test func givesTheSameImageWithoutTheRepositoryIfTheTimeIsGiven() throws {
        let bench = try Self.bench.get()
        let place = bench.scratch.path.appending("exported")
        try expectSuccess(
            "sh", "-ec", "mkdir \"$1\"; git -C \"$0\" archive HEAD | tar x -C \"$1\"", bench.origin.string, place.string
        )
        let archive = bench.scratch.path.appending("exported.tar")
        let lamina = Lamina(root: bench.scratch.path.appending("exported-store"))
        let arguments = ["--reproducible", "-o", "type=oci,dest=\(archive)", place.string]
        let refused = try lamina.start(["build"] + arguments).wait()
        #expect(refused.status == 1)
        #expect(refused.errorText.contains("--reproducible needs a time for the image"))
        try lamina.with(["SOURCE_DATE_EPOCH": "1600000000"]).succeeding(["build"] + arguments)
        let digest = try expectSuccess("sh", "-ec", "sha256sum <\"$0\"", archive.string).trimmed
        #expect(digest == (try Self.expected.get()))
    }

    @Test func refusesACheckoutWithChanges() throws {
        let scratch = try Scratch()
        let clone = scratch.path.appending("clone")
        try expectSuccess("git", "clone", "-q", try Self.bench.get().origin.string, clone.string)
        try scratch.write("new\n", to: "clone/new")
        let finished = try Lamina(root: scratch.path.appending("store"))("build", "--reproducible", clone.string)
        #expect(finished.status == 1)
        #expect(finished.errorText.contains("the checkout has changes ('new')"))
    }

    @Test(arguments: ["noon", "-1", "1e9", "1.5", "99999999999999", "9223372036854775808"])
    func refusesEpochsThatAreNone(_ epoch: String) throws {
        let scratch = try Scratch()
        let lamina = Lamina(root: scratch.path.appending("store"))
        let context = try scratch.context("FROM scratch\nCOPY Dockerfile /\n")
        for (finished, name) in [
            (try lamina.with(["SOURCE_DATE_EPOCH": epoch])("build", context.string), "SOURCE_DATE_EPOCH"),
            (try lamina("build", "--build-arg", "SOURCE_DATE_EPOCH=\(epoch)", context.string), "SOURCE_DATE_EPOCH"),
            (try lamina("build", "--timestamp", epoch, context.string), "--timestamp"),
            (
                try lamina("build", "-o", "type=image,source-date-epoch=\(epoch)", context.string), "source-date-epoch"
            ),
        ] {
            #expect(finished.status == (name == "SOURCE_DATE_EPOCH" ? 1 : 2))
            #expect(finished.errorText.contains("invalid \(name): \(epoch)"), "\(finished.errorText)")
        }
    }

    @Test func refusesAnEpochThatHasNotPassed() throws {
        let scratch = try Scratch()
        let context = try scratch.context("FROM scratch\nCOPY Dockerfile /\n")
        let lamina = Lamina(root: scratch.path.appending("store")).with(["SOURCE_DATE_EPOCH": "99999999999"])
        let finished = try lamina("build", "--reproducible", context.string)
        #expect(finished.status == 1)
        #expect(finished.errorText.contains("--reproducible needs a time that has passed"))
    }

    @Test func timestampIsTheTimeOfImageAndFiles() throws {
        let scratch = try Scratch()
        let lamina = Lamina(root: scratch.path.appending("store"))
        let context = try scratch.context("FROM scratch\nCOPY Dockerfile /\nENV A=b\n")
        let layout = scratch.path.appending("layout")
        var ids: Set<String> = []
        for time in ["2001-01-01", "2020-02-02"] {
            try expectSuccess("touch", "-d", time, context.appending("Dockerfile").string)
            ids.insert(
                try lamina.build(
                    context, "--no-cache", "-t", "a", "--timestamp", "1700000000", "-o",
                    "type=oci,tar=false,dest=\(layout)"))
        }
        #expect(ids.count == 1)
        let history = try lamina.succeeding("history", "--format", "{{.CreatedAt}}", "a").outputLines
        #expect(Set(history.map { $0.prefix(10) }) == ["2023-11-14"])
        let twice = try lamina.with(["SOURCE_DATE_EPOCH": "1"])("build", "--timestamp", "2", context.string)
        #expect(twice.status == 0)
        let both = try lamina("build", "--timestamp", "2", "--build-arg", "SOURCE_DATE_EPOCH=1", context.string)
        #expect(both.status == 2)
    }
}
