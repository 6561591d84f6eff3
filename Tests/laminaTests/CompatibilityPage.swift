@testable import lamina

/// The text of `docs/compatibility.md`.
enum CompatibilityPage {
    static var path: String {
        let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        return "/\(root)/docs/compatibility.md"
    }

    static var text: String {
        var lines = introduction.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        lines += ["", "| flag | of | in `lamina build` |", "|---|---|---|"]
        for flag in BuilderFlags.all {
            let tools = flag.tools.map(\.rawValue).joined(separator: ", ")
            lines.append("| `--\(flag.name)` | \(tools) | \(meaning(of: flag)) |")
        }
        lines += ["", Self.executor, "", "| flag | in `lamina executor` |", "|---|---|"]
        for flag in ExecutorFlags.all { lines.append("| `--\(flag.name)` | \(meaning(of: flag.verdict)) |") }
        lines += ["", Self.containers, "", "| flag | of | in `lamina run` |", "|---|---|---|"]
        for flag in ContainerFlags.all {
            let tools = flag.tools.map(\.rawValue).joined(separator: ", ")
            lines.append("| `--\(flag.name)` | \(tools) | \(meaning(of: flag.verdict)) |")
        }
        lines += ["", Self.leading, "", "| flag | of | in `lamina` |", "|---|---|---|"]
        for entry in LeadingFlags.all {
            let tools = entry.flag.tools.map(\.rawValue).joined(separator: ", ")
            lines.append("| `--\(entry.flag.name)` | \(tools) | \(meaning(of: entry.effect)) |")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static let leading = """
        ## Before the command

        What the tools take before the name of a command, such as `docker --config DIR login` and `buildah --storage-driver vfs
        bud`. `--debug` and `--root` work.
        """

    private static func meaning(of effect: LeadingFlags.Entry.Effect) -> String {
        switch effect {
        case .variable(let name): "means `\(name)=VALUE` in the environment"
        case .verdict(let verdict): meaning(of: verdict)
        }
    }

    private static let containers = """
        ## docker run and podman run

        `lamina run --help` lists the flags that work. Of the others of `docker run`, `docker create` and `podman run`:
        """

    private static let introduction = """
        # Compatibility

        The flags of `docker build`, `docker buildx build`, `buildah build` (`bud`), `podman build` and kaniko's executor, and
        what `lamina build` makes of them. This page is made from the table that the command line uses
        (`Sources/lamina/CommandLine/Compatibility`); a test compares both with each other, and the table with `--help` of
        the tools that are installed.

        A flag works, or is accepted because what it asks for is done anyway, or is refused with the sentence below; the
        exit status is 2 then. A switch that is refused may still be switched off (`--save-stages=false`).

        `--squash` is Docker's and Podman's: the layers that the build makes become one. Buildah's `--squash` takes in those of
        the base image, which is `--squash-all` here. With both flags it is `--squash-all`, as with Podman.
        With `--ignore-path` what a RUN changes there is neither in its layer nor
        seen by later steps; what COPY and ADD write stays. With `--stdin` commands read the standard input, one after the
        other: each takes what it finds, and a step that comes from the cache reads nothing.

        Where tools disagree about a short name, Docker's meaning counts: `-c` is `--cpu-shares`, `-D` is `--debug`, `-f` is
        `--file` and `-v` is `--volume`.

        Commands have the spellings of Docker, Buildah and Podman as well: `lamina image --help`, `lamina buildx --help`,
        `lamina builder --help` and `lamina system --help` list them; `bud` is `build`. `images`, `history`, `inspect`, `df`,
        `version` and `info` take Docker's `--format`, `images` its `--filter` (`reference`, `dangling`, `label`, `before`,
        `since`, `until`) and `image prune` its `--filter` (`until`, `label`). [Containers](containers.md) have Docker's commands,
        `lamina container --help` and `lamina volume --help` list their spellings.
        """

    private static let executor = """
        ## kaniko's executor

        `lamina executor`, and a program file named `executor`, takes kaniko's command line; see
        [Coming from kaniko](ci/kaniko.md). Flags of `lamina build` that kaniko does not have may be added. `-c`, `-d`, `-f`
        and `-v` are `--context`, `--destination`, `--dockerfile` and `--verbosity`.
        """

    private static func meaning(of flag: BuilderFlag) -> String {
        if let option = CommandGrammar.of(["build"])?[flag.name] {
            guard case .other = option.form else { return "works" }
        }
        return meaning(of: flag.verdict)
    }

    private static func meaning(of verdict: BuilderFlag.Verdict) -> String {
        switch verdict {
        case .works: return "works"
        case .means(let words): return "means `\(words.joined(separator: " "))`"
        case .accepted(let reason): return "accepted: \(reason)"
        case .acceptedAs(let values, let reason, let sentence):
            let list = values.filter { !$0.isEmpty }.map { "`\($0)`" }.joined(separator: ", ")
            return "\(list) accepted: \(reason); else refused: \(sentence)"
        case .acceptedElse(let values, let reason, let words):
            let list = values.map { "`\($0)`" }.joined(separator: ", ")
            return "\(list) accepted: \(reason); else means `\(words.joined(separator: " "))`"
        case .refused(let sentence): return "refused: \(sentence)"
        }
    }
}
