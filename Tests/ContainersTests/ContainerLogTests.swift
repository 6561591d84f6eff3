import Diagnostics
import Linux
import Sandbox
import SystemPackage
import Testing

@testable import Containers

@Suite("The log of a container")
struct ContainerLogTests {
    private let fixture: ContainerFixture
    private let container: Container

    init() throws {
        fixture = try ContainerFixture()
        container = try fixture.make(fixture.record("web"))
    }

    private struct Missing: Error {}

    private func lines() throws -> [(OutputStream, [UInt8])] {
        guard var reader = try ContainerLogReader(container) else { return [] }
        var lines: [(OutputStream, [UInt8])] = []
        while let line = try reader.next() { lines.append((line.stream, line.bytes)) }
        return lines
    }

    @Test func aContainerThatNeverRanHasNone() throws { #expect(try lines().isEmpty) }

    @Test func linesComeBackAsTheyWereWrittenWhateverTheirBytes() throws {
        var log = try ContainerLogWriter(container.log)
        log.append(.standardOutput, Array("one\ntw".utf8).span)
        log.append(.standardError, [0xff, 0x00, 0x0a].span)
        log.append(.standardOutput, Array("o\nrest".utf8).span)
        #expect(try lines().count == 3)
        log.finish()
        let found = try lines()
        #expect(found.map(\.0) == [.standardOutput, .standardError, .standardOutput, .standardOutput])
        #expect(
            found.map(\.1) == [Array("one\n".utf8), [0xff, 0x00, 0x0a], Array("two\n".utf8), Array("rest".utf8)])
    }

    @Test func longLinesAndManyLinesAreReadWhole() throws {
        var log = try ContainerLogWriter(container.log)
        let long = [UInt8](repeating: 0x78, count: 100_000) + [0x0a]
        log.append(.standardOutput, long.span)
        for number in 0..<5_000 { log.append(.standardError, Array("line \(number)\n".utf8).span) }
        log.finish()
        let found = try lines()
        #expect(found.filter { $0.0 == .standardOutput }.flatMap(\.1) == long)
        let errors = found.filter { $0.0 == .standardError }.map(\.1)
        #expect(errors.count == 5_000 && errors.last == Array("line 4999\n".utf8))
    }

    @Test func aReaderGoesOnWhereTheLogGrows() throws {
        var log = try ContainerLogWriter(container.log)
        log.append(.standardOutput, Array("one\n".utf8).span)
        guard var reader = try ContainerLogReader(container) else { throw Missing() }
        let first = try reader.next()
        let none = try reader.next()
        #expect(first?.bytes == Array("one\n".utf8) && none == nil)
        log.append(.standardOutput, Array("two\n".utf8).span)
        let second = try reader.next()
        #expect(second?.bytes == Array("two\n".utf8))
    }

    @Test func aLogThatIsNoneIsRefused() throws {
        let file = try Directory(opening: container.directory).create("log")
        try file.write(Array("nonsense\n".utf8).span)
        #expect(throws: ContainersError.self) { try lines() }
    }
}
