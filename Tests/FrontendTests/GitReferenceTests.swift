import Diagnostics
import Testing

@testable import Frontend

/// The table of what BuildKit takes for a Git repository.
@Suite struct GitReferenceTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let input: String
        let expected: String

        var testDescription: String { input }

        static func all() throws -> [Case] {
            try testData("git-references.txt").split(separator: "\n").filter { !$0.hasPrefix("#") }.map { line in
                let parts = line.split(separator: " => ", maxSplits: 1).map(String.init)
                try #require(parts.count == 2)
                return Case(input: String(parts[0].dropFirst().dropLast()), expected: parts[1])
            }
        }
    }

    @Test("A reference to a repository is parsed as BuildKit parses it", arguments: try Case.all())
    func reference(_ item: Case) throws {
        let found: String
        do {
            found = try GitReference(parsing: item.input).map(Self.text) ?? "no"
        } catch let error as FrontendError {
            found = "ERR \(error.message)"
        }
        if item.expected.hasPrefix("no ") {
            #expect(found == "no")
        } else if item.expected.hasSuffix("checksum=a-or-b(map order)") {
            #expect(found.hasSuffix("checksum=a") || found.hasSuffix("checksum=b"))
        } else {
            #expect(found == item.expected)
        }
    }

    private static func text(_ reference: GitReference) -> String {
        func flag(_ name: String, _ value: Bool?) -> String? { value.map { "\(name)=\($0 ? "True" : "False")" } }
        let rest = [
            reference.checksum.isEmpty ? nil : "checksum=\(reference.checksum)",
            flag("keepgit", reference.keepsGitDirectory), flag("submodules", reference.includesSubmodules),
            reference.times.isEmpty ? nil : "mtime=\(reference.times)",
            flag("fetchbycommit", reference.fetchesByCommit), reference.looksLocal ? "looks-local=True" : nil,
            reference.isUnencrypted ? "unencrypted=True" : nil,
        ].compactMap(\.self).joined(separator: " ")
        return [reference.remote, reference.ref, reference.subdirectory, rest].map { $0.isEmpty ? "-" : $0 }
            .joined(separator: " | ")
    }
}
