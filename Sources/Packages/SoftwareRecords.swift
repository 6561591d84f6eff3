import Diagnostics
package import Inspector
import Layers
import Linux

/// The packages of an image after a layer, for comparisons: only files that differ have to be read.
package struct SoftwareRecords: Sendable {
    private let image: InspectedImage
    private let evidence: [Evidence]

    /// Finds the files that name packages; `layer` is the index of the last layer that counts.
    package init(_ image: InspectedImage, after layer: Int) {
        self.image = image
        evidence = EvidenceSearch.evidence(in: image, after: layer)
    }

    /// The files to read to tell the packages of two images apart: of each kind all, if one of them differs.
    ///
    /// Of programs, which are large, only those count that differ.
    package struct Selection: Hashable, Sendable {
        fileprivate let old: [Evidence]
        fileprivate let new: [Evidence]

        package var isEmpty: Bool { old.isEmpty && new.isEmpty }
        /// The layers whose content must be here.
        package var oldLayers: Set<Int> { Set(old.flatMap(\.content.places).map(\.layer)) }
        package var newLayers: Set<Int> { Set(new.flatMap(\.content.places).map(\.layer)) }
    }

    /// A file by what is recorded of it, for its bytes are not read yet.
    private struct Mark: Hashable {
        let path: PathBytes
        let sums: [Sum]
    }

    /// The sum and the size of a file that is read, in bytes.
    private struct Sum: Hashable {
        let hash: UInt64
        let size: Int64
    }

    private func marks(_ kind: Evidence.Kind) -> Set<Mark> {
        Set(evidence.filter { $0.kind == kind }.map(mark))
    }

    private func mark(_ evidence: Evidence) -> Mark {
        let entries = evidence.content.places.map(image.entry)
        return Mark(path: evidence.path, sums: entries.map { Sum(hash: $0.contentHash, size: $0.size) })
    }

    package func selection(against new: SoftwareRecords) -> Selection {
        var sides: ([Evidence], [Evidence]) = ([], [])
        for kind in Evidence.Kind.allCases {
            let (before, after) = (marks(kind), new.marks(kind))
            guard before != after else { continue }
            let skipsEqual = kind == .program
            sides.0 += evidence.filter { $0.kind == kind && !(skipsEqual && after.contains(mark($0))) }
            sides.1 += new.evidence.filter { $0.kind == kind && !(skipsEqual && before.contains(new.mark($0))) }
        }
        return Selection(old: sides.0, new: sides.1)
    }

    /// The packages of both sides of a selection.
    ///
    /// Throws ``InspectorError`` when a file is not there. Databases that cannot be read name no packages here.
    package func packages(
        of selection: Selection, against new: SoftwareRecords
    ) throws -> (old: [InstalledSoftware], new: [InstalledSoftware]) {
        (try packages(selection.old), try new.packages(selection.new))
    }

    /// All packages, those of one file in its order.
    package func packages() throws -> [InstalledSoftware] { try packages(evidence) }

    private func packages(_ evidence: [Evidence]) throws -> [InstalledSoftware] {
        var lists: [EvidenceContent: [InstalledSoftware]] = [:]
        let wanted = Dictionary(evidence.map { ($0.content, $0) }, uniquingKeysWith: { first, _ in first })
        try EvidenceReader(image: image).read(wanted) { content, evidence, bytes in
            do { lists[content] = try evidence.packages(in: bytes) } catch is PackagesError { lists[content] = [] }
        }
        return evidence.flatMap { lists[$0.content] ?? [] }
    }
}
