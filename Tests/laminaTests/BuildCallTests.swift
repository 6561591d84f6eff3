import ArgumentParser
import Diagnostics
import Frontend
import Solver
import Testing

@testable import lamina

@Suite struct BuildCallTests {
    @Test(
        "The value of --call is parsed",
        arguments: [
            ("check", BuildCall.Method.check, false, false), ("lint", .check, false, false),
            ("build", .build, false, false), ("outline,format=json", .outline, true, false),
            ("targets,format=text", .targets, false, false),
            ("check,format=json,ignorestatus=true", .check, true, true),
            ("format=json,check,ignorestatus=0", .check, true, false), ("check,ignorestatus=1", .check, false, true),
            ("subrequests.describe", .describe, false, false),
        ])
    func values(_ text: String, _ method: BuildCall.Method, _ isJSON: Bool, _ ignoresStatus: Bool) throws {
        let call = try BuildCall(parsing: text)
        #expect(call.method == method)
        #expect(call.isJSON == isJSON)
        #expect(call.ignoresStatus == ignoresStatus)
    }

    @Test(
        "An unknown value of --call is refused",
        arguments: [
            "", "nope", "check,outline", "check,format=xml", "check,ignorestatus=maybe", "check,x=y", "check,",
        ])
    func refused(_ text: String) {
        #expect(throws: ValidationError.self) { try BuildCall(parsing: text) }
    }

    // MARK: Warnings at the end of a build

    private let warnings = [
        Frontend.Warning(
            rule: "AddInsteadOfCopy", message: "ADD does nothing here that COPY would not do",
            location: SourceRange(file: "Dockerfile", lines: 2...2), url: nil,
            detail: "ADD may download or unpack", page: "lamina help AddInsteadOfCopy")
    ]

    @Test("Warnings are counted, and explained with --debug")
    func summary() {
        let summary = WarningSummary(isDebug: false, source: { _ in nil })
        #expect(summary.lines(for: []).isEmpty)
        #expect(
            summary.lines(for: warnings) == [
                "", " 1 warning found (use --debug to expand):",
                " - AddInsteadOfCopy: ADD does nothing here that COPY would not do (line 2)",
            ])
        #expect(summary.lines(for: warnings + warnings)[1] == " 2 warnings found (use --debug to expand):")
    }

    @Test func summaryWithDetails() {
        let summary = WarningSummary(isDebug: true, source: { _ in ["FROM scratch", "ADD a /"] })
        #expect(
            summary.lines(for: warnings) == [
                "", " 1 warning found:",
                " - AddInsteadOfCopy: ADD does nothing here that COPY would not do (line 2)",
                "ADD may download or unpack",
                "More info: lamina help AddInsteadOfCopy", "Dockerfile:2", "--------------------",
                "   1 |     FROM scratch", "   2 | >>> ADD a /", "--------------------", "",
            ])
    }
}
