import Testing

@testable import lamina

/// The flags of other tools' commands for containers.
@Suite struct ContainerFlagTests {
    private static func normalized(_ words: String) throws -> [String] {
        try CommandLineNormalizer.normalized(words.split(separator: " ").map(String.init))
    }

    @Test func namesAreThereOnce() {
        let names = ContainerFlags.all.map(\.name)
        #expect(names.count == Set(names).count, "\(Dictionary(grouping: names) { $0 }.filter { $1.count > 1 }.keys)")
    }

    /// A flag of the parser in the table would mislead its reader.
    @Test(arguments: ContainerFlags.all)
    func theTableHasNoOptionOfTheParser(_ flag: BuilderFlag) throws {
        let option = try #require(CommandGrammar.of(["run"])?[flag.name])
        guard case .other = option.form else {
            Issue.record("--\(flag.name) is an option")
            return
        }
    }

    @Test(arguments: [
        "run --pid=private --ipc shareable --uts= --log-driver json-file --sig-proxy=true --runtime=runc image x",
        "create --expose 80 --volume-driver=local --oom-kill-disable=false --publish-all=false image x",
        "run --disable-content-trust image x",
    ])
    func whatIsDoneAnywayIsAccepted(_ words: String) throws {
        #expect(try Self.normalized(words).dropFirst() == ["image", "x"])
    }

    @Test(arguments: [
        (
            "run --pid host i",
            "--pid=host is not there: a command has a namespace of its own; lamina exec runs another one beside it"
        ),
        (
            "run --gpus all i",
            "--gpus=all is not there: give the nodes of the processor with --device, such as /dev/dri/renderD128"
        ),
        (
            "create --health-cmd=true i",
            "--health-cmd=true is not there: no health checks are run; ask with lamina exec whether the command is well"
        ),
        ("run --memory-swappiness", "--memory-swappiness needs a value"),
        (
            "run --replace i",
            "--replace is not there: remove the other container with lamina rm -f, and an image with lamina rmi"
        ),
        (
            "exec --detach-keys ctrl-a c true",
            "--detach-keys=ctrl-a is not there: a command in the foreground ends with its caller; use -d to leave it behind"
        ),
        ("volume create -d nfs v", "--driver=nfs is not there: volumes are in the store"),
    ])
    func refusalsAreOneSentence(_ words: String, _ message: String) {
        let error = #expect(throws: CommandLineError.self) { try Self.normalized(words) }
        #expect(error?.message == message)
    }

    @Test(arguments: [
        "docker run", "docker create", "podman run", "docker exec", "docker logs", "docker stop", "docker rm",
        "docker kill", "docker cp", "docker commit", "docker start", "docker restart", "docker images", "docker rmi",
        "docker save", "docker load", "docker history", "docker inspect", "docker push", "docker pull", "docker login",
        "docker ps", "docker volume rm", "docker volume ls", "docker volume prune", "docker volume create",
        "docker container prune", "docker image prune", "docker info", "docker version",
    ])
    func noFlagOfAnInstalledToolIsUnknown(_ command: String) throws {
        guard let help = InstalledHelp(ofCommand: command) else { return }
        #expect(!help.flags.isEmpty)
        let grammar = try #require(CommandGrammar.of(Array(command.split(separator: " ").dropFirst().map(String.init))))
        // Clusters of machines have volumes of other kinds.
        let ofClusters: Set = [
            "availability", "cluster", "group", "limit-bytes", "required-bytes", "scope", "secret", "sharing",
            "topology-preferred", "topology-required", "type",
        ]
        for (name, form) in help.flags where !command.contains("volume") || !ofClusters.contains(name) {
            let option = try #require(grammar[name], "\(command) has --\(name)")
            guard case .other(let flag) = option.form else { continue }
            #expect(flag.form == form, "\(command) --\(name)")
        }
    }
}
