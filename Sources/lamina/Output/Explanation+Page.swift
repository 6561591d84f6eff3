import Engine
import GoCompat
import OCI
import Pages
import Records
import Store

extension Explanation {
    /// The explanation of `past` as a page with a time line.
    func page(of past: PastBuild) -> BuildPage {
        let steps = past.details.steps
        let path = CriticalPath(steps)
        let onPath = Set(path.positions)
        let findings = Dictionary(self.findings.map { ($0.position, $0) }, uniquingKeysWith: { first, _ in first })
        let text = CauseText(self)
        let shown = steps.indices.filter { findings[$0] != nil || steps[$0].number > 0 }.map { position in
            let step = steps[position]
            let title = StepTitle(step.label)
            let finding = findings[position]
            return JSON.object(
                ("stage", .string(title.stage)), ("instruction", .string(title.text)),
                ("line", step.lines.map { .integer($0.lowerBound) } ?? .null),
                ("outcome", .string(step.outcome.rawValue)), ("isWork", .bool(step.kind.isWork)),
                ("isMiss", .bool(finding.map(isMiss) ?? false)), ("isCritical", .bool(onPath.contains(position))),
                ("started", Self.seconds(step.started)), ("ended", Self.seconds(step.ended)),
                (
                    "causes",
                    .array((finding?.causes ?? []).map { .object(("text", .string(text.sentence($0)))) })
                ))
        }
        return BuildPage(
            title: "Build \(build.id)",
            data: .object(
                ("status", .string(past.record.status.rawValue)), ("duration", Self.seconds(past.duration)),
                ("criticalDuration", Self.seconds(path.duration(in: steps))),
                ("comparedWith", former.map { .string($0.id) } ?? .null), ("steps", .array(shown))))
    }

    private static func seconds(_ duration: Duration?) -> JSON {
        duration.map { .number($0.seconds.fixed(6)) } ?? .null
    }
}
