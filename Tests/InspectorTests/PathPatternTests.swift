import Diagnostics
import Inspector
import Linux
import Testing

@Suite struct PathPatternTests {
    /// Patterns with paths that they find and paths that they do not.
    @Test(arguments: [
        ("a", "a ba xax", "b A"), ("^etc/", "etc/a", "x/etc/a etc"), ("\\.so$", "a.so lib/b.so", "a.so.1 so"),
        ("a.c", "abc xaéc a日c", "ac abbc"), ("^a.c$", "aéc a日c abc", "aéé"), ("ab*c", "ac abc abbbc", "ab"),
        ("ab+c", "abc abbc", "ac"), ("^ab?c$", "ac abc", "abbc"), ("^(ab)*$", "ab abab", "aba"),
        ("^a{2}$", "aa", "a aaa"), ("^a{2,}$", "aa aaaa", "a"), ("^a{1,2}$", "a aa", "aaa"), ("a{x", "a{x", "a"),
        ("x|y", "x y axb", "z"), ("^(?:x|yz)/", "x/ yz/", "y/"), ("[abc]", "b", "d"), ("[^abc]", "d é", "a b"),
        ("[a-f0-2]", "e 1", "g 3"), ("[]x]", "] x", "y"), ("[é日]", "é x日", "e"), ("\\d\\w\\.", "1a. 22.", "a1."),
        ("^\\W\\D$", "-a éé", "aa"), ("a*?b", "b aab", "a"), ("", "a", ""), ("^$", "", "a"),
        ("(a|)(b|)c", "c ac abc", "ab"),
        ("a\\+", "a+", "aa"), ("(a*)*b", "b aab", "aaa"),
    ])
    func regularExpressionsFindPaths(_ pattern: String, _ found: String, _ others: String) throws {
        var matcher = try PathMatcher(PathPattern(regularExpression: pattern))
        for path in found.split(separator: " ") {
            #expect(try matcher.matches(PathBytes(path)), "'\(pattern)' finds '\(path)'")
        }
        for path in others.split(separator: " ") {
            #expect(try !matcher.matches(PathBytes(path)), "'\(pattern)' does not find '\(path)'")
        }
    }

    @Test(arguments: [
        "(", ")", "a)", "[", "[a", "\\", "*", "+a", "a{2,1}", "a{1001}", "(?i)a", "\\b", "\\1", "[é-ü]", "[z-a]",
        "((((a{100}){100}){100}){100})", String(repeating: "(", count: 60) + String(repeating: ")", count: 60),
        "(a|b)*a(a|b){20}c",
    ])
    func badRegularExpressionsAreRefused(_ pattern: String) {
        let error = #expect(throws: InspectorError.self) {
            var matcher = try PathMatcher(PathPattern(regularExpression: pattern))
            var random = SystemRandomNumberGenerator()
            let text = (0..<100_000).map { _ in Bool.random(using: &random) ? UInt8(ascii: "a") : UInt8(ascii: "b") }
            _ = try matcher.matches(PathBytes(text))
        }
        #expect(error?.code == .badPattern)
    }

    /// Random expressions against the standard library's.
    @Test(arguments: 0..<200) func regularExpressionsMeanWhatSwiftsMean(seed: UInt64) throws {
        var random = SplitMix(state: seed)
        func expression(_ depth: Int) -> String {
            switch Int.random(in: 0..<(depth > 3 ? 3 : 9), using: &random) {
            case 0...2: return ["a", "b", "/", ".", "[ab]", "[^a]"][Int.random(in: 0..<6, using: &random)]
            case 3, 4: return expression(depth + 1) + expression(depth + 1)
            case 5: return "(\(expression(depth + 1))|\(expression(depth + 1)))"
            case 6: return "(?:\(expression(depth + 1)))*"
            case 7: return "(\(expression(depth + 1)))?"
            default: return "(\(expression(depth + 1))){1,2}"
            }
        }
        let text =
            ["", "^"][Int.random(in: 0...1, using: &random)] + expression(0)
            + ["", "$"][Int.random(in: 0...1, using: &random)]
        var matcher = try PathMatcher(PathPattern(regularExpression: text))
        let oracle = try Regex(text)
        for _ in 0..<50 {
            let letters = Array("abc/")
            let path = String(
                (0..<Int.random(in: 0...6, using: &random)).map { _ in letters.randomElement(using: &random) ?? "a" })
            #expect(try matcher.matches(PathBytes(path)) == path.contains(oracle), "'\(text)' in '\(path)'")
        }
    }

    @Test(arguments: [
        ("*.so", "a.so lib/b.so", "a.so.1 a.so/x"), ("passwd", "passwd etc/passwd", "etc/passwd-"),
        ("/etc/*", "etc/a", "etc/a/b x/etc/a"), ("etc/*", "etc/a", "etc/a/b"), ("a?c", "abc d/aéc", "ac"),
        ("usr/**/x", "usr/x usr/a/x usr/a/b/x", "x usr/ax"), ("usr/**", "usr/a usr/a/b", "usr usrx"),
        ("[a-c]x", "ax d/bx", "dx"), ("[!a]x", "bx éx", "ax"), ("\\*", "*", "a"), ("/", "", "a"), ("a+b", "a+b", "aab"),
    ])
    func globsFindPaths(_ pattern: String, _ found: String, _ others: String) throws {
        var matcher = try PathMatcher(PathPattern(glob: pattern))
        for path in found.split(separator: " ") { #expect(try matcher.matches(PathBytes(path)), "\(path)") }
        for path in others.split(separator: " ") { #expect(try !matcher.matches(PathBytes(path)), "\(path)") }
    }

    @Test(arguments: ["[a", "\\", "[é]", "[z-a]"]) func badGlobsAreRefused(_ pattern: String) {
        #expect(throws: InspectorError.self) { try PathPattern(glob: pattern) }
    }

    @Test func textsIgnoreCaseUnlessTheyHaveUpperCase() throws {
        var lower = try PathMatcher(PathPattern(containing: "read.me"))
        #expect(try lower.matches("docs/READ.me") && !lower.matches("readxme"))
        var upper = try PathMatcher(PathPattern(containing: "READ"))
        #expect(try upper.matches("READ") && !upper.matches("read"))
        var bytes = try PathMatcher(PathPattern(containing: "x"))
        #expect(try bytes.matches(PathBytes([0xff, UInt8(ascii: "x")])))
    }
}
