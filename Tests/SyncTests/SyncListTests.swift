import Diagnostics
import OCI
import SystemPackage
import Testing
import Transports

@testable import Sync

struct SyncListTests {
    private func list(_ text: String) throws -> SyncList { try SyncList(parsing: Array(text.utf8), place: "l.yml") }

    @Test("The example of skopeo's manual is read")
    func readsTheExample() throws {
        let list = try list(
            """
            registry.example.com:
                images:
                    busybox: []
                    redis:
                        - "1.0"
                        - 2.0
                        - "sha256:0000000000000000000000000000000011111111111111111111111111111111"
                images-by-tag-regex:
                    nginx: ^1\\.13\\.[12]-alpine-perl$
                images-by-semver:
                    alpine: ">= 3.12.0"
                credentials:
                    username: john
                    password: this is a secret
                tls-verify: true
                cert-dir: /home/john/certs
            quay.io:
                tls-verify: false
                images:
                    coreos/etcd:
                        - latest
            """)
        let (first, second) = (list.registries[0], list.registries[1])
        #expect(
            first.repositories.map(\.name.name).map { $0.split(separator: "/").last } == [
                "busybox", "redis", "nginx", "alpine",
            ])
        #expect(first.repositories[0].choices == [.all])
        #expect(first.repositories[1].choices.prefix(2) == [.reference("1.0"), .reference("2.0")])
        #expect(first.repositories[2].choices == [.matching("^1\\.13\\.[12]-alpine-perl$")])
        #expect(first.repositories[3].choices == [.versions(try VersionRange(parsing: ">= 3.12.0"))])
        #expect(first.credentials == .init(user: "john", password: "this is a secret"))
        #expect(first.verifiesTLS == true && first.certificateDirectory == "/home/john/certs")
        #expect(second.verifiesTLS == false && second.credentials == nil)
        #expect(second.repositories[0].choices == [.reference("latest")])
    }

    @Test("Docker Hub's names are completed")
    func completesNames() throws {
        let list = try list("docker.io: {images: {busybox: [], team/app: }}\n")
        #expect(
            list.registries[0].repositories.map(\.name.name) == ["docker.io/library/busybox", "docker.io/team/app"])
    }

    @Test(
        "Lists that would leave images out in silence are refused",
        arguments: [
            ("", "no list of registries"), ("- a\n", "no list of registries"), ("r.io: 1\n", "has no members"),
            ("r.io: {image: {a: []}}\n", "'image' means nothing"), ("r.io: {tls-verify: true}\n", "names no images"),
            ("r.io: {images: [a]}\n", "below it"), ("r.io: {images: {a: b}}\n", "are no list"),
            ("r.io: {images: {A: []}}\n", "lowercase"), ("r.io: {images: {'a:1': []}}\n", "not a repository"),
            ("r.io: {images: {a: ['b c']}}\n", "neither a tag nor a digest"),
            ("r.io: {images: {a: ['sha256:12']}}\n", "neither a tag nor a digest"),
            ("r.io: {images-by-tag-regex: {a: '('}}\n", "no regular expression"),
            ("r.io: {images-by-semver: {a: '>> 1'}}\n", "no range of versions"),
            ("r.io: {images: {a: []}, credentials: {username: u}}\n", "username and password"),
            ("r.io: {images: {a: []}, tls-verify: maybe}\n", "neither true nor false"),
            ("r.io: {images: {a: [}\n", "cannot be read: line"),
        ])
    func refuses(_ text: String, _ sentence: String) {
        let error = #expect(throws: SyncError.self) { try list(text) }
        #expect(error?.message.contains(sentence) == true, "\(error?.message ?? "")")
    }

    @Test(
        "An image stands below the destination by the last part of its name, or by all of it",
        arguments: [
            ("r.io/team/app:1", false, "", "docker://m.lan/mirror/app:1"),
            ("r.io/team/app:1", true, "", "docker://m.lan/mirror/r.io/team/app:1"),
            ("r.io/team/app:1", false, "-amd64", "docker://m.lan/mirror/app:1-amd64"),
        ])
    func placesBelowRegistry(_ name: String, _ isScoped: Bool, _ ending: String, _ place: String) throws {
        let destination = SyncDestination.registry("m.lan/mirror/")
        #expect(try destination.place(name, isScoped: isScoped, ending: ending).description == place)
    }

    @Test("A directory has one for each image")
    func placesBelowDirectory() throws {
        let destination = SyncDestination.directory("/media/usb")
        #expect(try destination.place("r.io/a:1", isScoped: false) == .directory("/media/usb/a:1"))
        #expect(try destination.place("r.io/a:1", isScoped: true) == .directory("/media/usb/r.io/a:1"))
    }

    @Test("A registry alone takes images as well")
    func placesInRegistry() throws {
        #expect(
            try SyncDestination.registry("m.lan").place("r.io/a:1", isScoped: false).description == "docker://m.lan/a:1"
        )
    }

    @Test(
        "A name with a tag is one image, without one a repository",
        arguments: [
            ("busybox", false), ("r.io:5000/a", false), ("r.io:5000/a:1", true), ("busybox:1", true),
            ("a@sha256:0000000000000000000000000000000011111111111111111111111111111111", true),
        ])
    func tellsImagesFromRepositories(_ text: String, _ isImage: Bool) throws {
        guard case .repository(_, let isOneImage) = try SyncSource.registry(text) else {
            Issue.record("no repository")
            return
        }
        #expect(isOneImage == isImage)
    }
}
