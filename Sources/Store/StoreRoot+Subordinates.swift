import Glibc
import Linux
package import SystemPackage

/// An unprivileged user's store may hold files of the user's subordinate numbers, which only the root of a user
/// namespace with
/// these numbers can read and remove. A mark says so, to be seen before anything else is done with the store.
extension StoreRoot {
    private static let mark: PathBytes = "subordinates"

    /// Whether the store at a path may hold such files.
    package static func hasSubordinates(at path: FilePath) -> Bool {
        guard let directory = try? Directory(opening: path) else { return false }
        return (try? directory.statusIfExists(mark)) != nil
    }

    /// Notes that such files may be made from now on.
    package func noteSubordinates() throws {
        guard mode == .readWrite else { return }
        try explaining { _ = try openDirectory().open(Self.mark, O_WRONLY | O_CREAT, mode: 0o600) }
    }
}
