import Linux
import Testing

@Suite struct IDMapTests {
    @Test func parsesWhatTheKernelWrites() {
        let map = IDMap(parsing: "         0       1000          1\n         1     100000      65536\nx\n1 2\n3 4 0\n")
        #expect(
            map.ranges == [.init(inside: 0, outside: 1000, count: 1), .init(inside: 1, outside: 100_000, count: 65536)])
        #expect(map.description == "0:1000:1,1:100000:65536")
        #expect(IDMap(parsing: "0 0 4294967295\n") == .initial)
    }

    @Test func putsSubordinatesBehindTheUser() {
        let map = IDMap(own: 7, subordinates: [.init(start: 100, count: 10), .init(start: 500, count: 5)])
        #expect(map.description == "0:7:1,1:100:10,11:500:5")
        #expect(map.count == 16)
        for (inside, outside) in [(0, 7), (1, 100), (10, 109), (11, 500), (15, 504)] as [(UInt32, UInt32)] {
            #expect(map.outside(inside) == outside && map.contains(inside))
        }
        #expect(map.outside(16) == nil && !map.contains(16))
    }

    /// A range that no number is left for is not used.
    @Test func holdsNoMoreThanThereAre() {
        let map = IDMap(own: 0, subordinates: [.init(start: 1, count: .max - 1), .init(start: 5, count: 5)])
        #expect(map.description == "0:0:1,1:1:4294967294")
    }

    @Test func changesNothingAsAnIdentity() {
        let map = IDMap(parsing: "0 1000 1\n1 100000 65536\n")
        #expect(map.identity.description == "0:0:1,1:1:65536")
    }

    @Test(arguments: [("0 0 1", "0 0 1", true), ("0 0 2", "0 0 1", true), ("0 0 2", "0 0 2", false)])
    func knowsWhoIsAlone(_ users: String, _ groups: String, _ isSingle: Bool) {
        #expect(IDMaps(users: IDMap(parsing: users), groups: IDMap(parsing: groups)).isSingle == isSingle)
    }
}
