import DockerfileSyntax
import OCI

extension LintRule {
    static let duplicateStageName = LintRule("DuplicateStageName", "A second stage of a name hides the first")
    static let reservedStageName = LintRule("ReservedStageName", "The name already means something else")
    static let undefinedArgInFrom = LintRule("UndefinedArgInFrom", "FROM sees only the ARGs above the first FROM")
    static let invalidDefaultArgInFrom = LintRule(
        "InvalidDefaultArgInFrom", "Without build arguments the stage has no valid base")
    static let redundantTargetPlatform = LintRule(
        "RedundantTargetPlatform",
        "The target platform is what FROM takes anyway")
    static let constantPlatform = LintRule(
        "FromPlatformFlagConstDisallowed", "A fixed platform keeps the image from being built for others")
    static let invalidBaseImagePlatform = LintRule(
        "InvalidBaseImagePlatform", "The image was not found for the platform asked for", hasPage: false)
}

extension Linter {
    func checkNames(of stages: [Stage]) {
        var seen: Set<String> = []
        for stage in stages {
            guard let name = stage.name else { continue }
            if ["scratch", "context"].contains(name) {
                report(
                    .reservedStageName, "Stage name should not use the same name as reserved stage \"\(name)\"",
                    at: stage.from)
            }
            if !seen.insert(name).inserted {
                report(
                    .duplicateStageName, "Duplicate stage name \"\(name)\", stage names should be unique",
                    at: stage.from)
            }
        }
    }

    /// `base` is the base as it comes out when no build arguments are given.
    func checkDefault(base: String, of stage: Stage) {
        guard (try? ImageReference(parsing: base)) == nil else { return }
        report(
            .invalidDefaultArgInFrom,
            "Default value for ARG \(stage.base) results in empty or invalid base image name", at: stage.from)
    }

    func checkArguments(_ unmatched: [String], declared: [String], of stage: Stage) {
        for name in unmatched where !declared.contains(name) {
            let closest = Suggestions.closest(to: name, among: declared, matchingCase: true)
            let suggestion = closest.map { " (did you mean \($0)?)" } ?? ""
            report(.undefinedArgInFrom, "FROM argument '\(name)' is not declared\(suggestion)", at: stage.from)
        }
    }

    func checkPlatform(_ text: String, expanded: String, of stage: Stage) {
        if ["$TARGETPLATFORM", "${TARGETPLATFORM}"].contains(text) {
            let message =
                "Setting platform to predefined \(text) in FROM is redundant as this is the default behavior"
            report(.redundantTargetPlatform, message, at: stage.from)
        }
        guard !text.contains("$"), let platform = try? Platform(parsing: expanded) else { return }
        let name = stage.name ?? ""
        guard !name.contains(platform.os), !name.contains(platform.architecture) else { return }
        report(
            .constantPlatform, "FROM --platform flag should not use constant value \"\(expanded)\"", at: stage.from)
    }

    func checkPlatform(_ found: Platform, expected: Platform, image: String, of stage: Stage) {
        guard found.os != expected.os || found.architecture != expected.architecture else { return }
        report(
            .invalidBaseImagePlatform,
            "Base image \(image) was pulled with platform \"\(found)\", expected \"\(expected)\" for current build",
            at: stage.from)
    }
}
