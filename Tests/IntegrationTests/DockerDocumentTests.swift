import SystemPackage
import Testing

/// The documents and the cleaning up of Docker's commands, as scripts read and use them.
@Suite("Docker's documents", .enabled(if: Machine.isRoot, Machine.needsRoot))
struct DockerDocumentTests {
    private let scratch: Scratch
    private let lamina: Lamina

    init() throws {
        scratch = try Scratch()
        lamina = Lamina(root: scratch.path.appending("store"))
    }

    private func shown(_ format: String, _ name: String) throws -> String {
        try lamina.succeeding("inspect", "-f", format, name).trimmed
    }

    @Test func aContainerSaysWhatItsOptionsHaveAskedFor() throws {
        try lamina.succeeding(
            "create", "--name", "box", "-m", "64m", "--cpus", "0.5", "--cpu-shares", "512", "--pids-limit", "50",
            "--cap-add", "net_admin", "--cap-drop", "CAP_MKNOD", "--shm-size", "32m", "--ulimit", "nofile=100:200",
            "--dns", "1.1.1.1", "--add-host", "a:1.2.3.4", "--security-opt", "no-new-privileges", "--device",
            "/dev/null", "--stop-signal", "INT", "-e", "B=2", "-v", "\(scratch.path):/s:ro", "lamina/base", "true")
        let cases = [
            (
                "{{.HostConfig.Memory}} {{.HostConfig.MemorySwap}} {{.HostConfig.ShmSize}}",
                "67108864 134217728 33554432"
            ),
            ("{{.HostConfig.NanoCpus}} {{.HostConfig.CpuQuota}} {{.HostConfig.CpuShares}}", "500000000 0 512"),
            (
                "{{.HostConfig.PidsLimit}} {{.HostConfig.CapAdd}} {{.HostConfig.CapDrop}}",
                "50 [CAP_NET_ADMIN] [CAP_MKNOD]"
            ),
            ("{{range .HostConfig.Ulimits}}{{.Name}} {{.Soft}} {{.Hard}}{{end}}", "nofile 100 200"),
            ("{{.HostConfig.Dns}} {{.HostConfig.ExtraHosts}}", "[1.1.1.1] [a:1.2.3.4]"),
            ("{{.HostConfig.SecurityOpt}} {{.HostConfig.Devices}}", "[no-new-privileges] [{/dev/null /dev/null rwm}]"),
            ("{{.Config.StopSignal}} {{index .Config.Env 0}}", "SIGINT B=2"),
            ("{{.Mounts}}", "[{bind  \(scratch.path) /s  ro false }]"),
            ("{{range .Mounts}}<{{.Name}}>{{end}}{{.HostConfig.BlkioWeight}}", "<>0"),
            ("{{.GraphDriver.Name}} {{.GraphDriver.Data.MergedDir}}", "overlay <no value>"),
            ("{{.NetworkSettings.MacAddress}}{{.HostConfig.LogConfig.Type}}", "local"),
        ]
        for (format, text) in cases { #expect(try shown(format, "box") == text, "\(format)") }
        try lamina.succeeding("create", "--name", "plain", "lamina/base", "true")
        #expect(
            try shown("{{.HostConfig.Memory}} {{.HostConfig.PidsLimit}} {{.HostConfig.CapAdd}}", "plain")
                == "0 <nil> []")
        #expect(try shown("{{.Config.StopSignal}}|{{.HostConfig.ShmSize}}", "plain") == "|67108864")
    }

    @Test func anImageHasTheFieldsOfOlderVersions() throws {
        try lamina.build(try scratch.context("FROM scratch\nCOPY Dockerfile /\n"), "-t", "one")
        #expect(try shown("{{eq .Size .VirtualSize}} {{.GraphDriver.Name}}{{.Container}}", "one") == "true overlay")
        #expect(try shown("{{.ContainerConfig.Cmd}} {{.Metadata.LastTagTime}}", "one") == "[] 0001-01-01T00:00:00Z")
    }

    /// As with docker, before anything is asked of a registry or the store.
    @Test func aTerminalThatIsNotThereIsRefusedAsByDocker() throws {
        for words in [["run", "-it", "no-such-image", "true"], ["exec", "-it", "no-such-container", "true"]] {
            let finished = try lamina.start(words).wait()
            #expect(finished.status == 1 && finished.errorText.contains("the input device is not a TTY"), "\(words)")
        }
    }

    @Test func systemPruneTakesWhatDockersTakes() throws {
        let context = try scratch.context("FROM lamina/base\nRUN echo 1 > /one\n")
        try lamina.build(context, "-t", "kept")
        try lamina.build(context, "-t", "other", "--label", "c=d")
        let unnamed = try lamina.build(context, "--label", "a=b")
        for name in ["ended", "used"] { try lamina.succeeding("create", "--name", name, "kept", "true") }
        try lamina.succeeding("run", "-d", "--name", "running", "-v", "/anonymous", "kept", "sleep", "1000")
        defer { _ = try? lamina("rm", "-f", "running") }
        #expect(try lamina.succeeding("system", "prune").errorText.contains("nothing was removed"))
        #expect(try lamina("system", "prune", "-f", "--volumes", "--filter", "until=1h").status == 2)
        #expect(try lamina("system", "prune", "-f", "--filter", "id=1").status == 2)
        #expect(
            try lamina.succeeding("system", "prune", "-f", "--filter", "until=24h").trimmed
                == "Total reclaimed space: 0B")
        let lines = try lamina.succeeding("system", "prune", "-f").outputLines
        #expect(lines.first == "Deleted Containers:" && lines.contains("deleted: \(unnamed)"), "\(lines)")
        #expect(try lamina.succeeding("ps", "-a", "--format", "{{.Names}}").outputLines == ["running"])
        let names = ["images", "--format", "{{.Repository}}"]
        #expect(try Set(lamina.succeeding(names).outputLines).isSuperset(of: ["kept", "other"]))
        // With --all the images that no container has, whatever their names.
        let all = try JSONValue(
            parsing: lamina.succeeding("system", "prune", "-af", "--volumes", "--format", "json").outputText)
        #expect(all["untagged"]?.strings.contains("other:latest") == true, "\(all)")
        #expect(all["volumes"]?.array == [])
        #expect(try lamina.succeeding(names).outputLines == ["kept"])
        try lamina.succeeding("rm", "-f", "running")
        let volumes = try JSONValue(
            parsing: lamina.succeeding("system", "prune", "-f", "--volumes", "--format", "json").outputText)
        #expect(volumes["volumes"]?.array?.count == 1, "\(volumes)")
    }
}
