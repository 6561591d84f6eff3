import Diagnostics
import Inspector
import Layers
import Linux
import OCI
import Testing

@Suite struct PolicyFileTests {
    @Test func theFileOfDiveIsRead() throws {
        let file = try PolicyFile(
            parsing: """
                # If the efficiency is measured below X%, mark as failed.
                rules:
                  # Expressed as a ratio between 0-1.
                  lowestEfficiency: 0.95   # text behind
                  highestWastedBytes: "20MB"
                  highestUserWastedPercent: '0.20'

                """)
        #expect(file.rules.map(\.name) == ["lowestEfficiency", "highestWastedBytes", "highestUserWastedPercent"])
        #expect(file.rules.map(\.line) == [4, 5, 6])
        let policy = try Policy(file)
        #expect(policy.lowestEfficiency == 0.95)
        #expect(policy.highestWastedBytes == 20_000_000)
        #expect(policy.highestUserWastedPercent == 0.2)
    }

    @Test func listsAreReadInBothForms() throws {
        let file = try PolicyFile(
            parsing:
                "---\nrules:\n  forbidden-paths:\n    - /a # b\n    - '*.pem'\n  ignored-paths: [/x, \"y,#z\", *.md]\n  secrets:\n"
        )
        #expect(file.rules.map(\.value) == [.list(["/a", "*.pem"]), .list(["/x", "y,#z", "*.md"]), .text("")])
    }

    @Test(arguments: [
        ("lowestEfficiency: 1", "line 1 of the rules: 'rules:' is expected in place of 'lowestEfficiency: 1'"),
        ("  a: b", "line 1 of the rules: 'rules:' is expected first"),
        ("rules:\n  a", "line 2 of the rules: 'NAME: VALUE' is expected"),
        ("rules:\n  a: 'b", "line 2 of the rules: a quote is not closed"),
        ("rules:\n\ta: b", "line 2 of the rules: tabs cannot indent"),
        ("rules:\n  - a", "line 2 of the rules: a list belongs below the name of a rule"),
        ("rules:\n  a: [b", "line 2 of the rules: a '[' has no ']' on its line"),
        ("rules:\n  a: &b", "line 2 of the rules: '&b' must be in quotes"),
        ("rules:\n  a:b", "line 2 of the rules: a space is expected after ':'"),
        ("other:", "line 1 of the rules: 'rules:' is expected in place of 'other:'"),
    ])
    func otherYAMLIsRefused(_ text: String, _ message: String) {
        let error = #expect(throws: InspectorError.self) { try PolicyFile(parsing: text) }
        #expect(error?.code == .badPolicy && error?.message == message)
    }

    @Test(
        arguments: [
            ("20MB", 20_000_000), ("20 MiB", 20 << 20), ("1.5k", 1500), ("1kB", 1000), ("12", 12), ("3B", 3),
            ("1,000", 1000),
            ("2GiB", 2 << 30), ("x", nil), ("1XB", nil), ("-1", nil), ("1iB", nil), ("9999999EB", nil), ("", nil),
        ] as [(String, Int64?)])
    func sizesAreThoseOfDive(_ text: String, _ bytes: Int64?) throws {
        var policy = Policy()
        if let bytes {
            try policy.set("highest-wasted-bytes", .text(text))
            #expect(policy.highestWastedBytes == bytes)
        } else if !text.isEmpty {
            #expect(throws: InspectorError.self) { try policy.set("highestWastedBytes", .text(text)) }
        }
    }

    @Test(arguments: ["", "disabled", "off", "false", "OFF"]) func rulesAreSwitchedOff(_ text: String) throws {
        var policy = Policy()
        #expect(policy.lowestEfficiency == 0.9 && policy.highestUserWastedPercent == 0.1)
        try policy.set("lowestEfficiency", .text(text))
        try policy.set("highest-user-wasted-percent", .text(text))
        #expect(policy.lowestEfficiency == nil && policy.highestUserWastedPercent == nil)
    }

    @Test(arguments: [
        ("lowestEfficiency", "1.5"), ("lowestEfficiency", "x"), ("highest-growth", "-1%"), ("highest-growth", "x"),
        ("setuid-files", "maybe"), ("unknown", "1"), ("forbidden-paths", "[a"),
    ])
    func badValuesAreRefused(_ name: String, _ value: String) {
        var policy = Policy()
        #expect(throws: InspectorError.self) { try policy.set(name, .text(value)) }
    }
}

@Suite struct PolicyEvaluationTests {
    private static func entry(_ path: PathBytes, _ content: String, mode: UInt32 = 0o644) -> (LayerEntry, String) {
        (LayerEntry(path: path, kind: .regular, permissions: mode), content)
    }

    private func image() throws -> InspectedImage {
        let entry = Self.entry
        return try makeImage([
            [
                entry("bin/su", "12345", 0o4755), entry("etc/a", "same", 0o644), entry("etc/b", "same", 0o666),
                entry("etc/ssl/cert.pem", "-----BEGIN CERTIFICATE-----", 0o644),
                entry("etc/ssl/key.pem", "-----BEGIN RSA PRIVATE KEY-----", 0o600),
                entry("root/.ssh/id_rsa", "key", 0o600),
                (LayerEntry(path: "tmp", kind: .directory, permissions: 0o1777), ""),
                (LayerEntry(path: "var/cache/apk", kind: .directory, permissions: 0o777), ""),
                entry("var/cache/apk/x.apk", "cached", 0o644),
            ],
            [(LayerEntry(path: "root/.ssh/id_rsa", kind: .whiteout), ""), entry("etc/a", "other", 0o644)],
        ])
    }

    private func result(_ rule: String, _ policy: Policy, baseline: Int64? = nil) throws -> PolicyEvaluation.Result? {
        try PolicyEvaluation(policy, for: image(), baseline: baseline).results.first { $0.rule == rule }
    }

    /// A rule with its value, the findings, and the paths that are ignored.
    @Test(arguments: [
        ("setuid-files", "forbidden", ["bin/su"], []), ("setuid-files", "forbidden", [], ["/bin/*"]),
        ("world-writable-files", "forbidden", ["etc/b", "var/cache/apk"], []),
        ("secrets", "forbidden", ["etc/ssl/key.pem", "root/.ssh/id_rsa"], []),
        ("secrets", "forbidden", ["root/.ssh/id_rsa"], ["*.pem"]),
        ("package-caches", "forbidden", ["var/cache/apk/x.apk"], []),
        ("forbidden-paths", "/etc/**", ["etc/a", "etc/b", "etc/ssl", "etc/ssl/cert.pem", "etc/ssl/key.pem"], []),
        ("forbidden-paths", "id_rsa", [], []),
    ])
    func rulesFindFiles(_ rule: String, _ value: String, _ paths: [String], _ ignored: [String]) throws {
        var policy = Policy()
        try policy.set(rule, .text(value))
        try policy.set("ignored-paths", .list(ignored))
        let result = try #require(try result(rule, policy))
        #expect(result.findings.compactMap { $0.path?.text } == paths)
        #expect(result.status == (paths.isEmpty ? .passed : .failed))
    }

    @Test func equalFilesAreCountedOnce() throws {
        let image = try makeImage([["a", "b", "c"].map { Self.entry($0, "12345") } + [Self.entry("d", "54321")]])
        for (limit, status) in [("9", PolicyEvaluation.Status.failed), ("10", .passed)] {
            var policy = Policy()
            try policy.set("highest-duplicate-bytes", .text(limit))
            let found = try PolicyEvaluation(policy, for: image).results.last
            #expect(found?.status == status)
            #expect(found?.findings.map(\.text) == (status == .failed ? ["equals /a", "equals /a"] : []))
        }
    }

    @Test(arguments: [
        ("highest-size", "10", Int64?.none, PolicyEvaluation.Status.failed), ("highest-size", "1MB", nil, .passed),
        ("highest-layer-size", "5", nil, .failed), ("highest-layer-size", "1MB", nil, .passed),
        ("highest-growth", "10", nil, .skipped), ("highest-growth", "10", 50, .failed),
        ("highest-growth", "10", 90, .passed),
        ("highest-growth", "5%", 80, .failed), ("highest-growth", "50%", 80, .passed),
    ])
    func sizesAreLimited(_ rule: String, _ value: String, _ baseline: Int64?, _ status: PolicyEvaluation.Status) throws
    {
        var policy = Policy()
        try policy.set(rule, .text(value))
        #expect(try result(rule, policy, baseline: baseline)?.status == status)
    }

    /// The layouts that dive was measured with, and what its rules say to them.
    @Test(arguments: [
        ("dive: delete a directory", 0.9, Int64(1000), [PolicyEvaluation.Status.passed, .passed, .passed]),
        ("dive: delete files one by one", 0.9, 999, [.failed, .failed, .failed]),
        ("dive: delete files one by one", 0.5, 1000, [.passed, .passed, .failed]),
        ("dive: chown", 0.9, 1000, [.failed, .failed, .failed]),
        ("a single layer wastes nothing", 1, 0, [.passed, .passed, .passed]),
    ])
    func divesRulesCompareStrictly(
        _ name: String, _ efficiency: Double, _ wasted: Int64, _ statuses: [PolicyEvaluation.Status]
    ) throws {
        let layout = try #require(layouts.first { $0.name == name })
        let inputs = layout.layers.map { AnalyzedLayerInput(diffID: .empty, fileList: FileList($0, tarSize: 0)) }
        let image = InspectedImage(
            config: ImageConfig(platform: .host), layers: inputs, contents: MemoryContents(blobs: []))
        var policy = Policy()
        policy.lowestEfficiency = efficiency
        policy.highestWastedBytes = wasted
        let evaluation = try PolicyEvaluation(policy, for: image)
        #expect(evaluation.results.map(\.status) == statuses)
        #expect(evaluation.passes == !statuses.contains(.failed))
        #expect(try PolicyEvaluation(Policy(), for: image).results[1].message == "rule disabled")
    }
}
