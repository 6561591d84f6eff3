import Diagnostics
import Linux
import Requests
import SystemPackage
import Testing

@Suite("Options of containers")
struct ContainerOptionTests {
    @Test(arguments: [
        ("80", ["80/tcp"]), ("80/udp", ["80/udp"]), ("8080:80", ["8080:80/tcp"]),
        ("127.0.0.1:8080:80", ["127.0.0.1:8080:80/tcp"]), ("127.0.0.1::80", ["127.0.0.1::80/tcp"]),
        ("[::1]:8080:80", ["[::1]:8080:80/tcp"]), ("8000-8002:80-82", ["8000:80/tcp", "8001:81/tcp", "8002:82/tcp"]),
        ("80-81", ["80/tcp", "81/tcp"]),
    ])
    func portsAreParsedAsDockerDoes(_ text: String, _ words: [String]) throws {
        let ports = try PortMapping.parse(text)
        #expect(ports.map(\.word) == words)
        #expect(try ports.map(\.word).flatMap { try PortMapping.parse($0) } == ports)
    }

    @Test(arguments: ["", "x", "0", "65536", "80:", "1:2:3:4", "nohost:80:80", "80/sctp", "80-79", "1-3:1-2"])
    func wrongPortsAreRefused(_ text: String) {
        #expect(throws: RequestsError.self, "\(text)") { try PortMapping.parse(text) }
    }

    @Test func directoriesInMemoryHaveDockersOptions() throws {
        let plain = try TemporaryVolume(parsing: "/run")
        #expect(plain.target == "/run" && plain.size == nil && !plain.isReadOnly)
        #expect(plain.flags == [.noExecute, .noSetuid, .noDevices])
        let other = try TemporaryVolume(parsing: "/t:size=64k,ro,exec,suid,mode=1777")
        #expect(other.size == 65536 && other.isReadOnly && other.flags == [.noDevices])
    }

    @Test(arguments: ["", "run", "/", "/t:size=x", "/t:mode=700", "/t:nonsense"])
    func wrongDirectoriesInMemoryAreRefused(_ text: String) {
        #expect(throws: RequestsError.self) { try TemporaryVolume(parsing: text) }
    }

    @Test func volumesHaveNamesOnlyWhereTheyMay() throws {
        let settings = try VolumeSettings(
            volumes: ["data:/d:ro", "/etc:/e"], mounts: ["type=volume,src=other,dst=/o"], areNamed: true)
        #expect(settings.volumes.map(\.name) == ["data", nil, "other"])
        #expect(settings.volumes.map(\.access) == [.readOnly, .readWrite, .readWrite])
        #expect(throws: RequestsError.self) { try VolumeSettings(volumes: ["data:/d"], mounts: []) }
        #expect(throws: RequestsError.self) { try VolumeSettings(volumes: ["/d"], mounts: []) }
        for text in ["/", "relative", ""] {
            #expect(throws: RequestsError.self, "\(text)") {
                try VolumeSettings(volumes: [text], mounts: [], areNamed: true)
            }
        }
        #expect(throws: RequestsError.self) { try VolumeSettings(volumes: ["a:/d"], mounts: [], areNamed: true) }
    }

    /// The volumes of an image are made where the user has put nothing else.
    @Test func volumesOfAnImageAreAnonymous() throws {
        var settings = try VolumeSettings(
            volumes: ["data:/named", "/given"], mounts: [], temporary: ["/memory"], areNamed: true)
        settings.addAnonymous(at: ["/named", "/given/", "/memory", "/own", "/own/./", "relative", "/"])
        #expect(settings.volumes.map(\.target) == ["/named", "/given", "/own"])
        #expect(settings.volumes.map(\.isAnonymous) == [false, true, true])
        let names = settings.volumes.compactMap(\.name)
        #expect(Set(names).count == 3 && names.dropFirst().allSatisfy { $0.count == 64 && HostVolume.isName($0) })
        // A container keeps them as they are.
        var request = RunRequest(image: "x")
        request.volumes = settings
        #expect(RunRequest(json: request.json)?.volumes == settings)
    }
}
