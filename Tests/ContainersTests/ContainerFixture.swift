import Linux
import OCI
import Requests
import Store
import SystemPackage

@testable import Containers

/// A store in a directory of its own, which goes with the fixture.
final class ContainerFixture {
    let store: StoreRoot
    let containers: ContainerStore

    init() throws {
        let name = PathBytes("containers-tests-\(ContainerNames.newID().prefix(16))")
        try Directory(opening: "/tmp").makeDirectory(name, permissions: 0o700)
        store = try StoreRoot(at: FilePath("/tmp").appending(name.text))
        containers = ContainerStore(store)
    }

    deinit {
        let path = store.path
        guard let parent = try? Directory(opening: path.removingLastComponent()), let name = path.lastComponent else {
            return
        }
        try? parent.removeTree(PathBytes(name.string))
    }

    static let config: ImageConfig = {
        var config = ImageConfig(platform: Platform(os: "linux", architecture: "amd64"))
        config.diffIDs = [DiffID(Digest(of: Array("layer".utf8)))]
        return config
    }()

    func record(
        _ name: String, seconds: Int64 = 0, labels: [String: String] = [:], removesItself: Bool = false,
        request: RunRequest = RunRequest(image: "base")
    ) -> ContainerRecord {
        ContainerRecord(
            name: name, created: Timestamp(seconds: seconds), image: Digest(of: Self.config.encoded),
            platform: Self.config.platform, request: request, command: ["sleep", "1"], labels: labels,
            removesItself: removesItself, stopSignal: 15, stopTimeout: 10)
    }

    @discardableResult
    func make(_ record: ContainerRecord, _ state: ContainerState = ContainerState()) throws -> Container {
        let container = try containers.create(record, Self.config) { path in
            try Directory(opening: path).makeDirectory("fs", permissions: 0o755)
        }
        try container.write(state)
        return try container.reloaded()
    }
}
