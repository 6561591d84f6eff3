import Console
import Engine
import GoCompat
import OCI
import Records
import Store

/// A table of a build's times by step.
struct TimingsText {
    let build: PastBuild

    func lines() -> [String] {
        let steps = build.details.steps
        let path = CriticalPath(steps)
        let onPath = Set(path.positions)
        let order = steps.indices.filter { steps[$0].number > 0 && steps[$0].started != nil }.sorted {
            (steps[$0].started ?? .zero, steps[$0].number) < (steps[$1].started ?? .zero, steps[$1].number)
        }
        var table = Table(
            headers: ["", "START", "TIME", "CPU", "WAIT", "MEMORY", "IN", "OUT", "STEP"], minimumWidth: 2, gap: 2)
        for position in order {
            let step = steps[position]
            table.append([
                onPath.contains(position) ? "*" : "", Self.seconds(step.started), Self.time(of: step),
                Self.seconds(step.cost.cpu), step.wait.map { $0 < .milliseconds(1) ? "" : Self.seconds($0) } ?? "",
                Self.size(step.cost.peakMemory), Self.size(step.cost.bytesIn), Self.size(step.cost.bytesOut),
                "#\(step.number) \(TerminalText.line(step.label).ellipsized(to: 70))",
            ])
        }
        let cpu = steps.reduce(Duration.zero) { $0 + ($1.cost.cpu ?? .zero) }
        let share = Percentage.whole(
            path.duration(in: steps).seconds, of: build.duration.seconds, rounded: .toNearestOrEven)
        return [
            "Build \(build.record.id): \(HumanDuration.short(build.duration)), "
                + "\(HumanDuration.short(cpu)) of CPU in commands, "
                + "\(build.record.cachedSteps) of \(build.record.totalSteps) steps cached",
            "Critical path (*): \(HumanDuration.short(path.duration(in: steps))), "
                + "\(share ?? "0%") of the build",
            "",
        ] + table.lines()
    }

    private static func time(of step: RecordedStep) -> String {
        step.outcome.isHit ? "CACHED" : seconds(step.wall)
    }

    private static func seconds(_ duration: Duration?) -> String {
        duration.map { "\($0.seconds.fixed(3))s" } ?? ""
    }

    private static func size(_ bytes: Int64?) -> String { bytes.map(HumanSize.short) ?? "" }
}
