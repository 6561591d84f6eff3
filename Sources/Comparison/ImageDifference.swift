import Inspector
import OCI
import Packages

/// The difference between two images: their layers, configs, files and packages.
package struct ImageDifference: Sendable {
    package enum Side: String, Hashable, Sendable { case old, new }

    /// The differences that one layer makes: a file that was added or changed belongs to the layer of the new image that
    /// has it, a removed one to the layer that removes it or, when none does, to the layer of the old image that has it.
    package struct Step: Hashable, Sendable {
        package let side: Side
        /// The index of the layer in its image.
        package let layer: Int
        package fileprivate(set) var tally = Tally()
    }

    /// Numbers of files, and the growth in bytes.
    package struct Tally: Hashable, Sendable {
        package fileprivate(set) var added = 0
        package fileprivate(set) var removed = 0
        package fileprivate(set) var changed = 0
        package fileprivate(set) var timeOnly = 0
        package fileprivate(set) var sizeChange: Int64 = 0

        fileprivate mutating func add(_ file: FileDifference) {
            switch file.change {
            case .added: added += 1
            case .removed: removed += 1
            case .changed where file.isTimeOnly: timeOnly += 1
            case .changed: changed += 1
            }
            sizeChange &+= file.sizeChange
        }
    }

    package let old: ComparedImage
    package let new: ComparedImage
    package let ignoresTimes: Bool
    /// The number of bottom layers that both images have.
    package let commonLayers: Int
    package let config: [ConfigDifference]
    /// In the order of a walk with sorted names.
    package let files: [FileDifference]
    package let packages: [PackageDifference]
    /// The layers that make differences: those of the old image, then those of the new one, bottom first.
    package let steps: [Step]
    package let tally: Tally

    /// Compares two images. With `ignoresTimes`, times of files and of the config are no differences.
    ///
    /// Throws ``InspectorError`` when files that name packages differ and are not there.
    package init(_ old: ComparedImage, _ new: ComparedImage, ignoresTimes: Bool = false) throws {
        self.old = old
        self.new = new
        self.ignoresTimes = ignoresTimes
        let common = zip(old.diffIDs, new.diffIDs).prefix { $0 == $1 }.count
        commonLayers = common
        config = ConfigDifference.between(old.image.config, new.image.config, ignoresTimes: ignoresTimes)
        files = FileComparison(old, new, common: common, ignoresTimes: ignoresTimes).differences
        let (before, after) = Self.records(old, new)
        let software = try before.packages(of: before.selection(against: after), against: after)
        packages = PackageDifference.between(software.old, software.new)
        var steps: [[Int: Tally]] = [[:], [:]]
        var tally = Tally()
        for file in files {
            tally.add(file)
            let isOld = file.new == nil && file.remover == nil
            let layer = isOld ? file.old?.layer : file.new?.layer ?? file.remover
            steps[isOld ? 0 : 1][layer ?? 0, default: Tally()].add(file)
        }
        self.tally = tally
        self.steps = zip([Side.old, .new], steps).flatMap { side, layers in
            layers.sorted { $0.key < $1.key }.map { Step(side: side, layer: $0.key, tally: $0.value) }
        }
    }

    /// Whether nothing differs but what is ignored.
    package var isEmpty: Bool {
        config.isEmpty && files.isEmpty && packages.isEmpty && old.diffIDs.count == commonLayers
            && new.diffIDs.count == commonLayers
    }

    /// Whether an image has a layer that the other has at any place.
    package func isShared(_ side: Side, _ layer: Int) -> Bool {
        let (own, other) = side == .old ? (old, new) : (new, old)
        return other.diffIDs.contains(own.diffIDs[layer])
    }

    /// The layers whose content the comparison reads, for the files that name packages.
    package static func layersToRead(_ old: ComparedImage, _ new: ComparedImage) -> (old: Set<Int>, new: Set<Int>) {
        let (before, after) = records(old, new)
        let selection = before.selection(against: after)
        return (selection.oldLayers, selection.newLayers)
    }

    private static func records(_ old: ComparedImage, _ new: ComparedImage) -> (SoftwareRecords, SoftwareRecords) {
        (SoftwareRecords(old.image, after: old.lastLayer), SoftwareRecords(new.image, after: new.lastLayer))
    }
}

extension ImageDifference {
    /// The indices of the files that differ in more than their time, the largest changes first.
    package var filesBySize: [Int] {
        var listed = files.indices.compactMap { index in
            files[index].isTimeOnly ? nil : (size: files[index].sizeChange.magnitude, index: index)
        }
        listed.sort { one, other in
            one.size == other.size ? files[one.index].path < files[other.index].path : one.size > other.size
        }
        return listed.map(\.index)
    }
}
