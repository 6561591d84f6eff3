import Console
import Glibc
import SystemPackage
import Testing

@Suite struct OutputTerminalTests {
    @Test func aPipeIsNoTerminal() throws {
        var ends: [CInt] = [0, 0]
        try #require(unsafe pipe(&ends) == 0)
        defer { for end in ends { close(end) } }
        let terminal = OutputTerminal(descriptor: ends[1])
        #expect(!terminal.isTerminal)
        #expect(terminal.size == nil)
        #expect(!terminal.canMoveCursor { _ in "xterm" })
        terminal.write("text")
        var buffer = [UInt8](repeating: 0, count: 8)
        #expect(unsafe read(ends[0], &buffer, 8) == 4)
        #expect(String(decoding: buffer.prefix(4), as: UTF8.self) == "text")
    }

    @Test func aPseudoTerminalHasASize() throws {
        let descriptor = unsafe open("/dev/ptmx", O_RDWR | O_NOCTTY)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        var size = winsize(ws_row: 33, ws_col: 101, ws_xpixel: 0, ws_ypixel: 0)
        try #require(unsafe ioctl(descriptor, UInt(TIOCSWINSZ), &size) == 0)
        let terminal = OutputTerminal(descriptor: descriptor)
        #expect(terminal.isTerminal)
        #expect(terminal.size == WindowSize(columns: 101, rows: 33))
        #expect(terminal.canMoveCursor { _ in "xterm" })
        #expect(!terminal.canMoveCursor { _ in "dumb" })
    }

    @Test(arguments: [
        ([:], true, false), (["NO_COLOR": "1"], false, false), (["NO_COLOR": ""], true, false),
        (["CLICOLOR": "0"], false, false), (["CLICOLOR": "1"], true, false), (["CLICOLOR_FORCE": "1"], true, true),
        (["CLICOLOR_FORCE": "0"], true, false), (["CLICOLOR": "0", "CLICOLOR_FORCE": "1"], true, true),
        (["CLICOLOR_FORCE": "1", "NO_COLOR": "1"], false, false),
    ])
    func variablesSayWhetherTextIsColoured(_ variables: [String: String], _ areWanted: Bool, _ areShownInAPipe: Bool)
        throws
    {
        let environment = { (name: String) in variables[name] }
        #expect(OutputTerminal.wantsColours(environment: environment) == areWanted)
        var ends: [CInt] = [0, 0]
        try #require(unsafe pipe(&ends) == 0)
        defer { for end in ends { close(end) } }
        #expect(OutputTerminal(descriptor: ends[1]).showsColours(environment: environment) == areShownInAPipe)
    }

    @Test func aClosedReaderIsAnErrorThatLogWritersIgnore() throws {
        // The signal would end the test; the command line ignores it too.
        signal(SIGPIPE, SIG_IGN)
        var ends: [CInt] = [0, 0]
        try #require(unsafe pipe(&ends) == 0)
        close(ends[0])
        #expect(OutputTerminal(descriptor: ends[1]).write([UInt8](repeating: 0x78, count: 1 << 20)) == .brokenPipe)
        close(ends[1])
    }

    @Test func aFullNonBlockingPipeIsWaitedFor() async throws {
        var ends: [CInt] = [0, 0]
        try #require(unsafe pipe(&ends) == 0)
        let (reader, writer) = (ends[0], ends[1])
        _ = fcntl(writer, F_SETFL, O_NONBLOCK)
        let count = 1 << 20
        let reading = Task.detached {
            var total = 0
            var buffer = [UInt8](repeating: 0, count: 65536)
            while total < count {
                let got = unsafe read(reader, &buffer, buffer.count)
                if got <= 0 { break }
                total += got
            }
            return total
        }
        OutputTerminal(descriptor: writer).write([UInt8](repeating: 0x78, count: count))
        close(writer)
        #expect(await reading.value == count)
        close(reader)
    }

    @Test(arguments: [(nil, true), ("", true), ("1", false), ("0", false)] as [(String?, Bool)])
    func noColorIsHeeded(_ value: String?, _ expected: Bool) {
        #expect(OutputTerminal.wantsColours { $0 == "NO_COLOR" ? value : nil } == expected)
    }
}
