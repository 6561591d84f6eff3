import Inspector
import Layers
import Linux
import OCI
import SystemPackage
import Testing

/// A case of `testdata/inspector/layouts.txt`.
struct Layout: Sendable, CustomTestStringConvertible {
    let name: String
    var layers: [[LayerEntry]] = []
    /// The lines of each keyword, without it.
    var expected: [String: [String]] = [:]

    var testDescription: String { name }

    var analysis: ImageAnalysis {
        ImageAnalysis(
            layers: layers.enumerated().map { index, entries in
                AnalyzedLayerInput(
                    diffID: DiffID(Digest(of: "\(index)")), fileList: FileList(entries, tarSize: 1024))
            })
    }
}

/// All cases; none when the file cannot be read.
let layouts: [Layout] = (try? readLayouts("layouts.txt")) ?? []

/// All cases of `testdata/inspector/trees.txt`.
let treeLayouts: [Layout] = (try? readLayouts("trees.txt")) ?? []

func testdata(_ name: String) throws -> String {
    let folder = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")
    let directory = try Directory(opening: FilePath("\(folder)/testdata/inspector"))
    return String(decoding: try directory.open(PathBytes(name)).readAll(limit: 1 << 20), as: UTF8.self)
}

struct BadLine: Error { let line: String }

private func readLayouts(_ name: String) throws -> [Layout] {
    var layouts: [Layout] = []
    for line in try testdata(name).split(separator: "\n") where !line.hasPrefix("#") {
        let words = line.split(separator: " ").map(String.init)
        let last = layouts.count - 1
        switch words[0] {
        case "==": layouts.append(Layout(name: words.dropFirst().joined(separator: " ")))
        case "layer": layouts[last].layers.append([])
        case _ where line.hasPrefix("  "):
            layouts[last].layers[layouts[last].layers.count - 1].append(try entry(words))
        case "waste", "path", "changes", "total", "dive", "tree", "all":
            layouts[last].expected[words[0], default: []].append(words.dropFirst().joined(separator: " "))
        default: throw BadLine(line: String(line))
        }
    }
    return layouts
}

private func entry(_ words: [String]) throws -> LayerEntry {
    let path = PathBytes(words[1] == "/" ? "" : words[1])
    func target() throws -> PathBytes { PathBytes(try #require(words.count > 2 ? words[2] : nil)) }
    switch words[0] {
    case "file":
        let content = words.count > 3 ? words[3] : "-"
        return LayerEntry(
            path: path, kind: .regular, permissions: try #require(UInt32(words.count > 4 ? words[4] : "644", radix: 8)),
            size: try #require(Int64(words[2])),
            contentHash: content.utf8.reduce(7) { $0 &* 31 &+ UInt64($1) })
    case "dir":
        return LayerEntry(
            path: path, kind: .directory,
            permissions: try #require(UInt32(words.count > 2 ? words[2] : "755", radix: 8)))
    case "symlink": return LayerEntry(path: path, kind: .symlink, linkTarget: try target())
    case "link": return LayerEntry(path: path, kind: .hardLink, linkTarget: try target())
    case "fifo": return LayerEntry(path: path, kind: .fifo)
    case "gone": return LayerEntry(path: path, kind: .whiteout)
    case "opaque": return LayerEntry(path: path, kind: .opaque)
    default: throw BadLine(line: words.joined(separator: " "))
    }
}
