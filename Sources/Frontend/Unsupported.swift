import Diagnostics
import DockerfileSyntax

/// The features of the language that are understood but cannot be built yet: all refusals are here, so that each can
/// be taken away when its feature comes.
enum Unsupported {
    static func check(_ run: Run) throws {
        if run.security == .insecure { throw refusal("RUN --security=insecure") }
        if !run.devices.isEmpty { throw refusal("RUN --device") }
    }

    private static func refusal(_ feature: String) -> FrontendError {
        FrontendError(.unsupported, "\(feature) is not supported yet")
    }
}
