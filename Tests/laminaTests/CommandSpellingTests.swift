import Testing

@testable import lamina

@Suite struct CommandSpellingTests {
    @Test(arguments: [
        ("image ls -q", "images --quiet"), ("image list", "images"), ("image rm -f x", "rmi --force x"),
        ("image history x", "history x"), ("image inspect -f {{.Id}} x", "inspect --type=image --format={{.Id}} x"),
        ("image save -o f x", "save --output=f x"), ("image build -t x .", "build --tag=x ."),
        ("image prune -af", "image prune --all --force"), ("-D image ls", "images --debug"),
        ("bud --layers -f F .", "build --file=F ."), ("build-using-dockerfile .", "build ."),
        ("buildx build --load .", "build --output=type=docker ."), ("buildx b .", "build ."),
        ("builder prune -f", "prune --force"), ("buildx du", "df --verbose"),
        ("builder du --format json", "df --verbose --format=json"),
        ("system df -v", "df --verbose"), ("system prune -af", "system prune --all --force"),
        ("system info -f {{.NCPU}}", "info --format={{.NCPU}}"), ("container run -i x sh", "run --interactive x sh"),
        ("container ls -aq", "ps --all --quiet"), ("container rm -f x", "rm --force x"),
        ("container exec -it x sh -c true", "exec --interactive --tty x sh -c true"),
        ("container prune -f", "container prune --force"),
        ("container inspect x", "inspect --type=container x"), ("container export x", "export x"),
        ("buildx create --use --name x", "buildx create --use --name=x"), ("buildx use x", "buildx use x"),
        ("buildx create --driver docker-container --driver-opt network=host", "buildx create"),
        ("buildx inspect --bootstrap", "buildx inspect --bootstrap"), ("buildx rm x", "buildx rm x"),
        ("volume list -q", "volume ls --quiet"),
        ("run --rm=false x", "run --no-rm x"),
        ("run -dp 80:80 -v a:/b x", "run --detach --publish=80:80 --volume=a:/b x"),
        ("logs -fn 5 x", "logs --follow --tail=5 x"),
        ("buildx history ls -q", "builds ls --quiet"), ("buildx ls", "buildx ls"), ("buildx version", "version"),
        ("push x", "push x"), ("push --format json x", "push --format=json x"),
        ("push x docker://y/x:1", "copy x docker://y/x:1"), ("push x y/x:1", "copy x docker://y/x:1"),
        (
            "push --tls-verify=false --digestfile d y/x:1 docker://y/x:1",
            "copy --no-tls-verify --digestfile=d y/x:1 docker://y/x:1"
        ),
        ("push --digestfile=d y/x", "copy --digestfile=d y/x docker://y/x"),
        ("push -f v2s2 --creds a:b y/x", "copy --format=v2s2 --dest-creds=a:b y/x docker://y/x"),
        ("push --compression-format zstd x dir:/d", "copy --dest-compress-format=zstd x dir:/d"),
        ("push containers-storage:x oci:d", "copy x oci:d"), ("push --all --remove-signatures x", "push x"),
        ("image --help", "image --help"), ("buildx -h", "buildx -h"), ("help image", "help image"),
        ("images -f dangling=true -q", "images --filter=dangling=true --quiet"), ("untag x", "rmi x"),
    ])
    func spellingsOfOtherToolsAreCommands(_ words: String, _ expected: String) throws {
        let normalized = try CommandLineNormalizer.normalized(words.split(separator: " ").map(String.init))
        #expect(normalized == expected.split(separator: " ").map(String.init))
        #expect(try CommandLineNormalizer.normalized(normalized) == normalized)
    }

    @Test(arguments: [
        ("swarm init", "'swarm' is not there: lamina runs containers on this machine only"),
        (
            "attach x",
            "'attach' is not there: use 'lamina logs -f' to see what a container writes, and 'lamina exec -it' for a shell in it"
        ),
        (
            "buildx create --driver kubernetes",
            "--driver=kubernetes is not there: builds run on this machine; leave it out"
        ),
        ("bake", "'bake' is not there: bake files are not read yet"),
        (
            "context use default",
            "'context use' is not there: there is no daemon, so there are no contexts to choose from: leave it out"
        ),
        ("container top x", "'container top' is not there: use 'lamina exec CONTAINER ps'"),
        ("builder prune --volumes", "--volumes is not there: remove volumes with 'lamina volume prune'"),
        ("nope", "unknown command 'nope'\nSee 'lamina --help' for the commands."),
        ("psuh", "unknown command 'psuh'; did you mean 'push'?\nSee 'lamina --help' for the commands."),
        (
            "image prun",
            "unknown command 'image prun'; did you mean 'prune'?\nSee 'lamina image --help' for the commands."
        ),
        (
            "image inspekt",
            "unknown command 'image inspekt'; did you mean 'inspect'?\nSee 'lamina image --help' for the commands."
        ),
    ])
    func whatIsNotThereHasASentence(_ words: String, _ message: String) {
        let error = #expect(throws: CommandLineError.self) {
            try CommandLineNormalizer.normalized(words.split(separator: " ").map(String.init))
        }
        #expect(error?.message == message)
    }

    @Test func everySpellingMeansACommandThatIsThere() throws {
        for group in ["image", "builder", "buildx", "system", "container", "volume"] {
            let lines = CommandSpellings.list(of: group).split(separator: "\n")
            #expect(!lines.isEmpty)
            for line in lines {
                let words = try #require(line.firstRange(of: "  lamina ")).upperBound
                let command = line[words...].split(separator: " ").map(String.init)
                #expect(CommandGrammar.of(command.filter { !$0.hasPrefix("-") }) != nil, "\(line)")
            }
        }
    }
}
