import CLinux
import Glibc
import Linux
import SystemPackage

/// A child of the interpreter, running its command or ended after the last step.
struct Spawned {
    let pid: pid_t
    /// A pidfd, which becomes readable when the process ends. The caller closes it.
    let process: FileDescriptor
    let made: [MadeMountPoint]
    /// Of the supervisor that `pid` then is.
    var supervision: Supervision?
}

/// The report of a supervisor on its command; see `linux_supervise.h`.
@safe
final class Supervision: Sendable {
    /// Written by the supervisor alone, and read here only when that has ended.
    nonisolated(unsafe) private let shared: OpaquePointer

    fileprivate init(_ shared: OpaquePointer) { unsafe self.shared = shared }

    deinit { unsafe linux_supervision_release(shared) }

    /// Whether all that descended from the command is gone. To be read after the end of the supervisor.
    var isComplete: Bool { unsafe linux_supervision_is_complete(shared) != 0 }

    /// How the command ended, as `wait4(2)` has it; `nil` if the supervisor ended before. To be read after that.
    var waitStatus: Int32? {
        var status: Int32 = 0
        return unsafe linux_supervision_status(shared, &status) == 0 ? nil : status
    }
}

/// A mount point that the child made in the root file system, or a directory above one.
struct MadeMountPoint: Hashable, Sendable {
    enum Kind: Hashable, Sendable {
        case file, directory
        /// The times are those of the directory itself; for the others, of the directory they are in.
        case ancestor
    }

    let kind: Kind
    /// In the root, without a leading slash; empty for the root.
    let path: PathBytes
    let modifiedBefore: FileTime
    let modifiedAfter: FileTime
    let changedAfter: FileTime
}

/// The step at which a child stopped, and the reason.
struct SpawnFailure: Error {
    /// `nil`: the child itself could not be made.
    let step: Int?
    let errno: Errno
    /// The command is there, what it names as its interpreter is not.
    let isInterpreterMissing: Bool
}

extension StepEncoding {
    /// Makes a child that performs the steps, and returns when it has executed its command or ended.
    ///
    /// The corresponding system call is `clone(2)`. Throws ``SpawnFailure``; the child is gone then.
    ///
    /// `inherited` is a descriptor for the steps that take or place one; `controlGroup` is the directory of a group of
    /// version 2 that the child is made in, and `processNamespace` the path of a PID namespace for it. With `isSupervised` the supervisor of the child
    /// is returned: it ends when all processes that descend from the command have ended, and ends them itself once the
    /// command has ended or when it is told to.
    func spawn(
        namespaces: NamespaceSet, standardStreams: (CInt, CInt, CInt), terminalSocket: CInt = -1, inherited: CInt = -1,
        controlGroup: CInt = -1, userNamespace: CInt = -1, processNamespace: String? = nil, hasInit: Bool = false,
        isSupervised: Bool = false
    ) throws -> Spawned {
        var program = unsafe linux_spawn_program()
        unsafe program.clone_flags = namespaces.rawValue
        unsafe program.stdio = standardStreams
        unsafe program.terminal = terminalSocket
        unsafe program.inherited = inherited
        unsafe program.control_group = controlGroup
        unsafe program.user_namespace = userNamespace
        unsafe program.has_init = hasInit ? 1 : 0
        unsafe program.is_supervised = isSupervised ? 1 : 0
        var result = unsafe linux_spawn_result()
        defer { unsafe linux_spawn_release(&result) }
        let outcome = unsafe withPointers(in: &program) { program in
            guard let processNamespace else { return unsafe linux_spawn(&program, &result) }
            return unsafe processNamespace.withCString { path in
                unsafe program.process_namespace = path
                return unsafe linux_spawn(&program, &result)
            }
        }
        let supervision = unsafe result.supervision.map { unsafe Supervision($0) }
        guard outcome == 0 else {
            throw SpawnFailure(
                step: unsafe result.failed_step < 0 ? nil : Int(result.failed_step),
                errno: Errno(rawValue: unsafe result.error),
                isInterpreterMissing: unsafe result.interpreter_missing != 0)
        }
        let made = unsafe UnsafeBufferPointer(start: result.made, count: result.made_count)
        return Spawned(
            pid: unsafe result.pid, process: FileDescriptor(rawValue: unsafe result.pidfd),
            made: unsafe made.map { unsafe MadeMountPoint($0) }, supervision: supervision)
    }

    /// The arrays stay where they are until the child no longer reads them, which is when `body` returns.
    private func withPointers(
        in program: inout linux_spawn_program, _ body: (inout linux_spawn_program) -> CInt
    ) -> CInt {
        unsafe steps.withUnsafeBufferPointer { steps in
            unsafe texts.withUnsafeBytes { texts in
                unsafe arguments.withUnsafeBufferPointer { arguments in
                    unsafe environment.withUnsafeBufferPointer { environment in
                        unsafe program.steps = steps.baseAddress
                        unsafe program.step_count = steps.count
                        unsafe program.texts = texts.baseAddress?.assumingMemoryBound(to: CChar.self)
                        unsafe program.texts_size = texts.count
                        unsafe program.arguments = arguments.baseAddress
                        unsafe program.argument_count = arguments.count
                        unsafe program.environment = environment.baseAddress
                        unsafe program.environment_count = environment.count
                        return unsafe body(&program)
                    }
                }
            }
        }
    }
}

extension MadeMountPoint {
    init(_ made: linux_spawn_made) {
        kind =
            switch unsafe linux_spawn_made_kind(rawValue: made.kind) {
            case LINUX_SPAWN_MADE_FILE: .file
            case LINUX_SPAWN_MADE_DIRECTORY: .directory
            default: .ancestor
            }
        let bytes = unsafe UnsafeRawBufferPointer(start: made.path, count: strlen(made.path))
        path = PathBytes(unsafe Array(bytes.drop { $0 == UInt8(ascii: "/") }))
        modifiedBefore = FileTime(
            seconds: Int64(unsafe made.modified_before.tv_sec), nanoseconds: Int64(unsafe made.modified_before.tv_nsec))
        modifiedAfter = FileTime(
            seconds: Int64(unsafe made.modified_after.tv_sec), nanoseconds: Int64(unsafe made.modified_after.tv_nsec))
        changedAfter = FileTime(
            seconds: Int64(unsafe made.changed_after.tv_sec), nanoseconds: Int64(unsafe made.changed_after.tv_nsec))
    }
}
