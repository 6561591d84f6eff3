/// The files of a package manager that it can fetch or make again.
package struct PackageCache: Hashable, Sendable {
    package let manager: String
    /// Patterns of a shell for whole paths.
    package let patterns: [String]
    /// The command that removes the cache, for the end of the RUN that fills it.
    package let cleaning: String

    private init(_ manager: String, _ patterns: [String], _ cleaning: String) {
        self.manager = manager
        self.patterns = patterns
        self.cleaning = cleaning
    }

    package static let all: [PackageCache] = [
        PackageCache(
            "apt", ["/var/cache/apt/archives/**.deb", "/var/cache/apt/*.bin", "/var/lib/apt/lists/**_*"],
            "apt-get clean && rm -rf /var/lib/apt/lists/*"),
        PackageCache("apk", ["/var/cache/apk/*"], "rm -rf /var/cache/apk/*"),
        PackageCache("dnf", ["/var/cache/dnf/**"], "dnf clean all && rm -rf /var/cache/dnf"),
        PackageCache("yum", ["/var/cache/yum/**"], "yum clean all && rm -rf /var/cache/yum"),
        PackageCache("zypper", ["/var/cache/zypp/**"], "zypper clean --all"),
        PackageCache("pacman", ["/var/cache/pacman/pkg/*"], "rm -rf /var/cache/pacman/pkg/*"),
        PackageCache("pip", ["/root/.cache/pip/**", "/home/*/.cache/pip/**"], "rm -rf ~/.cache/pip"),
        PackageCache("uv", ["/root/.cache/uv/**"], "rm -rf ~/.cache/uv"),
        PackageCache("npm", ["/root/.npm/_cacache/**", "/home/*/.npm/_cacache/**"], "rm -rf ~/.npm/_cacache"),
        PackageCache(
            "yarn", ["/usr/local/share/.cache/**", "/root/.cache/yarn/**"],
            "rm -rf /usr/local/share/.cache ~/.cache/yarn"),
        PackageCache("go", ["/root/.cache/go-build/**"], "rm -rf ~/.cache/go-build"),
        PackageCache("maven", ["/root/.m2/repository/**"], "rm -rf ~/.m2/repository"),
        PackageCache("gradle", ["/root/.gradle/caches/**"], "rm -rf ~/.gradle/caches"),
        PackageCache(
            "cargo", ["/root/.cargo/registry/cache/**", "/usr/local/cargo/registry/cache/**"],
            "rm -rf \"${CARGO_HOME:-$HOME/.cargo}/registry/cache\""),
        PackageCache("composer", ["/root/.composer/cache/**"], "rm -rf ~/.composer/cache"),
        PackageCache("bundler", ["/usr/local/bundle/cache/**"], "rm -rf /usr/local/bundle/cache"),
    ]
}
