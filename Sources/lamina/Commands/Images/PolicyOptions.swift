import ArgumentParser
import Diagnostics
import Inspector
import Linux
import SystemPackage

/// The options of `analyze` for continuous integration.
struct PolicyOptions: ParsableArguments {
    @Flag(help: "Evaluate rules, and fail with status 1 when one is broken (also by CI=true).")
    var ci = false

    @Option(
        name: .customLong("ci-config"),
        help: ArgumentHelp("The rules, as dive has them (default: .dive-ci).", valueName: "file"))
    var configuration: String?

    @Option(
        name: .customLong("lowestEfficiency"), parsing: .unconditional,
        help: ArgumentHelp("In place of the rule of the file.", valueName: "ratio"))
    var lowestEfficiency: String?

    @Option(
        name: .customLong("highestWastedBytes"), parsing: .unconditional,
        help: ArgumentHelp("In place of the rule of the file.", valueName: "size"))
    var highestWastedBytes: String?

    @Option(
        name: .customLong("highestUserWastedPercent"), parsing: .unconditional,
        help: ArgumentHelp("In place of the rule of the file.", valueName: "ratio"))
    var highestUserWastedPercent: String?

    @Option(help: ArgumentHelp("The image to compare sizes with, for the rule highest-growth.", valueName: "image"))
    var baseline: String?

    /// Whether the environment asks for the rules, as dive takes it.
    static func isAsked(by variable: String?) -> Bool { ["true", "1", "yes"].contains(variable?.lowercased() ?? "") }

    /// The rules of the file and of the options; without a file, dive's defaults.
    func policy() throws -> Policy {
        var policy = Policy()
        if let bytes = try bytes() {
            guard let text = String(validating: bytes, as: UTF8.self) else {
                throw InspectorError(.badPolicy, "'\(file)' is not a text in UTF-8")
            }
            do { policy = try Policy(PolicyFile(parsing: text)) } catch let error as InspectorError {
                throw InspectorError(error.code, "'\(file)': \(error.message)", hint: error.hint)
            }
        }
        for (name, value) in [
            ("lowestEfficiency", lowestEfficiency), ("highestWastedBytes", highestWastedBytes),
            ("highestUserWastedPercent", highestUserWastedPercent),
        ] {
            if let value { try policy.set(name, .text(value)) }
        }
        return policy
    }

    private var file: String { configuration ?? ".dive-ci" }

    /// The file's content; `nil` when it is not there and was not asked for.
    private func bytes() throws -> [UInt8]? {
        do {
            return try OwnedDescriptor.open(FilePath(file)).readAll(limit: 1 << 20)
        } catch let error as LinuxError where error.code == .notFound && configuration == nil {
            return nil
        }
    }
}
