package import Diagnostics

extension LintRule {
    static let deletedLater = LintRule(
        "DeletedLater", "A layer keeps its files, whatever later layers delete", advice: .always)
}

/// Files that a step deleted after an earlier step of the same Dockerfile had made them.
package struct Deletion: Hashable, Sendable {
    /// The instruction that deletes.
    package let lines: ClosedRange<Int>
    /// The first lines of the instructions whose layers still hold the files.
    package let madeAt: [Int]
    package let fileCount: Int
    /// The size of the files together.
    package let bytes: Int64
    /// The path of the largest of them.
    package let largest: String

    package init(lines: ClosedRange<Int>, madeAt: [Int], fileCount: Int, bytes: Int64, largest: String) {
        self.lines = lines
        self.madeAt = madeAt
        self.fileCount = fileCount
        self.bytes = bytes
        self.largest = largest
    }
}

/// The checks of what a build made, which can be done only when it is there.
package struct LayerChecks: Sendable {
    let linter: Linter

    /// The warnings about the Dockerfile, and those of the checks that were run.
    package var warnings: [Warning] { linter.warnings }

    /// Reports files that an instruction deletes too late.
    package func report(_ deletion: Deletion) {
        let places = deletion.madeAt.map(String.init).joined(separator: ", ")
        let layers =
            deletion.madeAt.count == 1
            ? "layer of line \(places) still holds" : "layers of lines \(places) still hold"
        let (what, it, makes) =
            deletion.fileCount == 1
            ? ("\"/\(deletion.largest)\"", "it", "makes it")
            : ("\(deletion.fileCount) files such as \"/\(deletion.largest)\"", "them", "makes them")
        linter.report(
            .deletedLater,
            "This step deletes \(what), but the \(layers) \(it): \(Self.size(deletion.bytes)) of the image; "
                + "delete \(it) in the step that \(makes)",
            instructionAt: deletion.lines)
    }

    /// Reports files in the layer of a COPY or ADD from the build context whose names are those of secrets.
    package func reportSecrets(_ paths: [String], at location: SourceRange, keyword: String) {
        linter.reportSecrets(paths, lines: location.lines, keyword: keyword)
    }

    private static func size(_ bytes: Int64) -> String {
        var value = bytes * 10
        for unit in ["kB", "MB", "GB"] {
            guard value >= 10_000 else { break }
            value /= 1000
            if value < 10_000 || unit == "GB" { return "\(value / 10).\(value % 10) \(unit)" }
        }
        return bytes == 1 ? "1 byte" : "\(bytes) bytes"
    }
}
