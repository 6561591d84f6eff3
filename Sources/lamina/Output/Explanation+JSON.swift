import Engine
import Linux
import OCI
import Records
import Trees

extension Explanation {
    /// The explanation for programs; `docs/explain.md` describes it. Keys may be added, but none changes.
    var json: JSON {
        .object(
            ("schema", .integer(1)), ("build", .string(build.id)),
            ("comparedWith", former.map { .string($0.id) } ?? .null),
            ("beganWith", beginning.map { .integer($0.position) } ?? .null),
            ("steps", .array(findings.map(json(of:)))))
    }

    private func json(of finding: Finding) -> JSON {
        let step = build.details.steps[finding.position]
        let title = StepTitle(step.label)
        let text = CauseText(self)
        return .object(
            ("position", .integer(finding.position)), ("number", step.number == 0 ? nil : .integer(step.number)),
            ("stage", .string(title.stage)), ("instruction", .string(title.text)),
            ("line", step.lines.map { .integer($0.lowerBound) }), ("kind", .string(step.kind.rawValue)),
            ("outcome", .string(step.outcome.rawValue)),
            ("isMiss", .bool(isMiss(finding))), ("origin", finding.origin.map { .integer($0) }),
            ("comparedWith", finding.comparedWith.map { .string($0) }),
            ("causes", .array(finding.causes.map { $0.json(text: text.sentence($0)) })))
    }
}

extension MissCause {
    fileprivate func json(text: String) -> JSON {
        var members: [(String, JSON)] = [("cause", .string(code)), ("text", .string(text))]
        switch self {
        case .firstBuild, .newStep, .noCache, .recordGone, .unknownFiles, .unread, .reordered, .unknown: break
        case .unfinished(let outcome): members.append(("outcome", .string(outcome.rawValue)))
        case .files(let changes): members.append(("files", .array(changes.changes.map(\.json))))
        case .variable(let change):
            members += [
                ("name", .string(change.name)), ("declaredBy", .string(change.isArgument ? "ARG" : "ENV")),
                ("from", change.from.map { .string($0) } ?? .null), ("to", change.to.map { .string($0) } ?? .null),
            ]
        case .command(let from, let to), .shell(let from, let to):
            members += [("from", .string(from)), ("to", .string(to))]
        case .part(let part, let from, let to):
            members += [("part", .string(part.rawValue)), ("from", .string(from)), ("to", .string(to))]
        case .image(let from, let to, let old, let new):
            members += [
                ("from", .string(from)), ("to", .string(to)), ("fromDigest", .string(old)), ("toDigest", .string(new)),
            ]
        case .removed(let label): members.append(("instruction", .string(StepTitle(label).text)))
        case .follows(let step): members.append(("step", .integer(step)))
        }
        return .object(JSONObject(members))
    }

    private var code: String {
        switch self {
        case .firstBuild: "first-build"
        case .newStep: "new-step"
        case .noCache: "no-cache"
        case .recordGone: "record-pruned"
        case .unread: "inputs-unread"
        case .unfinished: "unfinished"
        case .files: "files"
        case .unknownFiles: "unknown-files"
        case .variable: "variable"
        case .command: "command"
        case .shell: "shell"
        case .part: "part"
        case .image: "image"
        case .follows: "follows"
        case .removed: "step-removed"
        case .reordered: "reordered"
        case .unknown: "unknown"
        }
    }
}

extension FileChanges.Change {
    fileprivate var json: JSON {
        var members: [(String, JSON)] = [("path", .string(path.text))]
        switch kind {
        case .added: members.append(("change", .string("added")))
        case .removed: members.append(("change", .string("removed")))
        case .renamed(let from): members += [("change", .string("renamed")), ("from", .string(from.text))]
        case .changed(let differences):
            members += [("change", .string("changed"))] + differences.map(\.member)
        }
        return .object(JSONObject(members))
    }
}

extension FileChanges.Difference {
    fileprivate var member: (String, JSON) {
        func pair(_ from: JSON, _ to: JSON) -> JSON { .object(("from", from), ("to", to)) }
        switch self {
        case .content(let from, let to): return ("content", pair(.integer(from), .integer(to)))
        case .mode(let from, let to): return ("mode", pair(.string(octal(from)), .string(octal(to))))
        case .owner(let from, let to):
            return ("owner", pair(.array(from.map { .integer($0) }), .array(to.map { .integer($0) })))
        case .kind(let from, let to): return ("kind", pair(.string(from), .string(to)))
        case .linkTarget(let from, let to): return ("linkTarget", pair(.string(from.text), .string(to.text)))
        case .hardLink(let from, let to): return ("hardLink", pair(.string(from.text), .string(to.text)))
        case .attributes: return ("attributes", .bool(true))
        }
    }

    private func octal(_ mode: UInt32) -> String { String(mode, radix: 8) }
}
