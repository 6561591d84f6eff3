/// The flags of kaniko's executor and their meaning for `lamina executor`, sorted by name.
///
/// `.works` is what ``ExecutorCommandLine`` makes words for `lamina build` of, together with other flags.
/// Source: kaniko `cmd/executor/cmd/root.go`, `addKanikoOptionsFlags`.
enum ExecutorFlags {
    static let all: [BuilderFlag] = (inputs + results + caching + registries + running).sorted { $0.name < $1.name }

    static subscript(name: String) -> BuilderFlag? { byName[name] }

    /// The long names of the short ones.
    static let short: [Character: String] = [
        "b": "bucket", "c": "context", "d": "destination", "f": "dockerfile", "v": "verbosity",
    ]

    private static let byName = Dictionary(all.map { ($0.name, $0) }) { first, _ in first }

    private static func flags(_ names: String, _ verdict: BuilderFlag.Verdict) -> [BuilderFlag] {
        BuilderFlags.flags(names, [.kaniko], verdict)
    }
}

extension ExecutorFlags {
    private static let inputs: [BuilderFlag] =
        flags("context= dockerfile= git=", .works)
        + flags("context-sub-path=", .means(["--context-sub-path=VALUE"]))
        + flags("bucket=", .refused("buckets of Google are not read; use an s3:// or https:// address as --context"))
        + flags("build-arg=", .means(["--build-arg=VALUE"]))
        + flags("label=", .means(["--label=VALUE"]))
        + flags("target=", .means(["--target=VALUE"]))
        + flags("custom-platform= customPlatform=", .means(["--platform=VALUE"]))

    private static let results: [BuilderFlag] =
        flags("destination= no-push", .works)
        + flags("tar-path= tarPath=", .means(["--output=type=docker,dest=VALUE"]))
        + flags("oci-layout-path=", .means(["--output=type=oci,tar=false,dest=VALUE"]))
        + flags("digest-file=", .means(["--digest-file=VALUE"]))
        + flags("image-name-with-digest-file=", .means(["--image-name-with-digest-file=VALUE"]))
        + flags("image-name-tag-with-digest-file=", .means(["--image-name-tag-with-digest-file=VALUE"]))
        + flags("compression=", .means(["--compression-format=VALUE"]))
        + flags("compression-level=", .means(["--compression-level=VALUE"]))
        + flags("reproducible", .means(["--timestamp=0"]))
        + flags("force-build-metadata", .refused("instructions without files make no layers; leave it out"))
        + flags("ignore-path=", .means(["--ignore-path=VALUE"]))
        + flags("ignore-var-run", .accepted(because: "no directory of the builder gets into a layer"))

    private static let caching: [BuilderFlag] =
        flags("cache cache-repo= no-push-cache", .works)
        + flags("cache-ttl=", .means(["--cache-ttl=VALUE"]))
        + flags("cache-dir=", .accepted(because: "base images come from the store or the registry"))
        + flags(
            "cache-copy-layers cache-run-layers compressed-caching",
            .accepted(because: "every step is cached, and layers of the store are not compressed"))
        + flags(
            "snapshot-mode= snapshotMode= use-new-run",
            .accepted(because: "what a step changed is known without walking the file system"))
        + flags("single-snapshot", .means(["--squash"]))
        + flags("skip-unused-stages", .works)

    private static let registries: [BuilderFlag] =
        flags("insecure skip-tls-verify registry-map=", .works)
        + flags("insecure-pull skip-tls-verify-pull", .means(["--no-tls-verify"]))
        + flags("insecure-registry= skip-tls-verify-registry=", .means(["--insecure-registry=VALUE"]))
        + flags("registry-mirror=", .means(["--registry-mirror=VALUE"]))
        + flags("skip-default-registry-fallback", .means(["--skip-default-registry-fallback"]))
        + flags("registry-certificate=", .means(["--registry-certificate=VALUE"]))
        + flags("registry-client-cert=", .means(["--registry-client-cert=VALUE"]))
        + flags("push-retry= image-download-retry= image-fs-extract-retry=", .means(["--retry=VALUE"]))
        + flags(
            "push-ignore-immutable-tag-errors",
            .refused("an error of the registry ends the build; give each push a tag of its own"))
        + flags("skip-push-permission-check", .accepted(because: "the first push shows what is permitted"))
        + flags("azure-container-registry-config=", .refused("use a credential helper in Docker's config.json"))
        + flags("credential-helpers=", .refused("name the helpers in config.json under credHelpers or credsStore"))

    private static let running: [BuilderFlag] =
        flags("verbosity= log-format= kaniko-dir=", .works)
        + flags("log-timestamp", .accepted(because: "progress shows the time of each line in its step"))
        + flags("cleanup force", .accepted(because: "the builder's own file system is not touched"))
}
