import Diagnostics
import DockerfileSyntax
import FoundationEssentials
import OCI
import Testing

@testable import Frontend

/// The rules of our own, and CopyIgnoredFile, with what breaks them and what does not.
@Suite struct AdviceTests {
    /// The rules a Dockerfile breaks in a check, as far as they are in `rules`.
    private func broken(
        _ text: String, only rules: Set<String>, ignore: [String] = [], files: [String] = [], isCheck: Bool = true,
        target: String? = nil
    ) async throws -> [Warning] {
        var options = BuildOptions(target: target, checksAllStages: isCheck && target == nil)
        options.givesAdvice = isCheck
        options.ignoreRules = try IgnoreRules(patterns: ignore)
        options.contextFiles = { word in word == "." ? files : files.filter { $0 == word } }
        let log = WarningLog()
        let names = ["debian:12", "debian:latest", "debian:12@sha256:\(Self.hex)", "node:22"]
        let images = try names.map { (try ImageReference(parsing: $0).description, try image()) }
        let resolver = FakeResolver(Dictionary(uniqueKeysWithValues: images))
        _ = try? await lower(parse(text, options), options, resolver: resolver, log: log)
        return log.warnings.filter { rules.contains($0.rule) }
    }

    private static let hex = String(repeating: "a", count: 64)

    @Test(arguments: [
        "apt-get update && apt-get install -y curl",
        "apt-get update && apt-get install -y curl && apt-get clean",
        "apt update; apt install -y curl; rm -rf /tmp/*",
        "set -ex; if true; then sudo apt-get -qq update; fi",
        "[\"sh\", \"-c\", \"apt-get update\"]",
        "<<E\napt-get update\napt-get install -y curl\nE",
        "apk add curl", "apk update && apk add curl", "apk --update add curl",
        "dnf install -y curl", "yum -y install curl", "microdnf install curl", "zypper -n install curl",
        "--mount=type=cache,target=/var/cache/apt apt-get update && apt-get install -y curl",
    ])
    func packageCacheLeft(_ command: String) async throws {
        #expect(try await broken("FROM scratch\nRUN \(command)\n", only: ["AptCacheLeft"]).count == 1)
    }

    @Test(arguments: [
        "apt-get update && apt-get install -y curl && rm -rf /var/lib/apt/lists/*",
        "apt-get update && apt-get install -y curl && rm -rf /var/lib/{apt,dpkg,cache,log}/",
        "apt-get update && apt-get install -y curl \\\n  # tidy\n  && rm -rf /var/lib/apt/lists",
        "apt-get update && apt-get install -y curl && apt-get distclean",
        "apt-get install -y curl", "echo 'apt-get update'", "echo apt-get update", "# apt-get update", "[]",
        "apk add --no-cache curl", "apk --no-cache add curl", "apk add curl && rm -rf /var/cache/apk/*",
        "dnf install -y curl && dnf clean all", "yum -y install curl && rm -rf /var/cache/yum",
        "dnf remove -y curl", "zypper -n install curl && zypper clean --all",
        "--mount=type=cache,target=/var/lib/apt --mount=type=cache,target=/var/cache/apt apt-get update",
        "--mount=type=tmpfs,dst=/var/lib/apt/lists apt-get update", "--mount=type=cache,target=/var apt-get update",
    ])
    func packageCacheTidy(_ command: String) async throws {
        #expect(try await broken("FROM scratch\nRUN \(command)\n", only: ["AptCacheLeft"]).isEmpty)
    }

    /// Layers that no image has are nobody's waste.
    @Test func packageCacheOfStagesThatAreNotShipped() async throws {
        let text = """
            FROM scratch AS base
            RUN apt-get update
            FROM scratch AS tool
            RUN apt-get update
            FROM base AS app
            COPY --from=tool /x /x
            FROM scratch AS other
            RUN apt-get update

            """
        let rules: Set = ["AptCacheLeft"]
        let check = try await broken(text, only: rules)
        #expect(check.map(\.location.lines.lowerBound) == [2, 8])
        let build = try await broken(text, only: rules, isCheck: false, target: "app")
        #expect(build.map(\.location.lines.lowerBound) == [2])
    }

    @Test(arguments: [
        ("COPY . .\nRUN npm ci", "npm"), ("COPY . /app\nRUN cd /app && npm install --production", "npm"),
        ("ADD ./ /app\nRUN pip install --no-cache-dir -r requirements.txt", "pip"),
        ("COPY . .\nRUN python3 -m pip install -r requirements.txt", "pip"),
        ("COPY . .\nRUN go mod download", "go mod"),
        ("COPY . .\nRUN cargo build --release", "cargo"), ("COPY . .\nRUN bundle install", "bundle"),
        ("COPY . .\nRUN composer install --no-dev", "composer"), ("COPY . .\nRUN yarn", "yarn"),
        ("COPY . .\nRUN pnpm i --frozen-lockfile", "pnpm"), ("COPY --chown=1 . .\nRUN poetry install", "poetry"),
        ("COPY . .\nRUN uv sync --locked", "uv"), ("COPY . .\nRUN dotnet restore", "dotnet"),
        ("COPY [\".\", \"/app\"]\nRUN mvn -B dependency:go-offline", "mvn"),
    ])
    func copyBeforeInstall(_ body: String, _ tool: String) async throws {
        let found = try await broken("FROM scratch\n\(body)\n", only: ["CopyBeforeInstall"])
        #expect(found.map(\.location.lines) == [2...2])
        #expect(found.first?.message.contains("'\(tool)' on line 3") == true)
    }

    @Test(arguments: [
        "COPY package.json ./\nRUN npm ci\nCOPY . .",
        "COPY package.json ./\nRUN npm ci\nCOPY . .\nRUN npm ci --omit=dev",
        "COPY . .\nRUN npm install -g serve", "COPY . .\nRUN npm run build", "COPY . .\nRUN go build ./...",
        "COPY . .\nRUN pip install .", "COPY . .\nRUN pip install flask", "COPY src .\nRUN npm ci", "RUN npm ci",
        "COPY --from=node:22 . .\nRUN npm ci", "COPY . .\nRUN echo npm ci", "COPY . .\nRUN yarn build",
    ])
    func copyAfterInstall(_ body: String) async throws {
        #expect(try await broken("FROM scratch\n\(body)\n", only: ["CopyBeforeInstall"]).isEmpty)
    }

    @Test(arguments: [
        ("ADD . /app", true), ("ADD a.txt b.conf /etc/", true), ("ADD src/ /src/", true), ("ADD <<E /x\ny\nE", true),
        ("ADD a.tar.gz /", false), ("ADD a.TGZ /", false), ("ADD *.tar /", false), ("ADD build/* /", false),
        ("ADD http://h/a /", false), ("ADD git@h:r.git /", false), ("ADD --unpack=true a /", false),
        ("COPY a b /", false), ("ARG F=a.tar\nADD $F /", false), ("ARG F=a.txt\nADD $F /", true),
    ])
    func addInsteadOfCopy(_ body: String, _ isBroken: Bool) async throws {
        let found = try await broken("FROM scratch\n\(body)\n", only: ["AddInsteadOfCopy"])
        #expect(found.count == (isBroken ? 1 : 0))
    }

    @Test(arguments: [
        ("debian:12", ["UnpinnedBase"]), ("debian", ["LatestTag", "UnpinnedBase"]),
        ("debian:latest", ["LatestTag", "UnpinnedBase"]), ("debian:12@sha256:\(hex)", []), ("scratch", []),
        ("h:5000/debian", ["LatestTag", "UnpinnedBase"]),
    ])
    func bases(_ name: String, _ rules: [String]) async throws {
        let found = try await broken("FROM \(name)\n", only: ["UnpinnedBase", "LatestTag"])
        #expect(found.map(\.rule) == rules)
    }

    @Test func stagesAreNoBases() async throws {
        let text = "ARG V=12\nFROM debian:$V AS a\nFROM a\n"
        let found = try await broken(text, only: ["UnpinnedBase", "LatestTag"])
        #expect(found.map(\.message) == ["Base image \"debian:12\" is not pinned to a digest (@sha256:...)"])
    }

    @Test(
        "A file named as a secret is found",
        arguments: [
            ".env", "deploy/.env.production", ".npmrc", "a/id_rsa", "id_ed25519", "tls/server-key.pem", "privkey.pem",
            "server.key", ".netrc", ".aws/credentials", "x/.docker/config.json", "store.p12", ".ENV", "secrets.yaml",
        ])
    func secrets(_ path: String) async throws {
        #expect(SecretNames.isSecret(path))
        let found = try await broken("FROM scratch\nCOPY . /\n", only: ["SecretInContext"], files: ["a.txt", path])
        #expect(
            found.map(\.message) == ["COPY takes what looks like a secret into the image: \"\(path)\""])
    }

    @Test(arguments: [
        "a.txt", ".env.example", "env", "id_rsa.pub", "cert.pem", "public-key.pem", "config.json", "keys.go",
        "node_modules/x/.npmrc", "testdata/server.key", "credentials.go", ".environment", "public.key",
    ])
    func noSecrets(_ path: String) async throws {
        #expect(!SecretNames.isSecret(path))
        #expect(try await broken("FROM scratch\nCOPY . /\n", only: ["SecretInContext"], files: [path]).isEmpty)
    }

    @Test func manySecretsAreOneWarning() async throws {
        let found = try await broken(
            "FROM scratch\nADD . /\n", only: ["SecretInContext"], files: [".env", "a.key", "b.key", "c.key", "d.key"])
        #expect(
            found.map(\.message) == [
                "ADD takes what looks like a secret into the image: \".env\", \"a.key\", \"b.key\" and 2 more"
            ])
    }

    /// Instruction, ignore patterns separated by blanks, and what is reported, as far as it varies.
    private static let ignored: [(String, String, String?)] = [
        ("COPY a.log /", "*.log", "Copy file \"a.log\""), ("ADD a.log /", "*.log", "Add file \"a.log\""),
        ("COPY dir/x /", "dir", "Copy file \"dir/x\""), ("COPY ./a.log /", "*.log", "Copy file \"a.log\""),
        ("ARG F=a\nCOPY $F.log /", "*.log", "Copy file \"a.log\""), ("COPY . /", "*", "Copy file \".\""),
        ("COPY a.log /", "*.log !b.log", nil), ("COPY . /", "*.log", nil), ("COPY a.txt /", "*.log", nil),
        ("COPY --from=node:22 a.log /", "*.log", nil), ("ADD http://h/a.log /", "*.log", nil),
        ("COPY <<a.log /\nx\na.log", "*.log", nil), ("COPY a.log /", "", nil),
    ]

    @Test(arguments: ignored)
    func ignoredFiles(_ body: String, _ ignore: String, _ what: String?) async throws {
        let patterns = ignore.split(separator: " ").map(String.init)
        let found = try await broken(
            "FROM scratch\n\(body)\n", only: ["CopyIgnoredFile"], ignore: patterns, isCheck: false)
        let expected = what.map { "Attempting to \($0) that is excluded by .dockerignore" }
        #expect(found.map(\.message) == [expected].compactMap(\.self))
    }

    @Test("A skipped rule gives no advice", arguments: ["# check=skip=AptCacheLeft\n", "# check=skip=all\n"])
    func skipped(_ directive: String) async throws {
        let text = "\(directive)FROM scratch\nRUN apt-get update\n"
        #expect(try await broken(text, only: ["AptCacheLeft"]).isEmpty)
    }

    @Test func skippedForOneInstruction() async throws {
        let text = "FROM scratch\n# check=skip=AptCacheLeft\nRUN apt-get update\nRUN apt-get update\n"
        let found = try await broken(text, only: ["AptCacheLeft"])
        #expect(found.map(\.location.lines) == [4...4])
        #expect(found.first?.page == "lamina help AptCacheLeft")
    }

    /// Builds are told of waste and leaks only, and advice makes none fail.
    @Test("The advice for a Dockerfile is found and can be skipped")
    func advice() async throws {
        let text = "# check=error=true\nFROM debian\nADD . /\nRUN npm ci\nRUN apt-get update\n"
        let rules: Set = ["LatestTag", "UnpinnedBase", "AddInsteadOfCopy", "CopyBeforeInstall", "AptCacheLeft"]
        #expect(Set(try await broken(text, only: rules).map(\.rule)) == rules)
        #expect(try await broken(text, only: rules, isCheck: false).map(\.rule) == ["AptCacheLeft"])
        let resolver = FakeResolver([try ImageReference(parsing: "debian").description: try image()])
        let plan = try await plan(text, BuildOptions(), resolver: resolver)
        #expect(plan.warnings.map(\.isAdvice) == [true])
    }

    /// Each rule of our own has a page, which shows how to skip it.
    @Test(
        "Each rule of Lamina has a page",
        arguments: [
            LintRule.addInsteadOfCopy, .packageCacheLeft, .copyBeforeInstall, .deletedLater, .latestTag,
            .secretInContext,
            .unpinnedBase,
        ])
    func page(_ rule: LintRule) throws {
        let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        #expect(rule.page == "lamina help \(rule.name)")
        let page = try String(contentsOfFile: "/\(root)/docs/rules/\(rule.name).md", encoding: .utf8)
        #expect(page.hasPrefix("# \(rule.name)\n"))
        #expect(page.contains("# check=skip=\(rule.name)"))
        #expect(rule.url == nil)
    }

    @Test func warningsOfABuildThatFails() async throws {
        let log = WarningLog()
        let dockerfile = try parse("FROM scratch\nCMD x\nSTOPSIGNAL nope\n")
        await #expect(throws: FrontendError.self) {
            try await lower(dockerfile, BuildOptions(), resolver: FakeResolver(), log: log)
        }
        #expect(log.warnings.map(\.rule) == ["JSONArgsRecommended"])
    }

    @Test("Deleted files and secrets are found in layers")
    func layers() async throws {
        let text = "FROM scratch\nRUN a\n# check=skip=DeletedLater\nRUN b\nRUN c\nCOPY x /y\n"
        let log = WarningLog()
        let checks = try await lower(parse(text), BuildOptions(), resolver: FakeResolver(), log: log).layerChecks
        for lines in [4...4, 5...5] {
            checks.report(Deletion(lines: lines, madeAt: [2], fileCount: 2, bytes: 12_345_678, largest: "big"))
        }
        checks.report(Deletion(lines: 5...5, madeAt: [2, 4], fileCount: 1, bytes: 999, largest: "small"))
        checks.reportSecrets([".env"], at: Diagnostics.SourceRange(file: "Dockerfile", lines: 6...6), keyword: "COPY")
        #expect(
            log.warnings.map(\.summary) == [
                "DeletedLater: This step deletes 2 files such as \"/big\", but the layer of line 2 still holds them: "
                    + "12.3 MB of the image; delete them in the step that makes them (line 5)",
                "DeletedLater: This step deletes \"/small\", but the layers of lines 2, 4 still hold it: "
                    + "999 bytes of the image; delete it in the step that makes it (line 5)",
                "SecretInContext: COPY takes what looks like a secret into the image: \".env\" (line 6)",
            ])
    }
}
