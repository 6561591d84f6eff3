extension BuilderFlags {
    private static let redHats: [BuilderFlag.Tool] = [.buildah, .podman]

    /// Access to registries and signatures.
    static let registries: [BuilderFlag] =
        flags("retry=", redHats, .works)
        + flags("retry-delay=", redHats, .works)
        + flags("creds=", redHats, .refused("log in with lamina login, or name a file of logins with --authfile"))
        + flags("tls-verify authfile= cert-dir=", redHats, .works)
        + flags("sign-by=", redHats, .refused("images are not signed; sign what is pushed with cosign or skopeo"))
        + flags("signature-policy=", redHats, .refused("signatures are not verified; name base images by digest"))
        + flags("source-policy-file=", redHats, .refused("source policies are not read; name base images by digest"))
        + flags("decryption-key=", redHats, .refused("encrypted images are not read; decrypt them with skopeo"))
        + flags("blob-cache=", redHats, .refused("blobs are cached in the store; choose it with --root"))

    /// Flags of kaniko alone.
    static let kaniko: [BuilderFlag] =
        flags("dockerfile=", [.kaniko], .means(["--file=VALUE"]))
        + flags("destination=", [.kaniko], .means(["--tag=VALUE", "--push"]))
        + flags("custom-platform= customPlatform=", [.kaniko], .means(["--platform=VALUE"]))
        + flags("tar-path= tarPath=", [.kaniko], .means(["--output=type=docker,dest=VALUE"]))
        + flags("oci-layout-path=", [.kaniko], .means(["--output=type=oci,tar=false,dest=VALUE"]))
        + flags("digest-file=", [.kaniko], .works)
        + flags(
            "context=", [.kaniko],
            .refused("the context is the argument of lamina build: a directory, a URL, or - for the standard input"))
        + flags("context-sub-path=", [.kaniko], .works)
        + flags("git=", [.kaniko], .refused("name the branch in the URL: https://HOST/REPOSITORY#BRANCH"))
        + flags("bucket=", [.kaniko], .refused("a context in a bucket is not fetched; give its URL, or pipe it"))
        + flags("no-push", [.kaniko], .refused("nothing is pushed unless --push says so; leave both out"))
        + flags("cache", [.kaniko], .accepted(because: "steps are always cached; --cache-to shares them"))
        + flags("cache-repo=", [.kaniko], .refused("use --cache-from and --cache-to type=registry,ref=NAME,mode=max"))
        + flags("cache-dir=", [.kaniko], .refused("the cache is the store; choose it with --root"))
        + flags("no-push-cache", [.kaniko], .accepted(because: "a cache is only pushed where --cache-to says so"))
        + flags(
            "cache-copy-layers cache-run-layers compressed-caching", [.kaniko],
            .accepted(because: "every step is cached, and layers of the store are not compressed"))
        + flags("image-name-with-digest-file= image-name-tag-with-digest-file=", [.kaniko], .works)
        + flags(
            "snapshot-mode= snapshotMode= use-new-run", [.kaniko],
            .accepted(because: "what a step changed is known without walking the file system"))
        + flags("single-snapshot", [.kaniko], .means(["--squash"]))
        + flags("ignore-var-run", [.kaniko], .accepted(because: "no directory of the builder gets into a layer"))
        + flags("ignore-path=", [.kaniko], .works)
        + flags("cleanup", [.kaniko], .accepted(because: "the builder's own file system is not touched"))
        + flags("force", [.kaniko], .accepted(because: "the builder's own file system is not touched"))
        + flags("kaniko-dir=", [.kaniko], .refused("use --root for the store"))
        + flags("reproducible", [.kaniko], .works)
        + flags("force-build-metadata", [.kaniko], .refused("instructions without files make no layers; leave it out"))
        + flags("compression=", [.kaniko], .means(["--compression-format=VALUE"]))
        + flags("verbosity=", [.kaniko], .refused("use --progress=plain, --quiet or --debug"))
        + flags("log-format=", [.kaniko], .refused("use --progress=plain or --progress=rawjson"))
        + flags("log-timestamp", [.kaniko], .refused("--progress=plain shows the time of each line in its step"))
        + flags("push-retry= image-download-retry=", [.kaniko], .means(["--retry=VALUE"]))
        + flags("image-fs-extract-retry=", [.kaniko], .means(["--retry=VALUE"]))
        + flags(
            "push-ignore-immutable-tag-errors", [.kaniko],
            .refused("an error of the registry ends the build; give each push a tag of its own"))
        + flags("skip-push-permission-check", [.kaniko], .accepted(because: "the first push shows what is permitted"))
        + flags("insecure-registry=", [.kaniko], .works)
        + flags("skip-tls-verify-registry=", [.kaniko], .means(["--insecure-registry=VALUE"]))
        + flags(
            "insecure insecure-pull skip-tls-verify skip-tls-verify-pull", [.kaniko], .means(["--no-tls-verify"]))
        + flags("registry-certificate= registry-client-cert= skip-default-registry-fallback", [.kaniko], .works)
        + flags(
            "registry-map=", [.kaniko], .refused("name mirrors with --registry-mirror REGISTRY=URL"))
        + flags("registry-mirror=", [.kaniko], .works)
        + flags(
            "azure-container-registry-config=", [.kaniko], .refused("use a credential helper in Docker's config.json"))
        + flags(
            "credential-helpers=", [.kaniko],
            .refused("name the helpers in config.json under credHelpers or credsStore"))
}
