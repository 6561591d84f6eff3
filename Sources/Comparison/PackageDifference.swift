package import Inspector
package import Packages

/// A package of which two images do not have the same versions.
package struct PackageDifference: Hashable, Sendable {
    package let manager: InstalledSoftware.Manager
    package let name: String
    /// Several architectures or directories may have a version each; none when the image lacks the package.
    package let old: [String]
    package let new: [String]
    /// The growth of the sizes that the package manager states; `nil` when it states none.
    package let sizeChange: Int64?

    /// The packages that a layer installs, removes or replaces, in the order of managers and names.
    ///
    /// Throws ``InspectorError`` when files that name packages differ and are not there.
    package static func changes(of layer: Int, in image: InspectedImage) throws -> [PackageDifference] {
        let before = SoftwareRecords(image, after: layer - 1)
        let after = SoftwareRecords(image, after: layer)
        let packages = try before.packages(of: before.selection(against: after), against: after)
        return between(packages.old, packages.new)
    }

    /// In the order of managers and names.
    static func between(_ old: [InstalledSoftware], _ new: [InstalledSoftware]) -> [PackageDifference] {
        struct Key: Hashable {
            let manager: InstalledSoftware.Manager
            let name: String
        }
        func key(_ package: InstalledSoftware) -> Key { Key(manager: package.manager, name: package.name) }
        let before = Dictionary(grouping: old, by: key)
        let after = Dictionary(grouping: new, by: key)
        func versions(_ packages: [InstalledSoftware]?) -> [String] { Set((packages ?? []).map(\.version)).sorted() }
        func size(_ packages: [InstalledSoftware]?) -> Int64? {
            let sizes = (packages ?? []).map(\.size)
            return sizes.contains(nil) ? nil : sizes.reduce(0) { $0 &+ ($1 ?? 0) }
        }
        return Set(before.keys).union(after.keys).compactMap { key in
            let (one, other) = (versions(before[key]), versions(after[key]))
            guard one != other else { return nil }
            var change: Int64?
            if let small = size(before[key]), let large = size(after[key]) { change = large &- small }
            return PackageDifference(
                manager: key.manager, name: key.name, old: one, new: other, sizeChange: change)
        }
        .sorted { ($0.manager.rawValue, $0.name) < ($1.manager.rawValue, $1.name) }
    }
}
