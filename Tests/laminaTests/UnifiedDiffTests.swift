import Testing

@testable import lamina

@Suite struct UnifiedDiffTests {
    private static func diff(_ old: String, _ new: String) -> String {
        let diff = UnifiedDiff(from: Array(old.utf8), named: "a", to: Array(new.utf8), named: "b")
        return String(decoding: diff.bytes, as: UTF8.self)
    }

    @Test(
        "Each pair of files has its unified diff",
        arguments: [
            ("x\n", "x\n", ""),
            ("x\n", "y\n", "--- a\n+++ b\n@@ -1 +1 @@\n-x\n+y\n"),
            ("", "y\n", "--- a\n+++ b\n@@ -0,0 +1 @@\n+y\n"),
            ("x", "x\n", "--- a\n+++ b\n@@ -1 +1 @@\n-x\n\\ No newline at end of file\n+x\n"),
            (
                "1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\n6\n7\n8\n9\n",
                "--- a\n+++ b\n@@ -2,7 +2,6 @@\n 2\n 3\n 4\n-5\n 6\n 7\n 8\n"
            ),
            (
                "a\n1\n2\n3\n4\n5\n6\n7\n8\nb\n", "A\n1\n2\n3\n4\n5\n6\n7\n8\nB\n",
                "--- a\n+++ b\n@@ -1,4 +1,4 @@\n-a\n+A\n 1\n 2\n 3\n@@ -7,4 +7,4 @@\n 6\n 7\n 8\n-b\n+B\n"
            ),
            (
                "a\n1\n2\n3\n4\n5\n6\nb\n", "A\n1\n2\n3\n4\n5\n6\nB\n",
                "--- a\n+++ b\n@@ -1,8 +1,8 @@\n-a\n+A\n 1\n 2\n 3\n 4\n 5\n 6\n-b\n+B\n"
            ),
        ])
    func table(_ old: String, _ new: String, _ expected: String) {
        #expect(Self.diff(old, new) == expected)
    }
}
