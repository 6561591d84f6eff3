import CLinux
import Glibc
import Linux
import SystemPackage

/// The streams of a command.
package enum SandboxStreams: Hashable, Sendable {
    /// Its outputs are captured, each for itself; its input is at its end.
    case captured
    /// Its outputs are captured, and its input is written to.
    case interactive
    /// A terminal of the sandbox's own is all three.
    case terminal
}

/// The standard streams of a sandbox while it is being started: our ends and those of the command.
///
/// The terminal is made inside, on the sandbox's own `/dev/pts`, so that it has a name there; our end of it comes
/// through
/// a socket.
struct StandardStreams {
    private let isTerminal: Bool
    /// For a terminal, our end of the socket.
    private let output: SharedDescriptor
    private let errors: SharedDescriptor?
    private let input: SharedDescriptor?
    /// Theirs: the input, the output and the errors; or the socket alone.
    private let theirs: [SharedDescriptor]
    /// Keeps outputs with names open: the command may close them and open them again.
    private var held: [SharedDescriptor] = []

    /// In a chroot, the outputs are those that its ``DeviceDirectory`` has names for.
    init(_ kind: SandboxStreams, changedRoot: FilePath? = nil) throws {
        isTerminal = kind == .terminal
        if isTerminal {
            let main = try DescriptorPair(areSockets: true)
            (output, errors, input, theirs) = (main.ours, nil, nil, [main.theirs])
            return
        }
        let input = try DescriptorPair()
        let named = try changedRoot.map { try DescriptorPair.outputs(in: Directory(opening: $0)) } ?? []
        let main = try named.first ?? DescriptorPair()
        let errors = try named.last ?? DescriptorPair()
        held = named.map(\.theirs)
        output = main.ours
        self.errors = errors.ours
        // A pipe reads at the first end and is written to at the other.
        self.input = kind == .interactive ? input.theirs : nil
        theirs = [input.ours, main.theirs, errors.theirs]
    }

    /// The descriptors that the child uses as 0, 1 and 2.
    var standardStreams: (CInt, CInt, CInt) {
        (theirs[0].number, theirs[isTerminal ? 0 : 1].number, theirs[isTerminal ? 0 : 2].number)
    }

    var terminalSocket: CInt { isTerminal ? theirs[0].number : -1 }

    /// Our ends, once the child has its own; the child's are closed with this value.
    func connected() throws -> (output: ProcessOutput, input: SandboxInput?) {
        guard isTerminal else {
            return (ProcessOutput(output, errors, held: held), input.map { SandboxInput($0, isTerminal: false) })
        }
        let number = try check("receive", "the terminal") { linux_receive_descriptor(output.number) }
        let master = SharedDescriptor(OwnedDescriptor(FileDescriptor(rawValue: number)))
        return (ProcessOutput(master, nil), SandboxInput(master, isTerminal: true))
    }
}

/// The input of a command: a pipe, or the other end of its terminal.
package final class SandboxInput: Sendable {
    private let descriptor: SharedDescriptor
    package let isTerminal: Bool

    fileprivate init(_ descriptor: SharedDescriptor, isTerminal: Bool) {
        self.descriptor = descriptor
        self.isTerminal = isTerminal
    }

    /// Writes all bytes; `false` when the reader has gone. A pipe is at its end when this object is gone.
    package func write(_ bytes: ArraySlice<UInt8>) -> Bool { descriptor.writeAll(bytes) }

    /// Gives the terminal a size in characters. The corresponding request is `TIOCSWINSZ`.
    package func resize(columns: UInt16, rows: UInt16) {
        guard isTerminal else { return }
        var size = winsize(ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        _ = unsafe withUnsafeMutablePointer(to: &size) { unsafe ioctl(descriptor.number, UInt(TIOCSWINSZ), $0) }
    }
}

/// The two ends of a pipe or of a pair of sockets, both closed on execution.
struct DescriptorPair {
    let ours: SharedDescriptor
    let theirs: SharedDescriptor

    /// A pipe, which reads at `ours`, or sockets. The corresponding system calls are `pipe2(2)` and `socketpair(2)`.
    init(areSockets: Bool = false) throws {
        var ends: [CInt] = [-1, -1]
        try check("create", areSockets ? "a pair of sockets" : "a pipe") {
            unsafe ends.withUnsafeMutableBufferPointer {
                unsafe areSockets ? linux_socket_pair($0.baseAddress) : linux_pipe($0.baseAddress)
            }
        }
        ours = SharedDescriptor(OwnedDescriptor(FileDescriptor(rawValue: ends[0])))
        theirs = SharedDescriptor(OwnedDescriptor(FileDescriptor(rawValue: ends[1])))
    }

    private init(fifo name: PathBytes, in root: borrowing Directory) throws {
        // Opened for reading it waits for nobody then, and for writing it has found its reader.
        ours = SharedDescriptor(try root.open(name, O_RDONLY | O_NONBLOCK, resolving: .noSymlinks))
        theirs = SharedDescriptor(try root.open(name, O_WRONLY, resolving: .noSymlinks))
    }

    /// The output and the errors by their names below a root directory; none where a file system has no FIFOs.
    fileprivate static func outputs(in root: borrowing Directory) throws -> [DescriptorPair] {
        let names: [PathBytes] = ["dev/stdout", "dev/stderr"]
        for name in names where try root.statusIfExists(name)?.type != .fifo { return [] }
        return try [DescriptorPair(fifo: names[0], in: root), DescriptorPair(fifo: names[1], in: root)]
    }
}
