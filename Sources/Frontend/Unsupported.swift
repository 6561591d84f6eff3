import Diagnostics
import DockerfileSyntax

/// The features of the language that are understood but cannot be built yet: all refusals are here, so that each can
/// be taken away when its feature comes.
enum Unsupported {
    static func check(_ run: Run) throws {
        if run.security == .insecure { throw refusal("RUN --security=insecure") }
        if !run.devices.isEmpty { throw refusal("RUN --device") }
    }

    static func check(_ add: Add) throws {
        if add.checksum != nil { throw refusal("ADD --checksum") }
        if add.keepGitDir != nil { throw refusal("ADD --keep-git-dir") }
    }

    /// A remote source of an ADD.
    static func refusal(of remote: RemoteSource) -> FrontendError {
        switch remote {
        case .git: refusal("ADD from a Git repository")
        case .http: refusal("ADD from a URL")
        }
    }

    private static func refusal(_ feature: String) -> FrontendError {
        FrontendError(.unsupported, "\(feature) is not supported yet")
    }
}
