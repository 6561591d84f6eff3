import Engine
import SystemPackage
import Testing
import Trees

@Suite struct CopyTests {
    /// `testdata/copy` of the package, found from this file.
    private static let directory: FilePath = {
        var path = FilePath(#filePath)
        for _ in 0..<3 { path.removeLastComponent() }
        return path.appending("testdata").appending("copy")
    }()

    @Test(
        arguments: try ["layouts.txt", "parents.txt", "metadata.txt", "errors.txt", "stages.txt"].flatMap {
            try BuildCase.read(directory.appending($0))
        })
    func builds(_ build: BuildCase) async throws {
        let result = try await build.run()
        #expect(result == build.expected)
    }
}
