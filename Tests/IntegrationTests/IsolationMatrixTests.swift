import SystemPackage
import Testing

/// The same small Dockerfiles under every isolation that the machine offers: testdata/isolation/cases.txt.
@Suite("testdata/isolation", .enabled(if: Machine.isRoot, Machine.needsRoot))
struct IsolationMatrixTests {
    /// Somebody who builds: under which isolation, and as whom.
    enum Builder: String, CaseIterable, Sendable {
        case rootInUserNamespace = "root, rootless"
        case plainUser = "a plain user, rootless"

        /// The command line that builds, and the name of the store it builds in.
        func run(_ arguments: [String], _ bench: Bench) throws -> Finished {
            switch self {
            case .rootInUserNamespace:
                let options = arguments.first == "build" ? ["build", "--isolation=rootless"] : [arguments[0]]
                return try Lamina(root: bench.scratch.path.appending("rootless-store")).with(bench.variables)
                    .succeeding(options + arguments.dropFirst())
            case .plainUser: return try bench.user.succeeding(["lamina"] + arguments)
            }
        }
    }

    /// What all cases share: the files, and the users with their stores.
    struct Bench: Sendable {
        let scratch: Scratch
        let user: PlainUser
        let variables = ["SOURCE_DATE_EPOCH": "1000000000"]

        init() throws {
            scratch = try Scratch()
            user = try PlainUser(variables: variables)
            try expectSuccess("chmod", "755", scratch.path.string)
            let files = IsolationMatrixTests.folder
            try scratch.write(try text(of: files.appending("settled")), to: "base/settled")
            try scratch.write(
                """
                FROM lamina/base
                COPY --chmod=755 settled /bin/settled
                SHELL ["/bin/settled", "-c"]

                """, to: "base/Dockerfile")
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

    /// Name and text of each case.
    static let cases: [(name: String, text: String)] = {
        guard let all = try? text(of: folder.appending("cases.txt")) else { return [] }
        var cases: [(name: String, text: String)] = []
        for line in all.lines {
            if line.hasPrefix("=== ") {
                cases.append((String(line.dropFirst(4)), "FROM matrix/base\n"))
            } else if !cases.isEmpty {
                cases[cases.count - 1].text += line + "\n"
            }
        }
        return cases
    }()

    static let bench = Result { try Bench() }

    /// The images of root with namespaces, by case: what all others must come to.
    static let expected = Result {
        let bench = try Self.bench.get()
        let lamina = Lamina(root: bench.scratch.path.appending("store")).with(bench.variables)
        return try images { try lamina.succeeding($0) }
    }

    /// Builds cases and gives the ID of each image, or its failure.
    static func images(
        of cases: [(name: String, text: String)] = cases, _ run: ([String]) throws -> Finished
    ) throws -> [String: String] {
        let scratch = try Self.bench.get().scratch
        func build(_ arguments: [String], _ context: String) throws -> String {
            try run(["build", "-q"] + arguments + [scratch.path.appending(context).string]).trimmed
        }
        _ = try build(["-t", "matrix/base"], "base")
        var images: [String: String] = [:]
        for (name, text) in cases {
            let file = try scratch.write(text, to: "dockerfiles/\(name)")
            do { images[name] = try build(["-f", file.string], "context") } catch { images[name] = "\(error)" }
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
        #expect(images.count == expected.count)
        for (name, image) in images where image != expected[name] {
            Issue.record("\(name): \(image) and not \(expected[name] ?? "")")
        }
    }
}
