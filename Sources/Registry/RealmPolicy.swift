import Diagnostics

/// Decides which token servers get the login of a registry.
///
/// A registry names its token server itself, so a login may go only to a host of the same owner: the registry's own host,
/// one of the same registrable domain (Docker Hub's `auth.docker.io`, GitLab's `gitlab.com`), one known to belong to the
/// registry, or one that the user allows. Anonymous tokens are asked for anywhere.
struct RealmPolicy: Sendable {
    /// Hosts, or hosts with ports, that the user trusts with the logins of all registries.
    let allowed: Set<String>

    init(allowed: some Sequence<String> = []) { self.allowed = Set(allowed.map { $0.lowercased() }) }

    /// Token servers under another domain than their registries, by the domains of both.
    private static let known = ["scw.cloud": "scaleway.com"]

    /// Throws ``RegistryError`` `.unsafeRealm` unless the token server may get the login of the registry.
    func check(_ realm: HTTPURL, for registry: HTTPURL) throws {
        if realm.host == registry.host || allowed.contains(realm.host) || allowed.contains(realm.authority) { return }
        if let domain = Self.registrableDomain(of: registry.host) {
            let other = Self.registrableDomain(of: realm.host)
            if other == domain || Self.known[domain] != nil && other == Self.known[domain] { return }
        }
        throw RegistryError(
            .unsafeRealm,
            "\(registry.authority) wants its login sent to \(realm.authority), which is of another domain",
            hint: "If both belong together, allow it with --allow-auth-realm \(realm.authority).")
    }

    /// The last labels of a name up to the one that its owner has registered; `nil` for addresses and single labels.
    static func registrableDomain(of host: String) -> String? {
        let labels = host.split(separator: ".", omittingEmptySubsequences: false)
        guard labels.count > 1, !host.contains(":"), labels.last?.contains(where: \.isLetter) == true else {
            return nil
        }
        let pair = labels.suffix(2).joined(separator: ".")
        let isShared = sharedDomains.contains(pair) || isCountrySuffix(labels.suffix(2))
        let count = isShared ? 3 : 2
        return labels.count < count ? nil : labels.suffix(count).joined(separator: ".")
    }

    /// Whether two labels are such as `co.uk`, below which names are registered.
    private static func isCountrySuffix(_ labels: ArraySlice<Substring>) -> Bool {
        labels.last?.utf8.count == 2 && labels.first.map { secondLevels.contains(String($0)) } == true
    }

    private static let secondLevels: Set = [
        "ac", "co", "com", "edu", "firm", "gen", "go", "gob", "gov", "gouv", "gv", "id", "ind", "info", "ltd", "me",
        "mil", "ne", "net", "nhs", "nom", "or", "org", "plc", "res", "sch", "web",
    ]

    /// Domains whose names belong to different owners.
    private static let sharedDomains: Set = [
        "amazonaws.com", "appspot.com", "azurecr.io", "azurewebsites.net", "cloudapp.net", "cloudfront.net",
        "digitaloceanspaces.com", "duckdns.org", "fly.dev", "github.io", "gitlab.io", "googleapis.com",
        "herokuapp.com", "jfrog.io", "netlify.app", "ngrok.app", "ngrok.io", "nip.io", "onrender.com", "pages.dev",
        "pkg.dev", "r2.dev", "run.app", "sslip.io", "vercel.app", "web.app", "windows.net", "workers.dev",
    ]
}
