import SystemPackage
import Testing

/// The same small Dockerfiles under every isolation that the machine offers: testdata/isolation/cases.txt.
@Suite("testdata/isolation", .enabled(if: Machine.hasPlainUsers, Machine.needsPlainUsers))
struct IsolationMatrixTests {
    /// Somebody who builds: under which isolation, and as whom.
    enum Builder: String, CaseIterable, Sendable {
        case rootInUserNamespace = "root, rootless"
        case rootInChroot = "root, chroot"
        case container = "root of a container that was given nothing"
        case plainUser = "rootless"
        case plainUserWithOneNumber = "rootless, without subordinate numbers"

        /// The name of this builder's limits in testdata/isolation/cases.txt.
        var limits: Limits? {
            switch self {
            case .rootInChroot, .container: .chroot
            case .plainUserWithOneNumber: .oneNumber
            case .rootInUserNamespace, .plainUser: nil
            }
        }

        /// Runs `lamina` as this builder, to its end.
        func run(_ arguments: [String], _ bench: Bench) throws -> Finished {
            let lamina = Lamina(root: bench.scratch.path.appending("\(self)")).with(bench.variables)
            switch self {
            case .rootInUserNamespace: return try lamina.with(isolation: "rootless").start(arguments).wait()
            case .rootInChroot: return try lamina.with(isolation: "chroot").start(arguments).wait()
            case .container: return try lamina.startInContainer(arguments).wait()
            case .plainUser: return try bench.user.start(["lamina"] + arguments).wait()
            case .plainUserWithOneNumber: return try bench.poorUser.start(["lamina"] + arguments).wait()
            }
        }
    }

    /// Features that some builders cannot give their commands.
    enum Limits: String, CaseIterable, Sendable {
        case chroot = "chroot"
        case oneNumber = "one number"
        case server = "fuse-overlayfs"
    }

    /// One Dockerfile, and who cannot build it.
    struct Case: Sendable {
        let name: String
        var text = "FROM matrix/base\n"
        var exceptions: [Limits] = []
    }

    /// The files, and the users with their stores, that all cases share.
    struct Bench: Sendable {
        let scratch: Scratch
        let user: PlainUser
        let poorUser: PlainUser
        let variables = ["SOURCE_DATE_EPOCH": "1000000000"]

        init() throws {
            scratch = try Scratch()
            user = try PlainUser(variables: variables)
            poorUser = try PlainUser(.none, variables: variables)
            try expectSuccess("chmod", "755", scratch.path.string)
            let files = IsolationMatrixTests.folder
            try scratch.write(try text(of: files.appending("settled")), to: "base/settled")
            try scratch.write(
                """
                FROM lamina/base
                COPY --chmod=755 settled /bin/settled
                SHELL ["/bin/settled", "-c"]

                """, to: "base/Dockerfile")
            for one in IsolationMatrixTests.cases { try scratch.write(one.text, to: "dockerfiles/\(one.name)") }
            try expectSuccess(
                "sh", "-ec",
                """
                mkdir -p "$0/context/dir" && cd "$0/context"
                echo file >file && echo secret >secret && chmod 600 secret
                echo program >dir/program && chmod 755 dir/program && ln -s ../file dir/link
                find "$0/base" "$0/context" -exec touch -h -d @1000000000 {} +
                chown -R \(PlainUser.number) "$0/context"
                """, scratch.path.string)
        }
    }

    static let folder = Lamina.packageRoot.appending("testdata/isolation")

    static let cases: [Case] = {
        guard let all = try? text(of: folder.appending("cases.txt")) else { return [] }
        var cases: [Case] = []
        for line in all.lines {
            if line.hasPrefix("=== ") {
                cases.append(Case(name: String(line.dropFirst(4))))
            } else if let last = cases.indices.last {
                if line.hasPrefix("--- not with ") {
                    let name = line.dropFirst("--- not with ".count).prefix { $0 != ":" }
                    if let limits = Limits(rawValue: String(name)) { cases[last].exceptions.append(limits) }
                } else {
                    cases[last].text += line + "\n"
                }
            }
        }
        return cases
    }()

    static let bench = Result { try Bench() }

    /// The images of root with namespaces, by case: what all others must come to.
    static let expected = Result {
        let bench = try Self.bench.get()
        let lamina = Lamina(root: bench.scratch.path.appending("store")).with(bench.variables)
        return try images { try lamina.start($0).wait() }
    }

    /// Builds cases and gives the ID of each image, or its failure.
    static func images(
        of cases: [Case] = cases, _ run: ([String]) throws -> Finished
    ) throws -> [String: String] {
        let scratch = try Self.bench.get().scratch
        func build(_ arguments: [String], _ context: String) throws -> String {
            let built = try run(["build", "-q"] + arguments + [scratch.path.appending(context).string])
            return built.status == 0 ? built.trimmed : built.errorText
        }
        let base = try build(["-t", "matrix/base"], "base")
        guard base.hasPrefix("sha256:") else { throw CommandFailure(description: base) }
        var images: [String: String] = [:]
        for one in cases {
            let file = scratch.path.appending("dockerfiles/\(one.name)")
            images[one.name] = try build(["-f", file.string], "context")
        }
        return images
    }

    @Test func hasManyCases() throws {
        #expect(Self.cases.count >= 40)
        #expect(Set(Self.cases.map(\.name)).count == Self.cases.count)
    }

    @Test func buildsAllAsRoot() throws {
        for (name, image) in try Self.expected.get() { #expect(image.hasPrefix("sha256:"), "\(name): \(image)") }
    }

    @Test(arguments: Builder.allCases) func buildsTheSameAs(_ builder: Builder) throws {
        let bench = try Self.bench.get()
        let expected = try Self.expected.get()
        let images = try Self.images { try builder.run($0, bench) }
        for one in Self.cases {
            let image = images[one.name] ?? ""
            if let limits = builder.limits, one.exceptions.contains(limits) {
                // An exception is an error, never another image.
                #expect(!image.hasPrefix("sha256:") && image.contains("ERROR: "), "\(one.name): \(image)")
            } else if image != expected[one.name] {
                Issue.record("\(one.name): \(image) and not \(expected[one.name] ?? "")")
            }
        }
    }
}
