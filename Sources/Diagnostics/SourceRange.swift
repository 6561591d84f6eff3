/// The lines of a source file that an instruction or a message is about. Lines count from 1.
package struct SourceRange: Hashable, Sendable {
    /// The file's name as the user knows it, e.g. `Dockerfile` or `docker/app.Dockerfile`.
    package let file: String
    package let lines: ClosedRange<Int>

    package init(file: String, lines: ClosedRange<Int>) {
        self.file = file
        self.lines = lines
    }
}
