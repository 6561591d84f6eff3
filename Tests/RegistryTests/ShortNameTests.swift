import Diagnostics
import OCI
import Synchronization
import Testing

@testable import Registry

@Suite struct ShortNameTests {
    private static let file = """
        unqualified-search-registries = ["a.test:5000", "docker.io"]
        [aliases]
        "aliased" = "quay.test/team/real"
        "hub" = "docker.io/alpine"
        "team/app" = "localhost/app"
        "free" = ""
        """
    private static let digest = Digest(of: "x")

    private func shortNames(_ texts: [String]) throws -> ShortNames {
        var names = ShortNames()
        for (index, text) in texts.enumerated() {
            try names.add(TOML.parse(Array(text.utf8)), path: "\(index).conf")
        }
        return names
    }

    private func candidates(_ name: String, _ texts: [String]) throws -> [String] {
        try shortNames(texts).candidates(for: ImageName(parsing: name)).map(\.description)
    }

    @Test(
        "An alias comes first, then the registries that are searched",
        arguments: [
            ("aliased", ["quay.test/team/real:latest"]), ("aliased:2", ["quay.test/team/real:2"]),
            ("aliased@\(digest)", ["quay.test/team/real@\(digest)"]),
            ("hub", ["docker.io/library/alpine:latest"]), ("team/app", ["localhost/app:latest"]),
            ("app", ["a.test:5000/app:latest", "docker.io/library/app:latest"]),
            ("app:1@\(digest)", ["a.test:5000/app:1@\(digest)", "docker.io/library/app:1@\(digest)"]),
            ("library/app", ["a.test:5000/library/app:latest", "docker.io/library/app:latest"]),
            ("other/app", ["a.test:5000/other/app:latest", "docker.io/other/app:latest"]),
            ("free", ["a.test:5000/free:latest", "docker.io/library/free:latest"]),
            ("docker.io/library/aliased", ["docker.io/library/aliased:latest"]),
            ("r.test/app", ["r.test/app:latest"]),
        ])
    func meanings(_ name: String, _ expected: [String]) throws {
        #expect(try candidates(name, [Self.file]) == expected)
    }

    @Test(
        "Without a setting for them, names are Docker's",
        arguments: [
            "", "[[registry]]\nlocation='a'", "unqualified-search-registries = []", "[aliases]\n\"x\" = 'a.b/c'",
        ])
    func dockersMeaning(_ text: String) throws {
        #expect(try candidates("app:1", [text]) == ["docker.io/library/app:1"])
    }

    @Test("What a later file says replaces what an earlier one says")
    func files() throws {
        let later = "unqualified-search-registries = ['b.test']\n[aliases]\n'aliased' = ''\n'new' = 'c.test/new'"
        #expect(try candidates("app", [Self.file, later]) == ["b.test/app:latest"])
        #expect(try candidates("aliased", [Self.file, later]) == ["b.test/aliased:latest"])
        #expect(try candidates("new", [Self.file, later]) == ["c.test/new:latest"])
        #expect(try candidates("hub", [Self.file, later]) == ["docker.io/library/alpine:latest"])
        #expect(
            try candidates("app", [Self.file, "unqualified-search-registries = []"]) == ["docker.io/library/app:latest"]
        )
    }

    @Test("The mode 'enforcing' refuses a name that may be several images, and no other")
    func enforcing() throws {
        let texts = [Self.file, "short-name-mode = 'enforcing'"]
        let error = #expect(throws: RegistryError.self) { try candidates("app", texts) }
        #expect(
            error?.message == "'app' may be a.test:5000/app:latest, docker.io/library/app:latest, and '0.conf' has "
                + "short-name-mode = 'enforcing'")
        #expect(try candidates("aliased", texts) == ["quay.test/team/real:latest"])
        #expect(try candidates("a.test/app", texts) == ["a.test/app:latest"])
        #expect(try candidates("app", texts + ["unqualified-search-registries = ['b.test']"]) == ["b.test/app:latest"])
        for mode in ["permissive", "disabled"] {
            #expect(try candidates("app", [Self.file, "short-name-mode = '\(mode)'"]).count == 2)
        }
    }

    @Test("What users chose counts before registries.conf, in the file of the user, or of the machine for root")
    func choices() async throws {
        try await withDirectory { directory in
            try write(Self.file, to: "\(directory)/registries.conf")
            let choices = "\(directory)/containers/short-name-aliases.conf"
            func candidates(_ name: String, _ cache: [String: String], isRoot: Bool = false) throws -> [String] {
                let environment = ["CONTAINERS_REGISTRIES_CONF": "\(directory)/registries.conf"]
                    .merging(cache) { $1 }
                return try RegistryConfigurationFiles(environment: environment, mirrors: [], isRoot: isRoot)
                    .candidates(for: ImageName(parsing: name)).map(\.description)
            }
            let here = ["XDG_CACHE_HOME": directory]
            #expect(try candidates("aliased", here) == ["quay.test/team/real:latest"])
            try write("[aliases]\n'app' = 'b.test/app'\n'aliased' = 'c.test/x'\n'hub' = ''", to: choices)
            #expect(try candidates("app:1", here) == ["b.test/app:1"])
            #expect(try candidates("aliased", here) == ["c.test/x:latest"])
            #expect(try candidates("team/app", here) == ["localhost/app:latest"])
            #expect(try candidates("hub", here).count == 2)
            #expect(try candidates("aliased", here, isRoot: true) == ["quay.test/team/real:latest"])
            #expect(try candidates("aliased", ["HOME": directory]) == ["quay.test/team/real:latest"])
            try write("[aliases]\n'app' = 'h.test/app'", to: "\(directory)/.cache/containers/short-name-aliases.conf")
            #expect(try candidates("app", ["HOME": directory]) == ["h.test/app:latest"])
            let none = ["CONTAINERS_REGISTRIES_CONF": "/dev/null"].merging(here) { $1 }
            #expect(try candidates("app", none) == ["docker.io/library/app:latest"])
            for text in ["aliases = 5", "[aliases]\n'app' = 'y'", "[aliases"] {
                try write(text, to: choices)
                let error = #expect(throws: RegistryError.self) { try candidates("app", here) }
                #expect(error?.code == .configuration && error?.message.hasPrefix("'\(choices)' ") == true, "\(text)")
            }
        }
    }

    @Test(
        "A malformed setting is refused with the name of its file",
        arguments: [
            "unqualified-search-registries = 'a.test'", "unqualified-search-registries = ['a.test/path']",
            "unqualified-search-registries = ['']", "unqualified-search-registries = ['word']",
            "short-name-mode = 'strict'", "[aliases]\n'a.test/x' = 'b.test/x'", "[aliases]\n'x:1' = 'b.test/x'",
            "[aliases]\n'x' = 'b.test/x:1'", "[aliases]\n'x' = 'y'", "[aliases]\n'x' = 5",
            "[aliases]\n'x' = 'b.test/x@sha256:\(String(repeating: "a", count: 64))'",
        ])
    func malformed(_ text: String) {
        let error = #expect(throws: RegistryError.self) { try shortNames([text]) }
        #expect(error?.code == .configuration && error?.message.hasPrefix("'0.conf' has ") == true)
    }

    // MARK: Searching

    private static let lists = "unqualified-search-registries = ['a.test', 'b.test', 'c.test']"

    /// Which image `app` is where the hosts named answer so; all others have it.
    private func search(
        _ answers: [String: @Sendable () throws -> HTTPResponse],
        notices: @escaping @Sendable (String) -> Void = { _ in }
    ) async throws -> (found: ImageReference, hosts: [String]) {
        let sample = SampleImage()
        let transport = FakeTransport { exchange, _ in
            if let answer = answers[exchange.request.url.host] { return try answer() }
            return HTTPResponse(200, [:], bytes: sample.bytes)
        }
        return try await withDirectory { directory in
            try write(Self.lists, to: "\(directory)/registries.conf")
            let client = makeClient(transport) {
                $0.configuration = RegistryConfigurationFiles(
                    containers: [("\(directory)/registries.conf", "\(directory)/d")], daemon: [], mirrors: [])
            }
            let found = try await NetworkNotice.heard(by: notices) {
                try await client.reference(for: ImageName(parsing: "app:1"))
            }
            var hosts: [String] = []
            for host in transport.exchanges.map(\.request.url.host) where hosts.last != host { hosts.append(host) }
            return (found, hosts)
        }
    }

    @Test("The first registry that has the image counts; the next one is asked for any failure, with a message")
    func searches() async throws {
        let first = try await search([:])
        #expect(first.found.description == "a.test/app:1" && first.hosts == ["a.test"])
        for status in [404, 401, 403, 500] {
            let notices = Mutex<[String]>([])
            let found = try await search(["a.test": { HTTPResponse(status) }]) { notice in
                notices.withLock { $0.append(notice) }
            }
            #expect(found.found.description == "b.test/app:1" && found.hosts == ["a.test", "b.test"], "\(status)")
            let tells = notices.withLock { $0 }.contains { $0.hasPrefix("a.test/app:1 cannot be looked up (") }
            #expect(tells == (status == 500), "\(status)")
        }
    }

    @Test("An image that no registry has gives one sentence with all that was tried")
    func isNowhere() async throws {
        let error = try await registryError {
            _ = try await search([
                "a.test": { HTTPResponse(404) }, "b.test": { HTTPResponse(403) },
                "c.test": { throw RegistryError(.unreachable, "c.test is down") },
            ])
        }
        #expect(error?.code == .notFound)
        let message = error?.message ?? ""
        #expect(message.hasPrefix("'app:1' is in none of the registries that are searched for it: a.test/app:1 ("))
        #expect(message.contains("), b.test/app:1 (") && message.hasSuffix(", c.test/app:1 (c.test is down)"))
        #expect(!message.contains("cannot look up"))
    }
}
