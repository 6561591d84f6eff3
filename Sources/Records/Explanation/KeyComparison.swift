package import OCI
package import Trees

/// The source of the ingredients of keys, for an explanation.
package struct KeySource: Sendable {
    /// The ingredients of a key; `nil` when they are not kept any more.
    package var ingredients: @Sendable (Digest) -> KeyIngredients?
    /// The files of a list; `nil` when it is not kept.
    var files: @Sendable (Digest) -> [FileListing.File]?

    package init(ingredients: @escaping @Sendable (Digest) -> KeyIngredients?) {
        self.ingredients = ingredients
        files = { _ in nil }
    }
}

/// Compares what went into the keys of a step then and now.
struct KeyComparison {
    private let old: KeyIngredients
    private let new: KeyIngredients
    private let source: KeySource

    /// `nil` when one of the two is not known.
    init?(from old: Digest, to new: Digest, _ source: KeySource) {
        guard let before = source.ingredients(old), let after = source.ingredients(new), before.kind == after.kind
        else { return nil }
        (self.old, self.new, self.source) = (before, after, source)
    }

    /// Whether the step starts from another file system.
    var baseDiffers: Bool { old[.base] != new[.base] }

    /// Whether the files that the step reads besides its base differ.
    var filesDiffer: Bool { old[.files] != new[.files] }

    /// All differences but that of the base and of the files.
    var own: [MissCause] { command + variables + parts + image }

    /// The differences of the files, as far as their lists are known.
    var fileChanges: FileChanges? {
        guard let before = files(of: old), let after = files(of: new) else { return nil }
        let changes = FileChanges(from: before, to: after)
        return changes.isEmpty ? nil : changes
    }

    private func files(of key: KeyIngredients) -> [FileListing.File]? {
        var all: [FileListing.File] = []
        for item in key[.files]?.array ?? [] {
            guard let hex = item.string else { continue }
            guard let digest = try? Digest(parsing: "sha256:\(hex)"), let files = source.files(digest) else {
                return nil
            }
            all += files
        }
        return all
    }

    private func texts(_ part: KeyPart) -> (old: [String], new: [String]) {
        func texts(_ value: JSON?) -> [String] { value?.strings ?? value?.string.map { [$0] } ?? [] }
        return (texts(old[part]), texts(new[part]))
    }

    private var command: [MissCause] {
        let (before, after) = texts(.command)
        let scripts = texts(.scripts)
        if before == after {
            guard scripts.old != scripts.new else { return [] }
            return [.command(from: scripts.old.joined(separator: "\n"), to: scripts.new.joined(separator: "\n"))]
        }
        guard let line = before.last, let newLine = after.last else {
            return [.command(from: before.joined(separator: " "), to: after.joined(separator: " "))]
        }
        // A line for a shell is the last of its arguments.
        let (shell, newShell) = (before.dropLast(), after.dropLast())
        if line == newLine {
            return [.shell(from: shell.joined(separator: " "), to: newShell.joined(separator: " "))]
        }
        guard shell == newShell else {
            return [.command(from: before.joined(separator: " "), to: after.joined(separator: " "))]
        }
        return [.command(from: line, to: newLine)]
    }

    private var variables: [MissCause] {
        let (before, after) = texts(.environment)
        guard before != after else { return [] }
        func split(_ text: String) -> (name: String, value: String) {
            let name = text.prefix { $0 != "=" }
            return (String(name), String(text.dropFirst(name.count + 1)))
        }
        let was = before.map(split)
        let now = after.map(split)
        let arguments = Set(texts(.arguments).old + texts(.arguments).new)
        var changes: [MissCause] = []
        func note(_ name: String, _ from: String?, _ to: String?) {
            changes.append(
                .variable(
                    VariableChange(name: name, isArgument: arguments.contains(name), from: from, to: to)))
        }
        for (name, value) in now {
            let former = was.last { $0.name == name }?.value
            if former != value { note(name, former, value) }
        }
        for (name, value) in was where !now.contains(where: { $0.name == name }) { note(name, value, nil) }
        return changes.isEmpty ? [.part(.environment, from: "", to: "")] : changes
    }

    private var parts: [MissCause] {
        let names: [KeyPart] = [
            .words, .destination, .owner, .mode, .excludes, .flags, .inline, .user, .directory, .network,
            .sandbox, .mounts, .url, .content, .commit,
        ]
        return names.compactMap { name in
            let (before, after) = texts(name)
            guard before != after else { return nil }
            if name == .mounts { return mounts(before, after) }
            return .part(name, from: before.joined(separator: " "), to: after.joined(separator: " "))
        }
    }

    /// Only those mounts that differ.
    private func mounts(_ before: [String], _ after: [String]) -> MissCause {
        .part(
            .mounts, from: before.filter { !after.contains($0) }.joined(separator: " "),
            to: after.filter { !before.contains($0) }.joined(separator: " "))
    }

    private var image: [MissCause] {
        func text(_ key: KeyIngredients, _ part: KeyPart) -> String { key[part]?.string ?? "" }
        let (name, newName) = (text(old, .image), text(new, .image))
        let (digest, newDigest) = (text(old, .digest), text(new, .digest))
        guard name != newName || digest != newDigest else { return [] }
        return [.image(from: name, to: newName, fromDigest: digest, toDigest: newDigest)]
    }
}
