import Glibc
import SystemPackage

/// One range of user or group numbers in a user namespace, as a line of `/proc/PID/uid_map`. See `user_namespaces(7)`.
package struct IDRange: Hashable, Sendable {
    /// The first number inside.
    package let inside: UInt32
    /// The first number in the namespace above.
    package let outside: UInt32
    package let count: UInt32

    package init(inside: UInt32, outside: UInt32, count: UInt32) {
        self.inside = inside
        self.outside = outside
        self.count = count
    }
}

/// A map from user or group IDs in a user namespace to those outside.
package struct IDMap: Hashable, Sendable {
    package let ranges: [IDRange]

    package init(_ ranges: [IDRange]) { self.ranges = ranges }

    /// Parses the text of `/proc/PID/uid_map`; what is no range is left out.
    package init(parsing text: String) {
        ranges = text.split(separator: "\n").compactMap { line in
            let numbers = line.split(whereSeparator: \.isWhitespace).compactMap { UInt32($0) }
            guard numbers.count == 3, numbers[2] > 0, !numbers[1].addingReportingOverflow(numbers[2] - 1).overflow
            else { return nil }
            return IDRange(inside: numbers[0], outside: numbers[1], count: numbers[2])
        }
    }

    /// The map of a user's own number to 0, and of its subordinate numbers to those from 1.
    package init(own: UInt32, subordinates: [SubordinateRange]) {
        var ranges = [IDRange(inside: 0, outside: own, count: 1)]
        var next: UInt64 = 1
        for range in subordinates where next + UInt64(range.count) <= UInt64(UInt32.max) {
            ranges.append(IDRange(inside: UInt32(next), outside: range.start, count: range.count))
            next += UInt64(range.count)
        }
        self.ranges = ranges
    }

    /// The map that changes nothing of a namespace with this map: every number that is there is there under the same.
    package var identity: IDMap {
        IDMap(ranges.map { IDRange(inside: $0.inside, outside: $0.inside, count: $0.count) })
    }

    /// How many numbers there are.
    package var count: UInt64 { ranges.reduce(0) { $0 + UInt64($1.count) } }

    /// The map of a user namespace that nothing was done to: all numbers but the last, which stands for none.
    package static let initial = IDMap([IDRange(inside: 0, outside: 0, count: .max)])

    /// The ID outside for one inside; `nil` if there is none.
    package func outside(_ id: UInt32) -> UInt32? {
        ranges.first { id >= $0.inside && id - $0.inside < $0.count }.map { $0.outside + (id - $0.inside) }
    }

    package func contains(_ id: UInt32) -> Bool {
        ranges.contains { id >= $0.inside && id - $0.inside < $0.count }
    }
}

extension IDMap: CustomStringConvertible {
    /// Ranges as `inside:outside:count`, separated by commas.
    package var description: String {
        ranges.map { "\($0.inside):\($0.outside):\($0.count)" }.joined(separator: ",")
    }
}

/// The maps of a user namespace.
package struct IDMaps: Hashable, Sendable {
    package let users: IDMap
    package let groups: IDMap

    package init(users: IDMap, groups: IDMap) {
        self.users = users
        self.groups = groups
    }

    /// The maps of this process. Without `/proc`, every ID counts as mapped to itself.
    package static var current: IDMaps {
        func map(_ kind: String) -> IDMap {
            (try? readText(FilePath("/proc/self/\(kind)_map"))).map { IDMap(parsing: $0) } ?? .initial
        }
        return IDMaps(users: map("uid"), groups: map("gid"))
    }

    /// Whether only one user or one group is mapped, so that files cannot be given to other owners.
    package var isSingle: Bool { users.count <= 1 || groups.count <= 1 }

    /// Whether this process can give files to any owner. One that cannot takes owners from the lists of layers.
    package static var canSetOwners: Bool { geteuid() == 0 && !current.isSingle }
}

extension IDMaps: CustomStringConvertible {
    /// Both maps, that of users first.
    package var description: String { "\(users) \(groups)" }
}
