import Diagnostics
import Layers
package import Linux

/// The outcome of the rules for an image.
package struct PolicyEvaluation: Hashable, Sendable {
    package enum Status: String, Hashable, Sendable {
        case passed = "pass"
        case failed = "fail"
        /// The rule is switched off, or lacks what it compares with.
        case skipped = "skip"
    }

    /// A file or a layer that breaks a rule.
    package struct Finding: Hashable, Sendable {
        package let path: PathBytes?
        /// The index of the layer that holds it.
        package let layer: Int?
        package let text: String
    }

    package struct Result: Hashable, Sendable {
        package let rule: String
        package let status: Status
        /// The reason for a status that is not ``Status/passed``.
        package let message: String
        package let findings: [Finding]
    }

    package private(set) var results: [Result] = []

    package var passes: Bool { !results.contains { $0.status == .failed } }

    package func count(_ status: Status) -> Int { results.count { $0.status == status } }

    /// Evaluates the rules. `baseline` is the size of the image that growth is compared with, in bytes of content.
    package init(_ policy: Policy, for image: InspectedImage, baseline: Int64? = nil) throws {
        addDive(policy, image.analysis.dive)
        addSizes(policy, image.analysis, baseline: baseline)
        let files = try PolicyFiles(image, ignoring: policy.ignoredPaths)
        try addFileRules(policy, files)
    }

    private mutating func add(
        _ rule: String, failsWhen isBroken: Bool, _ message: String, _ findings: [Finding] = []
    ) {
        results.append(
            Result(
                rule: rule, status: isBroken ? .failed : .passed, message: isBroken ? message : "",
                findings: isBroken ? findings : []))
    }

    private mutating func skip(_ rule: String, _ message: String = "rule disabled") {
        results.append(Result(rule: rule, status: .skipped, message: message, findings: []))
    }

    // MARK: dive's rules

    /// dive's own messages and comparisons, which are strict.
    private mutating func addDive(_ policy: Policy, _ dive: DiveScore) {
        if let limit = policy.lowestEfficiency {
            add(
                "lowestEfficiency", failsWhen: dive.efficiency < limit,
                "image efficiency is too low (efficiency=\(dive.efficiency) < threshold=\(limit))")
        } else {
            skip("lowestEfficiency")
        }
        if let limit = policy.highestWastedBytes {
            add(
                "highestWastedBytes", failsWhen: dive.wastedBytes > limit,
                "too many bytes wasted (wasted-bytes=\(dive.wastedBytes) > threshold=\(limit))")
        } else {
            skip("highestWastedBytes")
        }
        if let limit = policy.highestUserWastedPercent {
            add(
                "highestUserWastedPercent", failsWhen: dive.wastedUserPercent > limit,
                "too many bytes wasted, relative to the user bytes added "
                    + "(%-user-wasted-bytes=\(dive.wastedUserPercent) > threshold=\(limit))")
        } else {
            skip("highestUserWastedPercent")
        }
    }

    // MARK: Sizes

    private mutating func addSizes(_ policy: Policy, _ analysis: ImageAnalysis, baseline: Int64?) {
        if let limit = policy.highestSize {
            add(
                "highest-size", failsWhen: analysis.size > limit,
                "the image has \(analysis.size) bytes, more than \(limit)")
        }
        if let limit = policy.highestLayerSize {
            let large = analysis.layers.filter { $0.size > limit }
            add(
                "highest-layer-size", failsWhen: !large.isEmpty, "layers have more than \(limit) bytes",
                large.map { Finding(path: nil, layer: $0.index, text: "layer \($0.index + 1) has \($0.size) bytes") })
        }
        guard let limit = policy.highestGrowth else { return }
        guard let baseline else { return skip("highest-growth", "no --baseline to compare with") }
        let growth = analysis.size - baseline
        switch limit {
        case .bytes(let bytes):
            add("highest-growth", failsWhen: growth > bytes, "the image grew by \(growth) bytes, more than \(bytes)")
        case .ratio(let ratio):
            add(
                "highest-growth", failsWhen: Double(growth) > Double(baseline) * ratio,
                "the image grew from \(baseline) to \(analysis.size) bytes, more than \(ratio * 100) %")
        }
    }

    // MARK: Files

    private mutating func addFileRules(_ policy: Policy, _ files: PolicyFiles) throws {
        if policy.forbidsSetuidFiles {
            let found = files.live { $0.kind == .regular && $0.permissions & 0o6000 != 0 }
            add("setuid-files", failsWhen: !found.isEmpty, "files have the setuid or setgid bit", found)
        }
        if policy.forbidsWorldWritableFiles {
            let found = files.live { entry in
                let isWritable = entry.permissions & 0o002 != 0
                return isWritable
                    && (entry.kind == .regular || entry.kind == .directory && entry.permissions & 0o1000 == 0)
            }
            add("world-writable-files", failsWhen: !found.isEmpty, "everybody may write to files", found)
        }
        if policy.forbidsSecrets {
            let found = try files.secrets()
            add(
                "secrets", failsWhen: !found.isEmpty, "layers hold secrets, which a later removal does not take back",
                found)
        }
        if policy.forbidsPackageCaches {
            let found = try files.packageCaches()
            add("package-caches", failsWhen: !found.isEmpty, "caches of package managers are left", found)
        }
        if !policy.forbiddenPaths.isEmpty {
            let found = try files.matching(policy.forbiddenPaths)
            add("forbidden-paths", failsWhen: !found.isEmpty, "files are at forbidden paths", found)
        }
        if let limit = policy.highestDuplicateBytes {
            let (bytes, found) = files.duplicates()
            add(
                "highest-duplicate-bytes", failsWhen: bytes > limit,
                "\(bytes) bytes are stored more than once, more than \(limit)", found)
        }
    }
}
