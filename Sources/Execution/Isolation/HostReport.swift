import Images
import Linux
package import Requests
import Sandbox
package import SystemPackage

/// The report about this machine that `lamina doctor` prints.
package struct HostReport: Sendable {
    package struct Line: Sendable {
        package let subject: String
        package let finding: String
        /// Whether a build can use it; `nil` when it is a fact without a verdict.
        package let isGood: Bool?

        package init(subject: String, finding: String, isGood: Bool?) {
            self.subject = subject
            self.finding = finding
            self.isGood = isGood
        }
    }

    package let lines: [Line]
    /// The isolation a build would use for its commands, and why; `nil` when it cannot run commands.
    package let isolation: Isolation?
    package let reason: String
    /// How commands get their files, as a sentence without its full stop; `nil` when there are no commands.
    package let files: String?

    /// Finds out, by trying. `scratch` is a directory on the store's file system that may be written to.
    package static func probe(scratch: FilePath) -> HostReport {
        let facts = HostFacts.probe(scratch: scratch)
        let ladder = IsolationModes.probe()
        let isolation = ladder.best
        return HostReport(
            lines: [
                Line(
                    subject: "user", finding: facts.effectiveUser == 0 ? "root" : "uid \(facts.effectiveUser)",
                    isGood: nil),
                capabilities(facts), namespaces(facts), overlay(facts), controlGroups(facts),
                subordinates("subuid", facts.subordinateUsers), subordinates("subgid", facts.subordinateGroups),
            ] + HostFacts.toolNames.map { tool($0, facts) } + modes(ladder),
            isolation: isolation, reason: reason(isolation), files: files(isolation, facts, scratch))
    }

    // MARK: Files

    private static func files(_ isolation: Isolation?, _ facts: HostFacts, _ scratch: FilePath) -> String? {
        switch isolation {
        case nil: nil
        case .chroot: "Its files would be a copy of the layers, as nothing can be mounted"
        case .namespaces: text(HostCapabilities.probe(scratch: scratch).overlay)
        case .rootless where UserNamespace.isEntered: text(HostCapabilities.probe(scratch: scratch).overlay)
        case .rootless: text(facts.rootlessOverlay)
        }
    }

    private static func text(_ overlay: HostCapabilities.Overlay) -> String {
        let store = "the kernel mounts no overlay on the store's file system"
        return switch overlay {
        case .trusted, .user: "Its files would be an overlay of the kernel's on the layers"
        case .served(let program, let obstacle):
            "Its files would be an overlay by \(program) on the layers, as \(store) (\(obstacle))"
        case .none(let obstacle, let served):
            "Its files would be a copy of the layers, as \(store) (\(obstacle)), and \(served)"
        }
    }

    private static func capabilities(_ facts: HostFacts) -> Line {
        let isEnough = facts.capabilities.isSuperset(of: .systemAdministration)
        return Line(
            subject: "capabilities", finding: isEnough ? "CAP_SYS_ADMIN is there" : "no CAP_SYS_ADMIN", isGood: isEnough
        )
    }

    private static func namespaces(_ facts: HostFacts) -> Line {
        let obstacles: [(String, Errno?)] = [
            ("mount", facts.mountNamespaceObstacle), ("pid", facts.processNamespaceObstacle),
            ("user", facts.userNamespaceObstacle),
        ]
        let texts = obstacles.map { name, obstacle in "\(name): \(obstacle.map { "no (\($0))" } ?? "yes")" }
        return Line(
            subject: "namespaces", finding: texts.joined(separator: ", "),
            isGood: facts.mountNamespaceObstacle == nil && facts.processNamespaceObstacle == nil)
    }

    private static func overlay(_ facts: HostFacts) -> Line {
        if !facts.hasOverlay { return Line(subject: "overlay", finding: "the kernel does not have it", isGood: false) }
        return Line(
            subject: "overlay", finding: facts.overlayObstacle ?? "can be mounted", isGood: facts.overlayObstacle == nil
        )
    }

    private static func controlGroups(_ facts: HostFacts) -> Line {
        let controllers = facts.controlGroups.controllers.sorted().joined(separator: " ")
        return Line(
            subject: "cgroups",
            finding: "\(facts.controlGroups.layout)" + (controllers.isEmpty ? "" : ": \(controllers)"),
            isGood: nil)
    }

    private static func subordinates(_ name: String, _ ranges: [SubordinateRange]) -> Line {
        let texts = ranges.map { "\($0.start)-\(UInt64($0.start) + UInt64($0.count) - 1)" }
        return Line(subject: name, finding: texts.isEmpty ? "no range" : texts.joined(separator: ", "), isGood: nil)
    }

    private static func tool(_ name: String, _ facts: HostFacts) -> Line {
        Line(subject: name, finding: facts.tools[name].map(\.string) ?? "not installed", isGood: nil)
    }

    /// The isolation modes, of which `--isolation` chooses one, and whether each works here.
    private static func modes(_ ladder: IsolationModes) -> [Line] {
        Isolation.allCases.map { mode in
            let obstacle = ladder.obstacles[mode]
            return Line(
                subject: "isolation \(mode.rawValue)", finding: obstacle.map { "no: \($0)" } ?? "can be used",
                isGood: obstacle == nil)
        }
    }

    private static func reason(_ isolation: Isolation?) -> String {
        switch isolation {
        case .namespaces: "this process has CAP_SYS_ADMIN"
        case .rootless: "this process may make user namespaces"
        case .chroot: "this process may change its root directory, and no more"
        case nil: "no isolation can be used"
        }
    }
}
