import SystemPackage
import Testing

/// Builds for several platforms, whose result is an index.
@Suite("Multi-platform builds", .enabled(if: Machine.isRoot, Machine.needsRoot))
struct MultiPlatformTests {
    private let scratch: Scratch
    private let lamina: Lamina

    init() throws {
        scratch = try Scratch()
        lamina = Lamina(root: scratch.path.appending("store")).with(["DOCKER_CONFIG": scratch.path.string])
    }

    private static let platforms = "linux/amd64,linux/arm64,linux/arm/v7"

    /// A context whose stage of this machine runs commands, and whose result holds what it made for each platform.
    private func context() throws -> FilePath {
        try scratch.context(
            """
            FROM --platform=$BUILDPLATFORM lamina/base AS build
            RUN echo common >/common
            ARG TARGETARCH TARGETVARIANT
            RUN echo "$TARGETARCH$TARGETVARIANT" >/machine
            FROM scratch
            ARG TARGETPLATFORM
            COPY --from=build /common /machine /
            LABEL platform=$TARGETPLATFORM

            """)
    }

    private func index(_ bytes: String) throws -> [(digest: String, platform: String)] {
        let json = try JSONValue(parsing: bytes)
        return try (json["manifests"]?.array ?? []).map { entry in
            let platform = try #require(entry["platform"])
            let parts = ["os", "architecture", "variant"].compactMap { platform[$0]?.string }
            return (try #require(entry["digest"]?.string), parts.joined(separator: "/"))
        }
    }

    @Test func anIndexIsMadeAndWhatIsEqualRunsOnce() throws {
        let context = try context()
        let built = try lamina.succeeding(
            "build", "--progress", "plain", "--platform", Self.platforms, "--platform", "linux/arm64/v8", "-t", "multi",
            "--iidfile", scratch.path.appending("iid").string, "--metadata-file",
            scratch.path.appending("metadata").string, context.string)
        let lines = built.errorLines
        for (text, count) in [
            ("[linux/amd64 build 2/3] RUN echo common", 1), ("[linux/amd64 build 3/3] RUN echo \"amd64\"", 1),
            ("[linux/amd64->arm64 build 3/3] RUN echo \"arm64\"", 1), ("[linux/amd64->arm/v7 build 3/3]", 1),
            ("[linux/arm64 stage-1 1/1] COPY --from=build", 1), ("[linux/amd64 internal] load metadata", 1),
        ] {
            // A step that had to give its turn to another is named once more.
            let steps = Set(lines.filter { $0.contains(text) })
            #expect(steps.count == count, "\(text) in \(built.errorText)")
        }
        let id = try text(of: scratch.path.appending("iid"))
        #expect(
            try JSONValue(parsing: text(of: scratch.path.appending("metadata")))["containerimage.digest"]?.string == id)
        // Again, all of it is known, and comes out the same.
        let again = try lamina.succeeding("build", "-q", "--platform", Self.platforms, context.string)
        #expect(again.trimmed == id)
        #expect(try lamina.succeeding("inspect", "--format", "{{.Architecture}}", id).trimmed == "amd64")
        #expect(try lamina.succeeding("fsck").status == 0)
    }

    @Test func archivesHoldTheIndexAndTheFilesAreByPlatform() throws {
        let (layout, files) = (scratch.path.appending("layout"), scratch.path.appending("files"))
        let tar = scratch.path.appending("files.tar")
        try lamina.succeeding(
            "build", "--platform", Self.platforms, "-t", "multi:1", "-o", "type=oci,tar=false,dest=\(layout)", "-o",
            "type=local,dest=\(files)", "-o", "type=tar,dest=\(tar)", "--metadata-file",
            scratch.path.appending("metadata").string, try context().string)
        let top = try JSONValue(parsing: text(of: layout.appending("index.json")))["manifests"]?.array ?? []
        let digest = try #require(top.first?["digest"]?.string)
        #expect(top.count == 1 && top[0]["annotations"]?["org.opencontainers.image.ref.name"]?.string == "1")
        let metadata = try JSONValue(parsing: text(of: scratch.path.appending("metadata")))
        #expect(metadata["containerimage.digest"]?.string == digest)
        #expect(metadata["containerimage.config.digest"] == nil)
        let hex = digest.split(separator: ":")[1]
        let entries = try index(text(of: layout.appending("blobs/sha256/\(hex)")))
        #expect(entries.map(\.platform).joined(separator: ",") == Self.platforms)
        for (name, machine) in [("linux_amd64", "amd64"), ("linux_arm64", "arm64"), ("linux_arm_v7", "armv7")] {
            #expect(try text(of: files.appending(name).appending("machine")) == machine + "\n")
            #expect(try expectSuccess("tar", "xOf", tar.string, "\(name)/machine").outputText == machine + "\n")
        }
    }

    @Test(.enabled(if: Machine.hasSkopeo, Machine.needsSkopeo)) func othersReadTheLayout() throws {
        let archive = scratch.path.appending("image.tar")
        try lamina.succeeding(
            "build", "--platform", Self.platforms, "-t", "multi:1", "-o", "type=oci,dest=\(archive)",
            try context().string)
        try expectSuccess("skopeo", "copy", "--all", "oci-archive:\(archive)", "dir:\(scratch.path.appending("all"))")
        for (machine, variant) in [("amd64", ""), ("arm64", ""), ("arm", "v7")] {
            let found = try expectSuccess(
                "skopeo", "--override-arch", machine, "--override-variant", variant, "inspect", "--config",
                "oci-archive:\(archive)")
            let config = try JSONValue(parsing: found.outputText)
            #expect(config["architecture"]?.string == machine)
            let platform = "linux/\(machine)" + (variant.isEmpty ? "" : "/\(variant)")
            #expect(config["config"]?["Labels"]?["platform"]?.string == platform)
        }
    }

    @Test(.enabled(if: Machine.hasRegistry && Machine.hasSkopeo, Machine.needsRegistry))
    func theWholeIndexIsPushedAndItsCacheServesAll() throws {
        try DockerRegistry.with(in: scratch) { registry in
            let name = "\(registry.name)/multi:1"
            let metadata = scratch.path.appending("metadata")
            let context = try context()
            try lamina.succeeding(
                "build", "--platform", Self.platforms, "-t", name, "--push", "--cache-to", "type=inline",
                "--metadata-file", metadata.string, context.string)
            let raw = try expectSuccess("skopeo", "inspect", "--raw", "--tls-verify=false", "docker://\(name)")
            #expect(try index(raw.outputText).map(\.platform).joined(separator: ",") == Self.platforms)
            let pushed = try expectSuccess(
                "skopeo", "inspect", "--format", "{{.Digest}}", "--tls-verify=false", "docker://\(name)")
            let digest = try JSONValue(parsing: text(of: metadata))["containerimage.digest"]?.string
            #expect(pushed.trimmed == digest)
            try expectSuccess(
                "skopeo", "copy", "--all", "--src-tls-verify=false", "docker://\(name)",
                "dir:\(scratch.path.appending("all"))")
            // What is in the store can be pushed later, and is the same.
            let again = try lamina.succeeding("push", name)
            #expect(again.outputLines.last?.contains(digest ?? "-") == true, "\(again.outputText)")

            let other = Lamina(root: scratch.path.appending("other")).with(["DOCKER_CONFIG": scratch.path.string])
            let built = try other.succeeding(
                "build", "--progress", "plain", "--platform", "linux/arm64,linux/arm/v7", "--cache-from", name,
                context.string)
            #expect(!built.errorText.contains("DONE 0.0s\n#0"))
            for line in built.errorLines where line.contains("] COPY --from=build") {
                let number = line.prefix { $0 != " " }
                #expect(built.errorLines.contains("\(number) CACHED"), "\(built.errorText)")
            }
        }
    }

    @Test(.enabled(if: Machine.hasRegistry, Machine.needsRegistry)) func aBaseWithoutAPlatformSaysWhichItHas() throws {
        try DockerRegistry.with(in: scratch) { registry in
            let base = "\(registry.name)/base"
            try lamina.succeeding(
                "build", "--platform", "linux/amd64,linux/arm64", "-t", base, "--push",
                try scratch.context("FROM scratch\nCOPY Dockerfile /\n", named: "base").string)
            let other = Lamina(root: scratch.path.appending("other")).with(["DOCKER_CONFIG": scratch.path.string])
            let child = try scratch.context("FROM \(base)\nENV A=1\n", named: "child").string
            let failed = try other("build", "--platform", "linux/amd64,linux/s390x", child)
            #expect(failed.status == 1)
            #expect(
                failed.errorText.contains("has no manifest for linux/s390x, only for linux/amd64, linux/arm64"),
                "\(failed.errorText)")
            let id = try other.succeeding("build", "-q", "--platform", "linux/arm64,linux/amd64", child).trimmed
            #expect(id.hasPrefix("sha256:"))
        }
    }

    @Test func failuresNameThePlatform() throws {
        let context = try scratch.context(
            """
            FROM --platform=$BUILDPLATFORM lamina/base AS build
            ARG TARGETARCH
            RUN test $TARGETARCH = amd64
            FROM scratch
            COPY --from=build /etc /
            """)
        let failed = try lamina("build", "-t", "x", "--platform", "linux/amd64,linux/arm64", context.string)
        #expect(failed.status == 1)
        #expect(
            failed.errorText.contains("> [linux/amd64->arm64 build 2/2] RUN test arm64 = amd64"), "\(failed.errorText)")
        #expect(try lamina.succeeding("images", "-q", "x").outputLines.isEmpty)
        for (platforms, output, message) in [
            ("linux/amd64,linux/nonsense", "type=image", "there is no platform linux/nonsense"),
            (
                "linux/amd64,linux/arm64", "type=docker,dest=x.tar",
                "does not currently support exporting manifest lists"
            ),
        ] {
            let refused = try lamina("build", "--platform", platforms, "-o", output, context.string)
            #expect(refused.status == 1 && refused.errorText.contains(message), "\(refused.errorText)")
        }
    }

    @Test func commandsTakeThePlatformOfAnIndex() throws {
        try lamina.succeeding("build", "-t", "multi", "--platform", Self.platforms, try context().string)
        let format = ["inspect", "--format", "{{.Architecture}} {{.Id}}"]
        var ids: [String] = []
        for (platform, machine) in [("linux/amd64", "amd64"), ("arm64", "arm64"), ("linux/arm/v7", "arm")] {
            let words = try lamina.succeeding(format + ["--platform", platform, "multi"]).trimmed.split(separator: " ")
            #expect(words.first == Substring(machine))
            ids.append(String(words.last ?? ""))
            let history = try lamina.succeeding(
                "history", "--no-trunc", "--platform", platform, "--format", "{{.CreatedBy}}", "multi")
            #expect(history.outputText.contains("TARGETPLATFORM=linux/\(platform.replacing("linux/", with: ""))"))
        }
        #expect(Set(ids).count == 3)
        #expect(try lamina.succeeding(format + ["multi"]).outputText.hasPrefix("amd64 "))
        #expect(try lamina.succeeding(format + ["--platform", "arm64", ids[1]]).outputText.hasPrefix("arm64 "))
        let missing = try lamina("inspect", "--platform", "linux/s390x", "multi")
        #expect(missing.status == 1)
        #expect(
            missing.errorText.contains(
                "no image of multi for linux/s390x, only for linux/amd64, linux/arm64, linux/arm/v7"))
        #expect(try lamina("run", "--pull", "never", "--platform", "linux/s390x", "multi", "x").status == 125)
        #expect(try lamina("history", "--platform", "s390x", ids[0]).status == 1)
    }

    @Test func namesAndImagesOfAnIndexGoTogether() throws {
        let context = try context().string
        try lamina.succeeding("build", "-t", "multi", "--platform", Self.platforms, context)
        try lamina.succeeding("tag", "multi", "other")
        #expect(try lamina.succeeding("images", "-q", "multi").outputLines.count == 1)
        try lamina.succeeding("rmi", "multi")
        let gone = try lamina.succeeding("rmi", "other")
        #expect(gone.outputLines.count { $0.hasPrefix("Deleted: ") } == 3, "\(gone.outputText)")
        #expect(try lamina.succeeding("images", "-aq", "other").outputLines.isEmpty)
        #expect(try lamina.succeeding("fsck").status == 0)
    }
}
