import CBuildInfo
import Engine
import Requests

/// The version of this program with the commit that `scripts/stamp` has written into it.
enum ProgramVersion {
    /// `lamina 0.1.0, commit 0123456789ab`; without a stamp only the version.
    static var text: String {
        let commit = unsafe String(cString: lamina_build_commit())
        return commit.isEmpty ? "lamina \(Version.current)" : "lamina \(Version.current), commit \(commit)"
    }
}
