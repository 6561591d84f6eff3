import ArgumentParser
import Engine
import Execution
import OCI
import Requests
import Store
import SystemPackage

struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Say what this machine offers, and which isolation a build would use and why.")

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @OptionGroup var document: DocumentOptions

    func run() async throws {
        try await global.run {
            let store = try global.store()
            let scratch = try store.temporaryDirectory()
            let report = withExtendedLifetime(scratch) { HostReport.probe(scratch: scratch.path) }
            if document.isDocument { return try show(report, of: store) }
            let width = report.lines.map(\.subject.count).max() ?? 0
            for line in [HostReport.Line(subject: "store", finding: store.path.string, isGood: nil)] + report.lines {
                let mark = line.isGood.map { $0 ? "ok" : "--" } ?? "  "
                say("\(mark)  \(line.subject.padding(to: width))  \(line.finding)")
            }
            say("")
            say("RUN would use: \(report.isolation?.rawValue ?? "nothing") (\(report.reason))")
            if let files = report.files { say("\(files).") }
            if report.isolation == nil { say("A Dockerfile without RUN builds all the same.") }
        }
    }

    private func show(_ report: HostReport, of store: StoreRoot) throws {
        let findings = report.lines.map { line in
            JSON.object(
                ("subject", .string(line.subject)), ("finding", .string(line.finding)),
                ("isGood", line.isGood.map { .bool($0) } ?? .null))
        }
        try document.show(
            ("store", .string(store.path.string)),
            ("isolation", report.isolation.map { .string($0.rawValue) } ?? .null), ("reason", .string(report.reason)),
            ("files", report.files.map { .string($0) } ?? .null), ("findings", .array(findings)))
    }
}

extension String {
    /// The text with blanks after it up to a width.
    func padding(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
