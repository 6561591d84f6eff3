import Records
import Testing
import Trees

@Suite struct RedactionTests {
    @Test(arguments: [
        ("A=1", "A=1"), ("NAME", "NAME"), ("URL=https://u:p@host/x", "URL=https://host/x"),
        ("X=git@host:a", "X=git@host:a"), ("PUBLIC_KEY=abc", "PUBLIC_KEY=abc"),
    ])
    func harmlessVariablesStay(_ text: String, _ expected: String) {
        #expect(Redaction.variable(text) == expected)
    }

    @Test func secretsAreHiddenAndStillCompared() {
        let (one, two) = (Redaction.variable("NPM_TOKEN=one"), Redaction.variable("NPM_TOKEN=two"))
        #expect(!one.contains("one") && one.hasPrefix("NPM_TOKEN=<hidden "))
        #expect(one != two)
        #expect(one == Redaction.variable("NPM_TOKEN=one"))
    }

    @Test(arguments: [
        ("ADD https://u:p@h/a https://h/b /", "ADD https://h/a https://h/b /"), ("a@b", "a@b"),
        ("http://h/x@y", "http://h/x@y"), ("ssh://git@h/x", "ssh://h/x"), ("://@", "://"),
    ])
    func loginsAreTakenOutOfURLs(_ text: String, _ expected: String) {
        #expect(Redaction.withoutLogins(text) == expected)
    }
}
