import SystemPackage
import Testing

/// The network of commands: its modes, names and servers, and what of it is in a layer or a key.
@Suite("Networks", .enabled(if: Machine.isRoot, Machine.needsRoot))
struct StepNetworkTests {
    private static let hasPasta = Machine.has("pasta") && Machine.has("ip") && Machine.has("python3")
    private static let needsPasta: Comment = "needs pasta (package passt), ip (iproute2) and python3"

    private let scratch: Scratch
    private let lamina: Lamina

    init() throws {
        scratch = try Scratch()
        lamina = Lamina(root: scratch.path.appending("store"))
    }

    /// The processes of pasta that a lamina has started which has `PATH` from here.
    private func pastas() throws -> [String] {
        let script = #"for d in $(grep -lsF "$1" /proc/[0-9]*/environ); do head -c 5 "${d%environ}cmdline"; echo; done"#
        return try run("sh", "-c", script, "sh", scratch.path.string).outputLines.filter { $0 == "pasta" }
    }

    /// See ``pastas()``.
    private var marked: Lamina {
        lamina.with(["PATH": "\(environmentVariable("PATH") ?? "/usr/bin:/bin"):\(scratch.path)"])
    }

    /// The output of a RUN, line by line.
    private func lines(of command: String, _ options: String...) throws -> [String] {
        let context = try scratch.context("FROM lamina/base\nRUN \(command)\n")
        let build = try marked.succeeding(["build", "--no-cache", "--progress", "plain"] + options + [context.string])
        return Self.output(of: build)
    }

    /// The output of step 5 in plain progress, without its number and the time.
    private static func output(of build: Finished) -> [String] {
        build.errorLines.compactMap { line in
            let parts = line.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
            return parts.count == 3 && parts[0] == "#5" && Double(parts[1]) != nil ? String(parts[2]) : nil
        }
    }

    @Test func namesAndServersAreWhatTheOptionsSay() throws {
        let shown = try lines(
            of: "cat /etc/hosts /etc/resolv.conf", "--add-host", "a=192.0.2.7", "--add-host", "b:[2001:db8::1]",
            "--add-host", "c:192.0.2.8,d=192.0.2.9", "--add-host", "here:host-gateway", "--dns", "192.0.2.53",
            "--dns", "2001:db8::53", "--dns-search", "example.org", "--dns-option", "ndots:2")
        #expect(
            shown.prefix(7) == [
                "127.0.0.1\tlocalhost buildkitsandbox", "::1\tlocalhost ip6-localhost ip6-loopback", "192.0.2.7\ta",
                "2001:db8::1\tb", "192.0.2.8\tc", "192.0.2.9\td", "127.0.0.1\there",
            ], "\(shown)")
        let rest = shown.dropFirst(7)
        #expect(rest.filter { $0.hasPrefix("nameserver") } == ["nameserver 192.0.2.53", "nameserver 2001:db8::53"])
        #expect(rest.filter { $0.hasPrefix("search") } == ["search example.org"])
        #expect(rest.filter { $0.hasPrefix("options") } == ["options ndots:2"])
    }

    @Test(arguments: [
        ["--add-host", "nothing"], ["--add-host", "a=1.2.3"], ["--add-host", "=1.2.3.4"], ["--dns", "name"],
        ["--dns-search", "a b"], ["--network", "named"],
    ])
    func badOptionsAreRefused(_ options: [String]) throws {
        let context = try scratch.context("FROM lamina/base\n")
        #expect(try lamina.start(["build"] + options + [context.string]).wait().status == 2)
        #expect(try lamina.start(["run"] + options + ["lamina/base", "true"]).wait().status == 2)
    }

    @Test func noneHasLoopbackOnlyAndRunsOwnWordCounts() throws {
        #expect(try lines(of: "tail -n +3 /proc/net/dev | wc -l", "--network", "none") == ["1"])
        #expect(try lines(of: "--network=none tail -n +3 /proc/net/dev | wc -l") == ["1"])
        let own = try text(of: "/proc/net/dev").lines.count - 2
        #expect(try lines(of: "tail -n +3 /proc/net/dev | wc -l", "--network", "host") == ["\(own)"])
        let run = try lamina("run", "--network", "none", "lamina/base", "sh", "-c", "tail -n +3 /proc/net/dev | wc -l")
        #expect(run.trimmed == "1")
    }

    @Test func modeAndAddedNamesAreInTheKeyAndAddressesAreNot() throws {
        let context = try scratch.context("FROM lamina/base\nRUN cat /etc/hosts > /hosts\n")
        func isCached(_ options: String...) throws -> Bool {
            let build = try lamina.succeeding(["build", "--progress", "plain"] + options + [context.string])
            return build.errorText.contains("#5 CACHED\n")
        }
        #expect(try !isCached("--add-host", "a=192.0.2.7"))
        #expect(try isCached("--add-host", "a=192.0.2.8"))
        #expect(try !isCached("--add-host", "b=192.0.2.8"))
        #expect(try !isCached())
        #expect(try !isCached("--network", "none"))
        #expect(try isCached("--network", "none"))
        #expect(try isCached("--dns", "192.0.2.53"))
    }

    @Test func nothingOfItIsInTheLayer() throws {
        let context = try scratch.context("FROM lamina/base\nRUN true\n")
        let plain = try lamina.build(context, "--no-cache", "--build-arg", "SOURCE_DATE_EPOCH=1")
        let other = try lamina.build(
            context, "--no-cache", "--build-arg", "SOURCE_DATE_EPOCH=1", "--add-host", "a=192.0.2.7", "--dns",
            "192.0.2.53")
        #expect(plain == other)
    }

    /// A machine of its own, with an address behind it that has a name server and a web server, and with services on
    /// its loopback.
    private static let outside = """
        set -e
        ip link set lo up; ip tuntap add dev wire mode tap; ip addr add 198.51.100.2/24 dev wire; ip link set wire up
        ip route add default via 198.51.100.1; ip addr add 203.0.113.5/32 dev lo
        echo nameserver 127.0.0.1 > "$1/resolv.conf"; mount --bind "$1/resolv.conf" /etc/resolv.conf
        rm -f "$1/up"; python3 "$1/servers.py" & servers=$!
        trap 'kill $servers' EXIT
        until [ -e "$1/up" ]; do sleep 0.05; done
        shift; "$@"
        """

    private static let servers = """
        import os, socket, sys, threading
        def listen(family, address):
            listener = socket.socket(family, socket.SOCK_STREAM)
            listener.bind(address); listener.listen(8)
            return listener
        def serve(listener, answer):
            while True:
                connection, _ = listener.accept()
                # What is closed with something left to read ends with a reset, which can overtake the answer.
                asked = b""
                while not asked.endswith(b"\\r\\n\\r\\n"):
                    more = connection.recv(4096)
                    if not more: break
                    asked += more
                connection.sendall(answer); connection.close()
        server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        server.bind(("127.0.0.1", 53))
        def names():
            while True:
                query, client = server.recvfrom(512)
                end = query.index(b"\\0", 12) + 5
                kind = query[end - 3]
                answer = b"\\xc0\\x0c\\0\\1\\0\\1\\0\\0\\0\\x05\\0\\x04" + bytes([203, 0, 113, 5]) if kind == 1 else b""
                count = b"\\0\\1" if answer else b"\\0\\0"
                server.sendto(query[:2] + b"\\x81\\x80\\0\\1" + count + b"\\0\\0\\0\\0" + query[12:end] + answer, client)
        web = b"HTTP/1.0 200 OK\\r\\nContent-Length: 8\\r\\n\\r\\noutside\\n"
        for arguments in [
            (socket.AF_INET, ("203.0.113.5", 8080), web), (socket.AF_INET, ("127.0.0.1", 8081), web),
            (socket.AF_UNIX, "\\0lamina-test", b"reached\\n"),
        ]:
            *address, answer = arguments
            threading.Thread(target=serve, args=(listen(*address), answer), daemon=True).start()
        threading.Thread(target=names, daemon=True).start()
        open(sys.argv[0].rsplit("/", 1)[0] + "/up", "w").close()
        threading.Event().wait()
        """

    /// Runs lamina on that machine.
    private func onMachine(_ arguments: [String]) throws -> Finished {
        try scratch.write(Self.servers + "\n", to: "machine/servers.py")
        let script = try scratch.write(Self.outside + "\n", to: "machine/outside.sh")
        let binary = try #require(Lamina.binary).string
        let words = ["unshare", "-n", "-m", "sh", script.string, scratch.path.appending("machine").string, binary]
        return try RunningProcess(words + arguments, environment: ["LAMINA_ROOT": lamina.root.string]).wait(
            limit: .seconds(60))
    }

    // Not with nc, which says that it has no more to send: the pasta of Debian 12 then loses what the server answers.
    @Test(.enabled(if: hasPasta, needsPasta))
    func privateNetworkReachesTheOutsideAndNotThisMachine() throws {
        let script = """
            nslookup web.example | grep -c 203.0.113.5
            wget -q -O - http://203.0.113.5:8080/
            nc -w 2 127.0.0.1 8081 < /dev/null || echo no loopback
            nc -w 2 198.51.100.1 8081 < /dev/null || echo no gateway
            grep -c lamina-test /proc/net/unix || true
            cat /etc/resolv.conf
            """
        let closed = try onMachine(["run", "--network", "private", "lamina/base", "sh", "-c", script])
        #expect(
            closed.outputLines == ["1", "outside", "no loopback", "no gateway", "0", "nameserver 169.254.1.1"],
            "\(closed.outputText) \(closed.errorText)")
        // In the builder's own network all of it can be reached.
        let open = try onMachine([
            "run", "lamina/base", "sh", "-c",
            "wget -q -O - http://127.0.0.1:8081/; grep -c lamina-test /proc/net/unix",
        ])
        #expect(open.outputLines == ["outside", "1"], "\(open.errorText)")
    }

    @Test(.enabled(if: hasPasta, needsPasta))
    func privateNetworkReachesTheHostByNameWhereItIsAsked() throws {
        let reached = try onMachine([
            "run", "--network", "private", "--add-host", "here:host-gateway", "lamina/base", "sh", "-c",
            "wget -q -O - http://$(grep here$ /etc/hosts | cut -f 1):8081/",
        ])
        #expect(reached.outputText == "outside\n", "\(reached.errorText)")
    }

    @Test(.enabled(if: hasPasta, needsPasta))
    func commandsOfOneBuildHavePrivateNetworksOfTheirOwn() throws {
        let shown = try lines(
            of: "readlink /proc/self/ns/net; tail -n +3 /proc/net/dev | wc -l; ip addr | grep -c 'inet ' ", "--network",
            "private")
        #expect(shown.dropFirst() == ["2", "2"], "\(shown)")
        #expect(try lamina.unfinished() == [])
        #expect(try pastas() == [])
    }

    /// A user's own `/dev/net`, which is empty or has the device as udev makes it.
    private static func devices(_ node: String) -> String {
        #"mkdir -p "$0/net"; mount -t tmpfs tmpfs "$0/net"; \#(node); mount --bind "$0/net" /dev/net"#
    }

    @Test(.enabled(if: hasPasta && Machine.has("newuidmap"), "needs pasta (package passt), ip (iproute2) and uidmap"))
    func plainUsersHavePrivateNetworks() throws {
        var user = try PlainUser()
        user.preparation = Self.devices(#"mknod -m 666 "$0/net/tun" c 10 200"#)
        let context = try user.context(
            "FROM lamina/base\nRUN tail -n +3 /proc/net/dev | wc -l; ip addr | grep -c 'inet '\n")
        let build = try user.succeeding(["lamina", "build", "--progress=plain", "--network=private", context.string])
        #expect(Self.output(of: build) == ["2", "2"], "\(build.errorText)")
        let run = try user("lamina", "run", "--network", "private", "lamina/base", "sh", "-c", "ls /sys/class/net")
        #expect(run.status == 0 && run.outputLines.contains("lo"), "\(run.errorText)")
    }

    @Test(.enabled(if: hasPasta && Machine.has("newuidmap"), "needs pasta (package passt), ip (iproute2) and uidmap"))
    func missingTunnelDeviceIsOneSentence() throws {
        for (node, reason) in [("true", "which is not there"), (#": > "$0/net/tun""#, "which may not be opened")] {
            var user = try PlainUser()
            user.preparation = Self.devices(node)
            let run = try user("lamina", "run", "--network", "private", "lamina/base", "true")
            #expect(run.status == 125)
            #expect(
                run.errorText.contains("the private network needs the device /dev/net/tun, \(reason)\n"),
                "\(run.errorText)")
            #expect(run.errorText.contains("hint: In a container, start it with '--device /dev/net/tun'"))
        }
    }

    @Test func missingPastaIsOneSentence() throws {
        let context = try scratch.context("FROM lamina/base\nRUN --network=default true\n")
        let build = try lamina.with(["PATH": "/nonexistent"]).start([
            "build", "--progress", "plain", "--network", "private", context.string,
        ]).wait()
        #expect(build.status == 1)
        #expect(build.errorText.contains("needs the program 'pasta', which is not installed"), "\(build.errorText)")
        #expect(build.errorText.contains("hint: Install the package passt"))
        let run = try lamina.with(["PATH": "/nonexistent"])("run", "--network", "private", "lamina/base", "true")
        #expect(run.status == 125)
    }

    @Test(.enabled(if: hasPasta, needsPasta))
    func killedBuildTakesPastaWithIt() throws {
        let marker = endlessSleep()
        let command = try marked.start([
            "run", "--network", "private", "lamina/base", "sh", "-c", "echo up >&2; \(marker)",
        ])
        try wait(until: { try command.errorsSoFar().contains("up\n") })
        #expect(try pastas() == ["pasta"])
        command.send(9)
        _ = try command.wait(limit: .seconds(30))
        try wait(until: { try pastas() == [] })
        try lamina.succeeding("run", "lamina/base", "true")
        try lamina.expectNothingLeft(process: marker)
    }
}
