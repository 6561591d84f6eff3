package import Inspector

/// A package of which two images do not have the same versions.
package struct PackageDifference: Hashable, Sendable {
    package let manager: InstalledPackage.Manager
    package let name: String
    /// Several architectures or directories may have a version each; none when the image lacks the package.
    package let old: [String]
    package let new: [String]
    /// The growth of the sizes that the package manager states; `nil` when it states none.
    package let sizeChange: Int64?

    /// The packages that a layer installs, removes or replaces, in the order of managers and names.
    ///
    /// Throws ``InspectorError`` when the records of packages differ and cannot be read.
    package static func changes(of layer: Int, in image: InspectedImage) throws -> [PackageDifference] {
        let before = PackageRecords(image, after: layer - 1)
        let after = PackageRecords(image, after: layer)
        return before.isEqual(to: after) ? [] : between(try before.packages(), try after.packages())
    }

    /// In the order of managers and names.
    static func between(_ old: [InstalledPackage], _ new: [InstalledPackage]) -> [PackageDifference] {
        struct Key: Hashable {
            let manager: InstalledPackage.Manager
            let name: String
        }
        func key(_ package: InstalledPackage) -> Key { Key(manager: package.manager, name: package.name) }
        let before = Dictionary(grouping: old, by: key)
        let after = Dictionary(grouping: new, by: key)
        func versions(_ packages: [InstalledPackage]?) -> [String] { Set((packages ?? []).map(\.version)).sorted() }
        func size(_ packages: [InstalledPackage]?) -> Int64? {
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
