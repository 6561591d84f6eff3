import Comparison
import Testing

@Suite struct ContentCauseTests {
    private static let causes = ContentCause([
        .init(.hostName, old: "buildkitsandbox", new: "another-machine"),
        .init(.buildPath, old: "/home/me/app", new: "/tmp/elsewhere/copy"),
    ])

    private static func cause(_ old: [UInt8], _ new: [UInt8], _ path: String = "/a") -> DifferenceCause {
        causes.cause(old, new, path: path).cause
    }

    @Test(arguments: [
        ("built at 2024-05-06 07:08:09\n", "built at 2024-05-06 07:08:10\n", DifferenceCause.time),
        ("pid 17 started\n", "pid 123 started\n", .time), ("b\na\nc\n", "a\nb\nc\n", .order),
        ("on buildkitsandbox now", "on another-machine now", .hostName),
        ("-I/home/me/app/include", "-I/tmp/elsewhere/copy/include", .buildPath),
        ("token: aGVsbG8x", "token: d29ybGQy", .random), ("one", "two", .content),
        ("id: 4f1c2d3e5a6b\nsame", "id: 0a9b8c7d6e5f\nsame", .random), ("a", "", .content),
    ])
    func textsTellTheCause(_ old: String, _ new: String, _ expected: DifferenceCause) {
        #expect(Self.cause(Array(old.utf8), Array(new.utf8)) == expected)
    }

    @Test(arguments: [
        ("/var/log/dpkg.log", DifferenceCause.cacheFile), ("/var/cache/ldconfig/aux-cache", .cacheFile),
        ("/etc/shadow-", .cacheFile), ("/var/lib/dpkg/status-old", .cacheFile), ("/root/.cache/x/y", .cacheFile),
        ("/etc/shadow", .content), ("/opt/status-old", .content),
    ])
    func knownFilesTellTheCause(_ path: String, _ expected: DifferenceCause) {
        #expect(Self.cause([0, 1], [0, 2], path) == expected)
    }

    @Test func timesInFormatsAreTold() {
        func pyc(_ time: UInt8, _ code: UInt8) -> [UInt8] {
            [0xa7, 0x0d, 0x0d, 0x0a, 0, 0, 0, 0, time, 0, 0, 0, 9, 0, 0, 0, code, 0, 1]
        }
        #expect(Self.cause(pyc(1, 5), pyc(2, 5), "/x/__pycache__/a.pyc") == .time)
        #expect(Self.cause(pyc(1, 5), pyc(1, 6), "/x/__pycache__/a.pyc") == .content)
        func gzip(_ time: UInt8) -> [UInt8] { [0x1f, 0x8b, 8, 0, time, 0, 0, 0] + [UInt8](repeating: 3, count: 20) }
        #expect(Self.cause(gzip(1), gzip(2)) == .time)
        func archive(_ time: String) -> [UInt8] {
            Array("!<arch>\nname/           \(time)  0     0     100644  4         `\nabcd".utf8)
        }
        #expect(Self.cause(archive("1700000000"), archive("1700000001")) == .time)
        func tar(_ time: String) -> [UInt8] {
            var block = [UInt8](repeating: 0, count: 1024)
            block.replaceSubrange(136..<147, with: Array(time.utf8))
            block.replaceSubrange(257..<262, with: Array("ustar".utf8))
            return block
        }
        #expect(Self.cause(tar("14521000000"), tar("14521000001")) == .time)
        func zip(_ time: UInt8) -> [UInt8] {
            [0x50, 0x4b, 3, 4, 10, 0, 0, 0, 0, 0, time, 1, 2, 3] + [UInt8](repeating: 0, count: 40)
        }
        #expect(Self.cause(zip(1), zip(2)) == .time)
    }

    @Test func truncatedFormatsDoNoHarm() {
        let starts: [[UInt8]] = [
            [0x1f, 0x8b], Array("!<arch>\n".utf8), Array("!<arch>\n".utf8) + [UInt8](repeating: 0x39, count: 60),
            [0x50, 0x4b, 3, 4], [UInt8](repeating: 0x75, count: 511), [],
        ]
        for start in starts { #expect(Self.cause(start, start + [1], "/a.pyc") == .content) }
    }
}
