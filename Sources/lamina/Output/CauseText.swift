import Console
import Engine
import GoCompat
import Linux
import OCI
import Records
import Trees

/// Puts the cause of a miss into a sentence.
struct CauseText {
    /// How other steps are called, by their position.
    let name: (Int) -> String
    /// The fate of another step, e.g. `changed`.
    let verb: (Int) -> String
    /// How many files are named; the others are counted.
    var fileLimit = 3

    /// Longer texts are cut to where they differ.
    private static let textLimit = 48

    func sentence(_ cause: MissCause) -> String {
        switch cause {
        case .firstBuild: return "never built before"
        case .newStep: return "the step is new"
        case .noCache: return "--no-cache"
        case .recordGone: return "nothing changed, but its result was pruned from the cache"
        case .unfinished(let outcome): return "nothing changed; in the build before it \(Self.end(outcome))"
        case .files(let changes): return text(changes)
        case .unknownFiles: return "its files changed; which ones is not recorded any more"
        case .unread: return "it failed before it was known what it reads"
        case .variable(let change): return Self.text(change)
        case .command(let from, let to): return Self.text("the command", from, to)
        case .shell(let from, let to): return "SHELL changed: \(from) -> \(to)"
        case .part(let part, let from, let to): return Self.text(part, from, to)
        case .image(let from, let to, let old, let new): return Self.image(from, to, old, new)
        case .follows(let step):
            return "because \(name(step)) \(verb(step))"
        case .removed(let label): return "\(ExplanationText.title(of: label)), which came before it, was removed"
        case .reordered: return "the steps before it are in another order"
        case .unknown: return "its inputs changed; what they were is not recorded any more"
        }
    }

    private static func end(_ outcome: RecordedStep.Outcome) -> String {
        switch outcome {
        case .failed: "failed"
        case .cancelled: "was cancelled"
        default: "was not reached"
        }
    }

    // MARK: Values

    private static func text(_ change: VariableChange) -> String {
        let name = "\(change.isArgument ? "ARG" : "ENV") \(change.name)"
        func isHidden(_ text: String?) -> Bool { text.map(Redaction.isHidden) ?? false }
        switch (change.from, change.to) {
        case (let from, let to) where isHidden(from) || isHidden(to):
            let verb = from == nil ? "was added" : to == nil ? "was removed" : "changed"
            return "\(name) \(verb) (values that may be secret are not kept)"
        case (let from?, let to?): return text(name, from, to)
        case (nil, let to?): return "\(name) was added: \(quoted(to))"
        case (let from?, nil): return "\(name) was removed, it was \(quoted(from))"
        case (nil, nil): return "\(name) changed"
        }
    }

    private static func text(_ part: KeyPart, _ from: String, _ to: String) -> String {
        let name =
            switch part {
            case .words: "the sources"
            case .destination: "the destination"
            case .owner: "--chown"
            case .mode: "--chmod"
            case .excludes: "--exclude"
            case .flags: "flags"
            case .inline: "the here-document"
            case .user: "USER"
            case .directory: "WORKDIR"
            case .network: "--network"
            case .sandbox: "what the sandbox allows"
            case .mounts: "--mount"
            case .url: "the URL"
            case .content: "what the server has"
            case .commit: "the commit"
            case .environment: "the order of the environment"
            case .command, .scripts, .arguments, .files, .image, .digest, .base: "the \(part.rawValue)"
            }
        switch part {
        case .content, .commit: return "\(name) changed: \(shortDigest(from)) -> \(shortDigest(to))"
        case .environment: return "\(name) changed"
        case .flags where from.isEmpty: return "\(to) was added"
        case .flags where to.isEmpty: return "\(from) was removed"
        default: return text(name, from, to)
        }
    }

    /// `NAME changed: "from" -> "to"`; of texts of several lines only the first that differs.
    private static func text(_ name: String, _ from: String, _ to: String) -> String {
        if from.isEmpty, !to.isEmpty { return "\(name) was added: \(quoted(to))" }
        if to.isEmpty, !from.isEmpty { return "\(name) was removed, it was \(quoted(from))" }
        func lines(_ text: String) -> [Substring] {
            text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }
        }
        let (old, new) = (lines(from), lines(to))
        guard old.count > 1 || new.count > 1 else { return "\(name) changed: \(difference(from, to))" }
        let same = zip(old, new).prefix { $0 == $1 }.count
        guard same < old.count, same < new.count else {
            let count = abs(new.count - old.count)
            let lines = count == 1 ? "a line was" : "\(count) lines were"
            return "\(name) changed: \(lines) \(new.count > old.count ? "added" : "removed") after line \(same)"
        }
        return "\(name) changed in line \(same + 1): \(difference(String(old[same]), String(new[same])))"
    }

    /// Both texts, of long ones only what is around the difference.
    private static func difference(_ from: String, _ to: String) -> String {
        guard max(from.count, to.count) > textLimit else { return "\(quoted(from)) -> \(quoted(to))" }
        let start = from.commonPrefix(with: to).count
        let lead = start > 16 ? start - 12 : 0
        func excerpt(_ text: String) -> String {
            let rest = text.dropFirst(lead)
            let cut = rest.count > textLimit ? rest.prefix(textLimit - 1) + "…" : rest
            return quoted((lead > 0 ? "…" : "") + cut)
        }
        return "\(excerpt(from)) -> \(excerpt(to))"
    }

    private static func quoted(_ text: String) -> String {
        let line = TerminalText.line(text)
        return "\"\(line.count > 2 * textLimit ? line.prefix(2 * textLimit - 1) + "…" : line[...])\""
    }

    private static func shortDigest(_ text: String) -> String {
        let digits = text.hasPrefix("sha256:") ? text.dropFirst(7) : text[...]
        return String(digits.prefix(12))
    }

    private static func image(_ from: String, _ to: String, _ old: String, _ new: String) -> String {
        from == to
            ? "\(to) moved: \(shortDigest(old)) -> \(shortDigest(new))" : "the base changed: \(from) -> \(to)"
    }

    // MARK: Files

    private func text(_ changes: FileChanges) -> String {
        let shown = changes.changes.prefix(fileLimit).map(Self.text)
        let rest = changes.changes.dropFirst(fileLimit)
        guard !rest.isEmpty else { return shown.joined(separator: "; ") }
        var counts: [(String, Int)] = []
        for change in rest {
            let word =
                switch change.kind {
                case .added: "added"
                case .removed: "removed"
                case .renamed: "renamed"
                case .changed: "changed"
                }
            if let index = counts.firstIndex(where: { $0.0 == word }) {
                counts[index].1 += 1
            } else {
                counts.append((word, 1))
            }
        }
        let more = counts.enumerated().map { index, pair in
            index == 0 ? "\(pair.1) more \(pair.1 == 1 ? "file" : "files") \(pair.0)" : "\(pair.1) \(pair.0)"
        }
        return (shown + [more.joined(separator: ", ")]).joined(separator: "; ")
    }

    static func text(_ change: FileChanges.Change) -> String {
        let path = TerminalText.line(change.path.isEmpty ? "." : change.path.text)
        switch change.kind {
        case .added: return "\(path) was added"
        case .removed: return "\(path) was removed"
        case .renamed(let from): return "\(TerminalText.line(from.text)) was renamed to \(path)"
        case .changed(let differences):
            return "\(path) changed (\(differences.map(text).joined(separator: "; ")))"
        }
    }

    private static func text(_ difference: FileChanges.Difference) -> String {
        switch difference {
        case .content(let from, let to):
            from == to ? "content" : "content, \(HumanSize.short(from)) -> \(HumanSize.short(to))"
        case .mode(let from, let to): "mode \(octal(from)) -> \(octal(to))"
        case .owner(let from, let to): "owner \(joined(from)) -> \(joined(to))"
        case .kind(let from, let to): "a \(from) -> a \(to)"
        case .linkTarget(let from, let to) where from.isEmpty:
            "now a link to \(TerminalText.line(to.text))"
        case .linkTarget(let from, let to) where to.isEmpty:
            "no longer a link to \(TerminalText.line(from.text))"
        case .hardLink(let from, let to) where to.isEmpty:
            "no longer a hard link to \(TerminalText.line(from.text))"
        case .hardLink(_, let to):
            "now a hard link to \(TerminalText.line(to.text))"
        case .linkTarget(let from, let to):
            "link to \(TerminalText.line(from.text)) -> \(TerminalText.line(to.text))"
        case .attributes: "extended attributes"
        }
    }

    private static func octal(_ mode: UInt32) -> String {
        let digits = String(mode, radix: 8)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }

    private static func joined(_ ids: [UInt32]) -> String { ids.map(String.init).joined(separator: ":") }
}

extension String {
    fileprivate func commonPrefix(with other: String) -> Substring {
        var end = startIndex
        for (one, two) in zip(self, other) {
            guard one == two else { break }
            end = index(after: end)
        }
        return self[..<end]
    }
}
