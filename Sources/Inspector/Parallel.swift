import Dispatch
import Synchronization

/// Work on a thread of its own, whose result is waited for when it is needed: an image opens sooner on two cores.
final class Parallel<Value: Sendable>: Sendable {
    private let result = Mutex<Value?>(nil)
    private let done = DispatchSemaphore(value: 0)

    init(_ work: @escaping @Sendable () -> Value) {
        DispatchQueue(label: "inspector").async { [self] in
            let value = work()
            result.withLock { $0 = value }
            done.signal()
        }
    }

    /// The result. Waits for the work.
    var value: Value {
        done.wait()
        done.signal()
        guard let value = result.withLock({ $0 }) else { preconditionFailure("the work signals after its result") }
        return value
    }
}
