import Synchronization

/// The warnings of one build in the order in which they came up.
///
/// A build that fails leaves the warnings it had until then.
package final class WarningLog: Sendable {
    private let list = Mutex<[Warning]>([])

    package init() {}

    package var warnings: [Warning] { list.withLock { $0 } }

    /// Forgets them, before the Dockerfile is looked at once more.
    package func clear() { list.withLock { $0 = [] } }

    func append(_ warning: Warning) { list.withLock { $0.append(warning) } }

    /// Takes over the warnings that this log does not have as often: of a Dockerfile that is lowered for several
    /// platforms, each warning is there once.
    package func take(over warnings: [Warning]) {
        list.withLock { list in
            for warning in warnings {
                let (own, others) = (list.count { $0 == warning }, warnings.count { $0 == warning })
                if own < others { list.append(warning) }
            }
        }
    }
}
