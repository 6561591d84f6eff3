import Linux
import OCI
import Store
import SystemPackage
import Testing

/// SQLite's locks belong to the process, and one that is lost lets another process take the log of the database away.
@Suite struct StoreLockTests {
    @Test func aReaderDoesNotDropTheLocksOfItsProcess() async throws {
        let fixture = try StoreFixture()
        let path = fixture.path.string
        let writer = try fixture.open()
        _ = try writer.content.save([1])
        #expect(try fixture.open(.readOnly).content.contains(Digest(of: [1])))
        // The last one that closes a database removes the log: this one must see that it is not the last.
        await #expect(processExitsWith: .success) { [path = path as String] in
            _ = try StoreRoot(at: FilePath(path)).content.save([2])
        }
        _ = try writer.content.save([3])
        await #expect(processExitsWith: .success) { [path = path as String] in
            let reader = try StoreRoot(at: FilePath(path), mode: .readOnly)
            for byte: UInt8 in 1...3 { #expect(try reader.content.bytes(of: Digest(of: [byte])) == [byte]) }
        }
        #expect(try writer.content.all().count == 3)
    }

    @Test func storesAreOpenedAndClosedAllTheTime() async throws {
        let fixture = try StoreFixture()
        let path = fixture.path.string
        async let first = #expect(processExitsWith: .success) { [path = path as String] in
            try await openAndClose(path, as: "first")
        }
        async let second = #expect(processExitsWith: .success) { [path = path as String] in
            try await openAndClose(path, as: "second")
        }
        try await openAndClose(path, as: "third")
        _ = await (first, second)
        let store = try fixture.open()
        for name in ["first", "second", "third"] {
            for text in texts(of: name) { #expect(try store.content.contains(Digest(of: text)), "\(text)") }
        }
        #expect(try store.databaseDefects().isEmpty)
    }
}

private func texts(of name: String) -> [String] { (0..<4).flatMap { task in (0..<12).map { "\(name) \(task) \($0)" } } }

/// Opens the store again and again, in four tasks at once, to write and to read, and closes it each time.
private func openAndClose(_ path: String, as name: String) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
        for task in 0..<4 {
            group.addTask {
                for text in texts(of: name).dropFirst(12 * task).prefix(12) {
                    try await offload {
                        let digest = try StoreRoot(at: FilePath(path)).content.save(Array(text.utf8))
                        let reader = try StoreRoot(at: FilePath(path), mode: .readOnly)
                        #expect(try reader.content.contains(digest))
                    }
                }
            }
        }
        try await group.waitForAll()
    }
}
