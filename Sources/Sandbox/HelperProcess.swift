import Dispatch
import Glibc
import Linux
import Synchronization
package import SystemPackage

/// A program of the host that serves sandboxes, for as long as this is held: it ends with this object, and with this
/// process however that ends.
package final class HelperProcess: Sendable {
    private let signaller: SandboxSignaller
    private let name: String
    /// Its output.
    private let log: FilePath
    private let end = Outcome<ExitStatus>()

    /// Starts a program; returns when it runs.
    ///
    /// - Parameters:
    ///   - arguments: the program, a path or a name to look for in `PATH`, and its arguments.
    ///   - environment: `NAME=value`, all that it gets.
    ///   - log: a file to be made for what it writes.
    ///   - namespaces: those that are made for it.
    ///   - steps: what is done in them before it starts.
    ///   - inherited: a descriptor for it, and the number that it gets there, the least that is free.
    /// - Throws: `SandboxError` `.commandNotFound` when there is no such program, `.setup` for anything else.
    init(
        _ arguments: [String], environment: [String], log: FilePath, namespaces: NamespaceSet,
        after steps: [SandboxStep], inherited: (descriptor: CInt, number: Int)? = nil
    ) throws {
        name = arguments.first ?? ""
        self.log = log
        let file = try OwnedDescriptor.open(
            log, .readWrite, options: [.create, .exclusiveCreate, .append], permissions: .ownerReadWrite)
        let all =
            [SandboxStep(.newSession)] + steps + [
                SandboxStep(.placeStandardStreams(owner: geteuid())), SandboxStep(.dieWithParent),
                // A program that gained privileges would no longer die with this process.
                SandboxStep(.forbidNewPrivileges),
            ] + (inherited.map { [SandboxStep(.placeInherited(number: $0.number))] } ?? []) + [
                SandboxStep(.closeDescriptors(from: UInt32(inherited.map { $0.number + 1 } ?? 3))),
                SandboxStep(.execute(name)),
            ]
        let encoding = StepEncoding(all, arguments: arguments, environment: environment)
        let (number, inheritedNumber) = (file.number, inherited?.descriptor ?? -1)
        let end = self.end
        // The kernel kills it when the thread that started it ends; so one thread does nothing but wait for it.
        let result = try Self.onThreadOfItsOwn { started in
            let spawned: Spawned
            do {
                spawned = try encoding.spawn(
                    namespaces: namespaces, standardStreams: (number, number, number), inherited: inheritedNumber)
            } catch {
                return started(.failure(error))
            }
            started(.success(SharedDescriptor(OwnedDescriptor(spawned.process))))
            var status: CInt = 0
            while unsafe waitpid(spawned.pid, &status, 0) == -1, errno == EINTR {}
            end.set(.success(ExitStatus(waitStatus: status)))
        }
        do {
            signaller = SandboxSignaller(process: try result.get(), killSignal: SIGKILL)
        } catch let failure as SpawnFailure {
            throw SandboxPlan.explain(failure, of: all, isOnHost: true)
        }
        _ = consume file
    }

    /// Starts a program in the namespaces of this one.
    package convenience init(_ arguments: [String], environment: [String], log: FilePath) throws {
        try self.init(arguments, environment: environment, log: log, namespaces: [], after: [])
    }

    deinit { signaller.kill() }

    private static func onThreadOfItsOwn(
        _ body: @escaping @Sendable ((Result<SharedDescriptor, any Error>) -> Void) -> Void
    ) throws -> Result<SharedDescriptor, any Error> {
        let outcome = Outcome<SharedDescriptor>()
        DispatchQueue(label: "helper-process").async {
            body { outcome.set($0) }
        }
        return outcome.wait()
    }

    /// Waits until the program has ended, at most so many seconds; `nil` when it has not then.
    func waitForEnd(seconds: Int) -> ExitStatus? { try? end.wait(seconds: seconds)?.get() }

    /// Waits until something can be read from `descriptor`, the program has ended, or so many milliseconds are over.
    ///
    /// Returns whether there is something to read.
    func waits(for descriptor: CInt, milliseconds: CInt) -> Bool {
        let readable = Int16(POLLIN)
        var polled = [descriptor, signaller.process.number].map { pollfd(fd: $0, events: readable, revents: 0) }
        let count = unsafe polled.withUnsafeMutableBufferPointer { unsafe poll($0.baseAddress, 2, milliseconds) }
        return count > 0 && polled[0].revents & readable != 0
    }

    /// Waits until there is a file, or so many milliseconds are over. Returns whether there is.
    package func makes(_ file: FilePath, milliseconds: Int) -> Bool {
        for _ in 0..<max(1, milliseconds / 10) {
            if (try? FileStatus(of: file)) != nil { return true }
            // Readable means that it has ended.
            var ended = pollfd(fd: signaller.process.number, events: Int16(POLLIN), revents: 0)
            if unsafe poll(&ended, 1, 10) == 1 { return false }
        }
        return false
    }

    /// The last line that it wrote, but for those that `isNoise`.
    package func lastWords(_ isNoise: (Substring) -> Bool = { _ in false }) -> String? {
        let text = (try? readText(log)) ?? ""
        return text.split(separator: "\n").last { !isNoise($0) }.map(String.init)
    }
}

/// The result for the thread that waits for it.
private final class Outcome<Value: Sendable>: Sendable {
    private let semaphore = DispatchSemaphore(value: 0)
    private let result = Mutex<Result<Value, any Error>?>(nil)

    func set(_ result: Result<Value, any Error>) {
        self.result.withLock { $0 = result }
        semaphore.signal()
    }

    /// `nil` when nothing has come of it after so many seconds.
    func wait(seconds: Int) -> Result<Value, any Error>? {
        guard semaphore.wait(timeout: .now() + .seconds(seconds)) == .success else { return nil }
        // For whoever else waits.
        semaphore.signal()
        return result.withLock { $0 }
    }

    func wait() -> Result<Value, any Error> {
        semaphore.wait()
        semaphore.signal()
        guard let result = result.withLock({ $0 }) else { preconditionFailure("the semaphore comes after the result") }
        return result
    }
}
