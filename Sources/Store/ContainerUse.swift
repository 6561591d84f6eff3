import Diagnostics
import Linux
package import OCI
package import SystemPackage

/// The image and the layers that a container needs, whether it runs or not.
package struct ContainerUse: Hashable, Sendable {
    package let container: String
    package let image: Digest
    /// Bottom first.
    package let diffIDs: [DiffID]
}

extension StoreRoot {
    /// The directory of containers, one below it each; its file `uses` says what the collector must leave:
    /// the ID of the image, then the layers, a line each.
    package var containers: FilePath { path.appending("containers") }

    /// The images and layers that containers need. A container that is being made has a lease.
    package func containerUses() throws -> [ContainerUse] {
        guard let directory = try? Directory(opening: containers) else { return [] }
        return try directory.names().compactMap { name in
            let text: String
            do { text = try readText(containers.appending(name.text).appending("uses")) } catch let error as LinuxError
                where error.code == .notFound
            { return nil }
            let words = text.split(separator: "\n")
            guard let image = words.first else {
                throw StoreError(.failed, "the container \(name) does not say which image it has", hint: "Remove it.")
            }
            return ContainerUse(
                container: name.text, image: try Digest(parsing: String(image)),
                diffIDs: try words.dropFirst().map { try DiffID(parsing: String($0)) })
        }
    }
}
