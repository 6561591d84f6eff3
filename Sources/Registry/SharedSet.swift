import Synchronization

/// A set of names that copies of a value share.
final class SharedSet: Sendable {
    private let names = Mutex<Set<String>>([])

    func withLock<Value: Sendable>(_ body: (inout Set<String>) -> sending Value) -> Value {
        names.withLock { names in body(&names) }
    }
}
