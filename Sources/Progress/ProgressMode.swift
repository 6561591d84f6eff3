/// How a build tells of its progress: the values of `--progress`.
package enum ProgressMode: String, CaseIterable, Sendable {
    /// ``tty`` on a terminal, ``plain`` elsewhere.
    case auto
    /// Lines, in the order of events, for logs.
    case plain
    /// A display that is redrawn in place.
    case tty
    /// Nothing but the result.
    case quiet
    /// One JSON document per event, for programs.
    case rawjson
    /// Nothing at all.
    case silent = "none"

    /// The mode that ``auto`` stands for.
    package func resolved(isTerminal: Bool) -> ProgressMode {
        guard self == .auto else { return self }
        return isTerminal ? .tty : .plain
    }

    /// Whether warnings are repeated for people at the end of a build.
    package var showsWarnings: Bool {
        switch self {
        case .auto, .plain, .tty: true
        case .quiet, .rawjson, .silent: false
        }
    }
}
