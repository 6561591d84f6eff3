import Inspector
import Layers
import Linux
import OCI

/// Steps that install what a manifest of dependencies names, such as `package.json`, and come after a COPY that brings
/// other files, too: each change of any of these files makes their layers anew.
struct ManifestOrder {
    /// A step with the lowest COPY that brings files which it does not need.
    struct Finding: Hashable {
        let layer: Int
        let copy: Int
        /// The nodes of the files that the step reads.
        let manifests: [Int]
    }

    private let image: InspectedImage
    private let order: StepOrder

    init(_ image: InspectedImage, _ order: StepOrder) {
        self.image = image
        self.order = order
    }

    /// The findings, bottom first. A manifest that refers to other files of the project is none, nor is one whose bytes are
    /// not there.
    func findings() -> [Finding] {
        image.analysis.layers.indices.compactMap { layer in
            guard let text = order.text(of: layer), let install = Self.install(text),
                let directory = directory(of: layer),
                let manifests = manifests(of: install, in: directory, below: layer)
            else { return nil }
            let copies = order.copiesBefore(layer)
            guard isIndependent(layer, of: copies, directory),
                let lowest = copies.last(where: { holdsMore(than: manifests, $0) })
            else { return nil }
            return Finding(layer: layer, copy: lowest, manifests: manifests)
        }
    }

    /// The commands of a RUN that installs dependencies and does nothing else.
    static func install(_ text: String) -> [DependencyInstall]? {
        guard let commands = ShellCommands.commands(ofRun: text) else { return nil }
        var installs: [DependencyInstall] = []
        for words in commands {
            if let install = DependencyInstall(words) {
                installs.append(install)
            } else if !StepOrder.isHarmless(words), !upkeep.contains(words) {
                return nil
            }
        }
        return installs.isEmpty ? nil : installs
    }

    /// Commands that remove what downloads leave behind.
    private static let upkeep = [
        ["npm", "cache", "clean", "--force"], ["yarn", "cache", "clean"], ["pip", "cache", "purge"],
        ["rm", "-rf", "/root/.npm"],
    ]

    // MARK: The working directory

    /// The working directory of a step; `nil` when the image's history does not tell.
    private func directory(of layer: Int) -> PathBytes? {
        var (path, found, next): (PathBytes, PathBytes?, Int) = ("", nil, 0)
        for step in image.config.history {
            if !step.emptyLayer {
                if next == layer { found = path }
                next += 1
            }
            let text = step.createdBy.replacing("/bin/sh -c #(nop) ", with: "").drop { $0 == " " }
            guard text.hasPrefix("WORKDIR ") else { continue }
            let value = PathBytes(String(text.dropFirst(8)))
            path = value.bytes.first == UInt8(ascii: "/") ? value : path.appending(value)
        }
        // A base without a history may have one, too.
        let last = PathBytes(image.config.config.workingDirectory)
        guard path.components == last.components, let found, !found.components.contains("..") else { return nil }
        return found.components.reduce("") { $0.appending($1) }
    }

    // MARK: Files

    /// The nodes of the files that a step reads; `nil` when one is missing or refers to others.
    private func manifests(of installs: [DependencyInstall], in directory: PathBytes, below layer: Int) -> [Int]? {
        let files = ScopedFiles(image.tree, .after(layer - 1))
        func node(_ name: String) -> Int? {
            image.tree.node(at: directory.appending(PathBytes(name))).flatMap { files.file(at: $0) == nil ? nil : $0 }
        }
        var nodes: [Int] = []
        for install in installs {
            guard !install.excluded.contains(where: { node($0) != nil }) else { return nil }
            for name in install.required + install.optional {
                guard let found = node(name) else {
                    if install.required.contains(name) { return nil }
                    continue
                }
                guard let place = files.file(at: found).flatMap(image.place), image.entry(at: place).size <= Self.limit,
                    let bytes = try? image.beginning(of: place, limit: Self.limit), install.isSelfContained(name, bytes)
                else { return nil }
                nodes.append(found)
            }
        }
        return nodes
    }

    /// A larger manifest, in bytes, is not read.
    private static let limit = 16 << 20

    private func holdsMore(than manifests: [Int], _ layer: Int) -> Bool {
        image.tree.lists[layer].indices.contains { index in
            image.tree.lists[layer].kind(of: index) != .directory
                && !manifests.contains(image.tree.node(of: index, in: layer))
        }
    }

    /// Whether a step and copies before it leave each other's files alone: the step writes to no directory within the
    /// working directory that has files of them, replaces none of them and removes none.
    private func isIndependent(_ layer: Int, of copies: [Int], _ directory: PathBytes) -> Bool {
        let tree = image.tree
        guard let top = tree.node(at: directory) else { return false }
        var checked: Set<Int> = []
        for index in tree.lists[layer].indices {
            var node = tree.node(of: index, in: layer)
            let isMark = tree.lists[layer].kind(of: index).isMark
            guard node > top, node < tree.end(of: top) else {
                if isMark, tree.end(of: node) > top, node <= top { return false }
                continue
            }
            while tree.parent(of: node) != top { node = tree.parent(of: node) }
            guard checked.insert(node).inserted else { continue }
            let isTouched = (node..<tree.end(of: node)).contains { inner in
                copies.contains { tree.layer($0, holds: inner) }
            }
            if isTouched { return false }
        }
        return true
    }
}
