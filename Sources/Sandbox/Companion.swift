import Dispatch
import Glibc
import Linux
import Synchronization
import SystemPackage

/// A program of the host that serves sandboxes, for as long as this is held: it ends with this object, and with this
/// process however that ends.
package final class Companion: Sendable {
    private let signaller: SandboxSignaller
    private let name: String
    /// What it has written.
    private let log: FilePath

    /// Starts a program; returns when it runs.
    ///
    /// - Parameters:
    ///   - arguments: the program, a path or a name to look for in `PATH`, and its arguments.
    ///   - environment: `NAME=value`, all that it gets.
    ///   - log: a file to be made for what it writes.
    ///   - namespaces: those that are made for it.
    ///   - steps: what is done in them before it starts.
    /// - Throws: `SandboxError` `.commandNotFound` when there is no such program, `.setup` for anything else.
    init(
        _ arguments: [String], environment: [String], log: FilePath, namespaces: NamespaceSet = [],
        after steps: [SandboxStep] = []
    ) throws {
        name = arguments.first ?? ""
        self.log = log
        let file = try OwnedDescriptor.open(
            log, .readWrite, options: [.create, .exclusiveCreate, .append], permissions: .ownerReadWrite)
        let all =
            [SandboxStep(.newSession)] + steps + [
                SandboxStep(.placeStandardStreams(owner: geteuid())), SandboxStep(.dieWithParent),
                SandboxStep(.closeDescriptors(from: 3)), SandboxStep(.execute(name)),
            ]
        let encoding = StepEncoding(all, arguments: arguments, environment: environment)
        let number = file.number
        // The kernel kills it when the thread that started it ends; so one thread does nothing but wait for it.
        let result = try Self.onThreadOfItsOwn { started in
            let spawned: Spawned
            do {
                spawned = try encoding.spawn(namespaces: namespaces, standardStreams: (number, number, number))
            } catch {
                return started(.failure(error))
            }
            started(.success(SharedDescriptor(OwnedDescriptor(spawned.process))))
            var status: CInt = 0
            while unsafe waitpid(spawned.pid, &status, 0) == -1, errno == EINTR {}
        }
        do {
            signaller = SandboxSignaller(process: try result.get(), killSignal: SIGKILL)
        } catch let failure as SpawnFailure {
            throw SandboxPlan.explain(failure, of: all, isOnHost: true)
        }
        _ = consume file
    }

    deinit { signaller.kill() }

    private static func onThreadOfItsOwn(
        _ body: @escaping @Sendable ((Result<SharedDescriptor, any Error>) -> Void) -> Void
    ) throws -> Result<SharedDescriptor, any Error> {
        let outcome = StartOutcome()
        DispatchQueue(label: "companion").async {
            body { outcome.set($0) }
        }
        return outcome.wait()
    }

    /// Waits until something can be read from `descriptor`, the program has ended, or so many milliseconds are over.
    ///
    /// Returns whether there is something to read.
    func waits(for descriptor: CInt, milliseconds: CInt) -> Bool {
        let readable = Int16(POLLIN)
        var polled = [descriptor, signaller.process.number].map { pollfd(fd: $0, events: readable, revents: 0) }
        let count = unsafe polled.withUnsafeMutableBufferPointer { unsafe poll($0.baseAddress, 2, milliseconds) }
        return count > 0 && polled[0].revents & readable != 0
    }

    /// The last line that it wrote, but for those that `isNoise`.
    func lastWords(_ isNoise: (Substring) -> Bool = { _ in false }) -> String? {
        let text = (try? readText(log)) ?? ""
        return text.split(separator: "\n").last { !isNoise($0) }.map(String.init)
    }
}

/// What came of a start, for the thread that waits to hear of it.
private final class StartOutcome: Sendable {
    private let semaphore = DispatchSemaphore(value: 0)
    private let result = Mutex<Result<SharedDescriptor, any Error>?>(nil)

    func set(_ result: Result<SharedDescriptor, any Error>) {
        self.result.withLock { $0 = result }
        semaphore.signal()
    }

    func wait() -> Result<SharedDescriptor, any Error> {
        semaphore.wait()
        guard let result = result.withLock({ $0 }) else { preconditionFailure("the semaphore comes after the result") }
        return result
    }
}
