import Testing

@testable import Registry

@Suite struct ChallengeTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let fields: [String]
        let expected: [Challenge]
        var testDescription: String { fields.joined(separator: " | ") }

        init(_ fields: String..., expected: [Challenge]) {
            self.fields = fields
            self.expected = expected
        }
    }

    static let table = [
        Case(#"Basic realm="r""#, expected: [Challenge(scheme: "basic", parameters: ["realm": "r"])]),
        Case("BASIC", expected: [Challenge(scheme: "basic", parameters: [:])]),
        Case(
            #"Bearer realm="https://auth.test/token",service="r.test",scope="repository:a/b:pull,push""#,
            expected: [
                Challenge(
                    scheme: "bearer",
                    parameters: [
                        "realm": "https://auth.test/token", "service": "r.test", "scope": "repository:a/b:pull,push",
                    ])
            ]),
        Case(
            #"bearer Realm = "x" , Service=bare"#,
            expected: [Challenge(scheme: "bearer", parameters: ["realm": "x", "service": "bare"])]),
        Case(
            #"Basic realm="a", Bearer realm="b",service="c""#,
            expected: [
                Challenge(scheme: "basic", parameters: ["realm": "a"]),
                Challenge(scheme: "bearer", parameters: ["realm": "b", "service": "c"]),
            ]),
        Case(
            #"Basic realm="a""#, #"Bearer realm="b""#,
            expected: [
                Challenge(scheme: "basic", parameters: ["realm": "a"]),
                Challenge(scheme: "bearer", parameters: ["realm": "b"]),
            ]),
        Case(
            #"Basic realm="a \"quoted\" \\ b""#,
            expected: [
                Challenge(scheme: "basic", parameters: ["realm": #"a "quoted" \ b"#])
            ]),
        Case(
            #"Basic realm="first", realm="second""#,
            expected: [
                Challenge(scheme: "basic", parameters: ["realm": "first"])
            ]),
        Case(
            #"Basic realm="never closed"#,
            expected: [
                Challenge(scheme: "basic", parameters: ["realm": "never closed"])
            ]),
        Case(#"Basic realm="#, expected: [Challenge(scheme: "basic", parameters: ["realm": ""])]),
        Case(#"Basic realm="\"#, expected: [Challenge(scheme: "basic", parameters: ["realm": "\\"])]),
        Case(
            "Negotiate abc==, Basic realm=x",
            expected: [
                Challenge(scheme: "negotiate", parameters: ["abc": ""]),
                Challenge(scheme: "basic", parameters: ["realm": "x"]),
            ]),
        Case("", expected: []),
        Case(" , ,=,", expected: []),
    ]

    @Test("A challenge is parsed into its scheme and parameters", arguments: table)
    func parses(_ example: Case) {
        #expect(Challenge.parse(example.fields) == example.expected)
    }

    @Test func prefersBearer() {
        let challenges = Challenge.parse([#"Negotiate, Basic realm="a", Bearer realm="b""#])
        #expect(Challenge.preferred(of: challenges)?.scheme == "bearer")
        #expect(Challenge.preferred(of: Challenge.parse(["Negotiate"])) == nil)
        // A Bearer challenge that does not say where to get a token cannot be answered.
        #expect(Challenge.preferred(of: Challenge.parse(["Bearer service=x, Basic"]))?.scheme == "basic")
    }
}
