import Inspector
import Layers
import Linux
import OCI
import SystemPackage
import Testing

@testable import Advice

/// Files of layers whose bytes are in memory, by their paths.
private struct MemoryContents: LayerContents {
    let files: [PathBytes: String]

    func directory(of layer: Int) throws -> FilePath? { nil }
    func blob(of layer: Int) throws -> (any ByteStream)? { nil }
    func file(_ entry: LayerEntry, of layer: Int) throws -> (any ByteStream)? {
        files[entry.path].map { PrefixedStream(Array($0.utf8)[...], Empty()) }
    }

    private final class Empty: ByteStream {
        func read(into buffer: inout [UInt8]) throws -> Int { 0 }
    }
}

@Suite struct ManifestOrderTests {
    // MARK: Commands

    @Test(arguments: [
        "RUN npm ci", "RUN npm ci --omit=dev && npm cache clean --force", "RUN npm install --no-audit", "RUN yarn",
        "RUN yarn --frozen-lockfile", "RUN yarn install --production", "RUN pip install -r requirements.txt",
        "RUN pip3 install --no-cache-dir -r a.txt -rb.txt --requirement=c.txt",
        "RUN python3 -m pip install -U -r requirements.txt", "RUN go mod download -x",
        "RUN bundle install --jobs=4 -j8", "RUN apk add --no-cache git && npm ci",
        "RUN --mount=type=cache,target=/root/.npm npm ci",
    ])
    func dependenciesAreInstalledFromWhatAManifestNames(_ text: String) {
        #expect(ManifestOrder.install(text) != nil)
    }

    @Test(arguments: [
        "RUN npm ci && npm run build", "RUN npm install left-pad", "RUN npm ci --prefix=web", "RUN yarn build",
        "RUN pip install -r requirements.txt .", "RUN pip install -r ../requirements.txt", "RUN pip install flask",
        "RUN pip install -r", "RUN pip install -r requirements.txt -t lib", "RUN go build", "RUN go mod tidy",
        "RUN bundle install --path vendor", "RUN cd web && npm ci", "RUN npm ci --workspace a", "RUN apk add git",
        "RUN --mount=type=bind,target=. npm ci", "RUN npm", "COPY . .", "RUN make", "RUN python3 -m pip",
        "RUN bundle install -j",
    ])
    func otherCommandsMayReadMore(_ text: String) { #expect(ManifestOrder.install(text) == nil) }

    // MARK: Manifests

    private static let manifests: [(command: String, file: String, text: String, isWhole: Bool)] = [
        ("npm ci", "package.json", #"{"dependencies":{"a":"^1.0.0"},"scripts":{"build":"x"}}"#, true),
        ("npm ci", "package.json", #"{"dependencies":{"a":"file:../a"}}"#, false),
        ("npm ci", "package.json", #"{"devDependencies":{"a":"./a"}}"#, false),
        ("npm ci", "package.json", #"{"scripts":{"postinstall":"node x.js"}}"#, false),
        ("npm ci --ignore-scripts", "package.json", #"{"scripts":{"postinstall":"node x.js"}}"#, true),
        ("npm ci", "package.json", #"{"workspaces":["a"]}"#, false),
        ("npm ci", "package.json", #"{"overrides":{"a":{"b":"file:c"}}}"#, false),
        ("npm ci", "package.json", "[]", false), ("npm ci", "package.json", "", false),
        ("npm ci", "package-lock.json", #"{"packages":{"node_modules/a":{"version":"1"}}}"#, true),
        ("npm ci", "package-lock.json", #"{"packages":{"node_modules/a":{"resolved":"a","link":true}}}"#, false),
        ("yarn", "yarn.lock", "a@^1:\n  version \"1\"\n", true),
        ("yarn", "yarn.lock", "\"a@file:./a\":\n  version \"1\"\n", false),
        (
            "pip install -r r.txt", "r.txt",
            "# all\nflask[async]==3.0 ; python_version > \"3\"  # web\n\nurllib3>=2 \\\n    --hash=sha256:ab\n", true
        ),
        ("pip install -r r.txt", "r.txt", "-r base.txt\n", false), ("pip install -r r.txt", "r.txt", "-e .\n", false),
        ("pip install -r r.txt", "r.txt", "./a.whl\n", false), ("pip install -r r.txt", "r.txt", "a.whl\n", false),
        ("pip install -r r.txt", "r.txt", "a @ file:///x\n", false),
        ("pip install -r r.txt", "r.txt", "--pre\na\n", false),
        ("go mod download", "go.mod", "module a\nrequire b v1.0.0\nreplace b => c v1.0.0\n", true),
        ("go mod download", "go.mod", "module a\nreplace b => ../b\n", false),
        ("go mod download", "go.mod", "module a\nreplace (\n  b v1 => /b\n)\n", false),
        ("bundle install", "Gemfile", "source 'https://x'\ngem 'rack', require: false\n", true),
        ("bundle install", "Gemfile", "gemspec\n", false), ("bundle install", "Gemfile", "gem 'a', path: 'a'\n", false),
        ("bundle install", "Gemfile", "eval_gemfile 'x'\n", false),
        ("bundle install", "Gemfile.lock", "PATH\n  remote: .\n", false),
        ("bundle install", "Gemfile.lock", "GEM\n  remote: https://x/\n", true),
    ]

    @Test(arguments: manifests.indices) func manifestsThatReferToOtherFilesAreTold(_ index: Int) throws {
        let (command, file, text, isWhole) = Self.manifests[index]
        let install = try #require(DependencyInstall(command.split(separator: " ").map(String.init)))
        #expect((install.required + install.optional).contains(file))
        #expect(install.isSelfContained(file, Array(text.utf8)) == isWhole)
    }

    // MARK: Images

    private static let package = #"{"dependencies":{"a":"1"}}"#
    private static let modules = ["app/node_modules/a.js": String(repeating: "m", count: 9000)]

    /// The advice of kind `manifest-first` for steps that have files by their paths; `-` stands for a removal.
    private func advice(_ steps: [(String, [String: String])], directory: String = "/app") throws -> [String] {
        var config = ImageConfig(platform: .host)
        config.config.workingDirectory = directory
        var files: [PathBytes: String] = [:]
        var inputs: [AnalyzedLayerInput] = []
        var origins: [LayerOrigin?] = []
        for (index, (text, content)) in steps.enumerated() {
            let isEmpty = content.isEmpty
            config.history.append(History(createdBy: text, emptyLayer: isEmpty))
            guard !isEmpty else { continue }
            let entries = content.map { path, text in
                if text == "-" { return LayerEntry(path: PathBytes(path), kind: .whiteout) }
                files[PathBytes(path)] = text
                return LayerEntry(
                    path: PathBytes(path), kind: .regular, permissions: 0o644, size: Int64(text.utf8.count),
                    contentHash: ContentHash.update(0, Array(text.utf8).span))
            }
            inputs.append(
                AnalyzedLayerInput(diffID: .empty, fileList: FileList(entries, tarSize: 0), createdBy: text))
            origins.append(LayerOrigin(lines: (index + 1)...(index + 1), text: text, isBase: text.hasPrefix("FROM")))
        }
        let image = InspectedImage(config: config, layers: inputs, contents: MemoryContents(files: files))
        return try Advice.advice(for: image, origins: origins).filter { $0.kind == .manifestFirst }.map { advice in
            let line = origins[advice.layer]?.lineText ?? ""
            let cause = advice.cause.flatMap { origins[$0]?.lineText } ?? ""
            let paths = advice.examples.map(\.text).sorted().joined(separator: " ")
            return "\(line) after \(cause), \(advice.files.bytes) bytes: \(paths)"
        }
    }

    private static let workdir = ("WORKDIR /app", [String: String]())

    @Test func allIsCopiedBeforeWhatNeedsTheManifestOnly() throws {
        let project = ["app/package.json": Self.package, "app/package-lock.json": "{}", "app/main.js": "x"]
        #expect(
            try advice([Self.workdir, ("COPY . .", project), ("RUN npm ci", Self.modules)])
                == ["3 after 2, 9000 bytes: app/package-lock.json app/package.json"])
        // Nothing but the manifest comes first already.
        #expect(
            try advice([
                Self.workdir, ("COPY package.json .", ["app/package.json": Self.package]),
                ("RUN npm ci", Self.modules), ("COPY . .", project),
            ]) == [])
        // The manifest is copied by itself, but too late.
        #expect(
            try advice([
                Self.workdir, ("COPY src src", ["app/src/main.js": "x"]),
                ("COPY package.json .", ["app/package.json": Self.package]), ("RUN npm ci", Self.modules),
            ]) == ["4 after 2, 9000 bytes: app/package.json"])
    }

    @Test func whatCannotBeProvenIsNotAdvised() throws {
        let project = ["app/package.json": Self.package, "app/main.js": "x"]
        func changed(_ other: [String: String]) -> [String: String] { project.merging(other) { $1 } }
        let copy = ("COPY . .", project)
        let cases: [[(String, [String: String])]] = [
            // The manifest is missing, or refers to other files, or another file makes the command read more.
            [Self.workdir, ("COPY . .", ["app/main.js": "x"]), ("RUN npm ci", Self.modules)],
            [
                Self.workdir, ("COPY . .", changed(["app/package.json": "{\"workspaces\":[]}"])),
                ("RUN npm ci", Self.modules),
            ],
            [Self.workdir, ("COPY . .", changed(["app/binding.gyp": "x"])), ("RUN npm ci", Self.modules)],
            // The step replaces or removes copied files, or writes beside them.
            [Self.workdir, copy, ("RUN npm ci", Self.modules.merging(["app/package.json": "{}"]) { $1 })],
            [Self.workdir, copy, ("RUN npm ci", Self.modules.merging(["app/main.js": "-"]) { $1 })],
            [Self.workdir, ("COPY . .", changed(["app/node_modules/b": "x"])), ("RUN npm ci", Self.modules)],
            // Settings change between both steps; the files come from another stage; another step needs them.
            [Self.workdir, copy, ("ENV A=b", [:]), ("RUN npm ci", Self.modules)],
            [Self.workdir, ("COPY --from=x . .", project), ("RUN npm ci", Self.modules)],
            [Self.workdir, copy, ("RUN make", ["app/out": "x"]), ("RUN npm ci", Self.modules)],
            // The working directory is another one.
            [copy, ("RUN npm ci", Self.modules)],
            [("WORKDIR /srv", [:]), copy, ("RUN npm ci", Self.modules), Self.workdir],
        ]
        for steps in cases { #expect(try advice(steps) == [], "\(steps.map(\.0))") }
        #expect(try advice([("FROM x", Self.modules)]) == [])
    }
}
