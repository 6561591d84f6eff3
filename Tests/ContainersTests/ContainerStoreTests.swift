import Diagnostics
import Glibc
import Linux
import OCI
import Requests
import Store
import SystemPackage
import Testing

@testable import Containers

@Suite("The containers of a store")
struct ContainerStoreTests {
    private let fixture: ContainerFixture
    private var containers: ContainerStore { fixture.containers }

    init() throws { fixture = try ContainerFixture() }

    @Test func aContainerIsFoundByItsNameItsIDAndTheBeginningOfIt() throws {
        let made = try fixture.make(fixture.record("web"))
        for text in ["web", "/web", made.id, String(made.id.prefix(12))] {
            #expect(try containers.find(text).id == made.id)
        }
        #expect(throws: ContainersError.self) { try containers.find("we") }
        #expect(throws: ContainersError.self) { try containers.find("") }
    }

    @Test func aNameIsGivenOnce() throws {
        let first = try fixture.make(fixture.record("web"))
        let error = #expect(throws: ContainersError.self) { try fixture.make(fixture.record("web")) }
        #expect(error?.code == .nameInUse && error?.message.contains(first.id) == true)
        try fixture.make(fixture.record("other"))
        #expect(throws: ContainersError.self) { try containers.rename(containers.find("other"), to: "web") }
        try containers.rename(containers.find("other"), to: "third")
        #expect(try containers.list().map(\.record.name).sorted() == ["third", "web"])
        #expect(throws: ContainersError.self) { try fixture.make(fixture.record("no spaces")) }
    }

    @Test func aContainerWithoutANameGetsOne() throws {
        let names = try (0..<3).map { _ in try fixture.make(fixture.record("")).record.name }
        #expect(Set(names).count == 3 && names.allSatisfy(ContainerNames.isValid))
    }

    @Test func theNewestComesFirst() throws {
        for (name, seconds) in [("one", 1), ("three", 3), ("two", 2)] {
            try fixture.make(fixture.record(name, seconds: Int64(seconds)))
        }
        #expect(try containers.list().map(\.record.name) == ["three", "two", "one"])
    }

    @Test func aContainerWhoseSupervisorIsGoneHasExited() throws {
        var state = ContainerState()
        state.status = .running
        state.process = 4_000_000
        let container = try fixture.make(fixture.record("web"), state)
        #expect(container.state.status == .exited && container.state.exitCode == 137)
        #expect(container.state.error == "its supervisor was killed" && container.state.process == nil)
        // As long as the lock is held, it runs.
        let lock = try FileLock(container.alive, .exclusive)
        #expect(try container.reloaded().isRunning)
        #expect(throws: ContainersError.self) { try containers.remove(container) }
        _ = consume lock
        try containers.remove(container)
        #expect(try containers.list().isEmpty)
        #expect(throws: ContainersError.self) { try container.reloaded() }
    }

    @Test func aDamagedContainerIsPassedOverAndCanBeRemoved() throws {
        let damaged = try fixture.make(fixture.record("damaged"))
        try fixture.make(fixture.record("whole"))
        let file = try Directory(opening: damaged.directory).open("container.json", O_WRONLY | O_TRUNC)
        try file.write(Array("{}".utf8).span)
        #expect(try containers.list().map(\.record.name) == ["whole"])
        #expect(try !containers.removeDamaged(containers.find("whole").id))
        #expect(try containers.removeDamaged(damaged.id))
        #expect(try !containers.removeDamaged(damaged.id))
    }

    @Test func onlyContainersThatWereToRemoveThemselvesAreAbandoned() throws {
        var state = ContainerState()
        state.status = .running
        try fixture.make(fixture.record("kept"), state)
        try fixture.make(fixture.record("dropped", removesItself: true), state)
        try fixture.make(fixture.record("new", removesItself: true))
        containers.removeAbandoned()
        #expect(try containers.list().map(\.record.name).sorted() == ["kept", "new"])
    }

    @Test func theRecordSaysAllThatTheContainerWasMadeFrom() throws {
        var request = RunRequest(image: "base")
        request.arguments = ["a b", ""]
        request.entrypoint = []
        request.environment = [("A", "1=2"), ("B", "")]
        request.user = "1:2"
        request.workingDirectory = "/w"
        request.hostname = "h"
        request.isRootReadOnly = true
        request.isolation = .rootless
        request.isPrivileged = true
        request.sandboxOptions = [.init("cap-add", "NET_ADMIN"), .init("memory", "64m"), .init("cpus", "1")]
        request.sandbox = try SandboxRequest(options: request.sandboxOptions)
        request.network = try NetworkSettings(
            mode: "private", hosts: ["a=1.2.3.4", "b=host-gateway"], nameServers: ["9.9.9.9"])
        request.volumes = try VolumeSettings(
            volumes: ["/etc:/x:ro", "name:/data"], mounts: ["type=tmpfs,target=/m"], temporary: ["/t:size=1m,exec"],
            areNamed: true)
        request.ports = try PortMapping.parse("127.0.0.1:80-81:8080-8081/udp")
        request.isInteractive = true
        request.hasTerminal = true
        let made = try fixture.make(fixture.record("web", seconds: 7, labels: ["k": "v"], request: request))
        let read = try containers.find("web").record
        #expect(read.json == made.record.json)
        #expect(read.labels == ["k": "v"] && read.stopTimeout == 10 && read.created == Timestamp(seconds: 7))
        #expect(try read.currentRequest().sandbox == request.sandbox && read.request.ports == request.ports)
        #expect(read.request.volumes.volumes == request.volumes.volumes)
        #expect(read.request.volumes.temporary == request.volumes.temporary)
        #expect(read.request.environment.map(\.name) == ["A", "B"] && read.request.environment[0].value == "1=2")
        #expect(read.request.network.hosts == request.network.hosts && read.request.entrypoint == [])
    }

    private static let filters: [([String], [String])] = [
        ([], ["three", "two", "one"]), (["name=t"], ["three", "two"]), (["name=^/two$"], ["two"]),
        (["status=exited"], ["two"]), (["exited=3"], ["two"]), (["exited=0"], []),
        (["label=k"], ["two", "one"]), (["label=k=1"], ["one"]), (["label=k", "label=l"], ["two"]),
        (["status=exited", "status=created"], ["three", "two", "one"]), (["before=two"], ["one"]),
        (["since=two"], ["three"]), (["ancestor=base"], ["three", "two", "one"]), (["ancestor=none"], []),
        (["network=none"], []), (["network=default"], ["three", "two", "one"]), (["health=none", "name=two"], ["two"]),
        (["health=healthy"], []), (["label!=k"], ["three"]), (["label!=k=1"], ["three", "two"]),
        (["until=24h"], ["three", "two", "one"]), (["until=1000000h"], []),
    ]

    @Test(arguments: filters)
    func filtersSelectAsDockersDo(_ texts: [String], _ names: [String]) throws {
        var ended = ContainerState()
        ended.status = .exited
        ended.exitCode = 3
        try fixture.make(fixture.record("one", seconds: 1, labels: ["k": "1"]))
        try fixture.make(fixture.record("two", seconds: 2, labels: ["k": "2", "l": ""]), ended)
        try fixture.make(fixture.record("three", seconds: 3))
        let filter = try ContainerFilter(texts, among: containers) { _ in nil }
        #expect(try containers.list().filter(filter.passes).map(\.record.name) == names)
    }

    @Test(arguments: ["nonsense", "key=x", "status=gone", "exited=x", "before=nobody", "until=x", "health=ill"])
    func aWrongFilterIsRefused(_ text: String) {
        #expect(throws: ContainersError.self) { try ContainerFilter([text], among: containers) { _ in nil } }
    }

    @Test func theCollectorAndPruneLeaveWhatAContainerUses() throws {
        let container = try fixture.make(fixture.record("web"))
        let use = try #require(try fixture.store.containerUses().first)
        #expect(use.container == container.id && use.image == container.record.image)
        #expect(use.diffIDs == ContainerFixture.config.diffIDs)
        try containers.remove(container)
        #expect(try fixture.store.containerUses().isEmpty)
    }
}

@Suite("Volumes")
struct VolumeStoreTests {
    @Test func aVolumeIsMadeOnceAndStaysWhileAContainerHasIt() throws {
        let fixture = try ContainerFixture()
        let volumes = VolumeStore(fixture.store)
        var fills = 0
        for _ in 0..<2 { _ = try volumes.open("data", labels: ["k": "v"]) { _ in fills += 1 } }
        #expect(fills == 1)
        let volume = try #require(try volumes.find("data"))
        #expect(volume.labels == ["k": "v"] && volume.mountpoint.lastComponent == "data")
        var request = RunRequest(image: "base")
        request.volumes = try VolumeSettings(volumes: ["data:/d"], mounts: [], areNamed: true)
        let container = try fixture.make(fixture.record("web", request: request))
        #expect(throws: ContainersError.self) { try volumes.remove("data") }
        try fixture.containers.remove(container)
        try volumes.remove("data")
        #expect(try volumes.list().isEmpty)
        #expect(throws: ContainersError.self) { try volumes.remove("data") }
        #expect(throws: ContainersError.self) { try volumes.open("a/b") }
    }
}
