import Inspector
import Layers
import Linux
import OCI

/// Steps that install packages and come after a COPY which they do not need: each change of the copied files makes their
/// layers anew.
struct StepOrder {
    /// A step with the COPY that it could stand before.
    struct Finding: Hashable {
        let layer: Int
        let copy: Int
    }

    private let image: InspectedImage
    private let origins: [LayerOrigin?]

    init(_ image: InspectedImage, _ origins: [LayerOrigin?]) {
        self.image = image
        self.origins = origins
    }

    /// The findings, bottom first. Only steps whose lines are known are looked at: the history of an image does not tell
    /// where COPY took its files from.
    func findings() -> [Finding] {
        image.analysis.layers.indices.compactMap { layer in
            guard let text = text(of: layer), Self.isInstallation(text) else { return nil }
            return copiesBefore(layer).last.map { Finding(layer: layer, copy: $0) }
        }
    }

    /// The source of a step of this build; `nil` for layers of the base, and where no line is known.
    func text(of layer: Int) -> String? {
        guard origins.indices.contains(layer), let origin = origins[layer], !origin.isBase else { return nil }
        return origin.text
    }

    /// The steps that copy files of the context and that a step could change places with, as far as what they copy does not
    /// matter to it: the next below it first.
    func copiesBefore(_ layer: Int) -> [Int] {
        var copies: [Int] = []
        for other in stride(from: layer - 1, through: 0, by: -1) {
            guard let below = text(of: other), !changesSettings(other, other + 1) else { break }
            if isCopyOfContext(other, below) {
                copies.append(other)
            } else if !Self.isInstallation(below), !below.uppercased().hasPrefix("WORKDIR ") {
                break
            }
        }
        return copies
    }

    /// Whether a step between two layers changes the user, the environment or the shell of a RUN behind it.
    private func changesSettings(_ lower: Int, _ upper: Int) -> Bool {
        var layer = -1
        for step in image.config.history {
            if !step.emptyLayer { layer += 1 }
            guard step.emptyLayer, layer >= lower, layer < upper else { continue }
            let text = step.createdBy.replacing("/bin/sh -c #(nop) ", with: "")
            let word = text.drop { $0 == " " }.prefix { $0 != " " }
            if ["USER", "ENV", "ARG", "SHELL"].contains(word) { return true }
        }
        return false
    }

    // MARK: COPY

    /// The directories that package managers read or write.
    private static let ownDirectories: Set<String> = [
        "etc", "usr", "var", "lib", "lib64", "bin", "sbin", "root", "opt", "run", "tmp",
    ]

    /// Whether a step copies files of the context to places that no package manager looks at.
    private func isCopyOfContext(_ layer: Int, _ text: String) -> Bool {
        let words = text.split { $0 == " " || $0 == "\t" || $0 == "\n" }
        guard let word = words.first, ["COPY", "ADD"].contains(word.uppercased()),
            !words.contains(where: { $0.hasPrefix("--from") || $0.contains("://") || $0.hasPrefix("git@") })
        else { return false }
        return image.tree.entries(of: layer).allSatisfy { entry in
            let top = entry.path.bytes.prefix { $0 != UInt8(ascii: "/") }
            let isInside = top.count < entry.path.bytes.count
            let name = String(decoding: top, as: UTF8.self)
            // Sources have their own place in the directories of the system.
            if entry.path.bytes.starts(with: "usr/src/".utf8) || entry.path == "usr" || entry.path == "usr/src" {
                return isInside || entry.kind == .directory
            }
            // A directory that the step only goes through is no change.
            return (isInside || entry.kind == .directory) && !Self.ownDirectories.contains(name)
        }
    }

    // MARK: RUN

    /// Whether a RUN consists of commands that install packages by their names, and of those that clean up after them.
    static func isInstallation(_ text: String) -> Bool {
        guard let commands = ShellCommands.commands(ofRun: text) else { return false }
        return commands.allSatisfy(isHarmless) && commands.contains(where: installs)
    }

    private static let managers: [String: Set<String>] = [
        "apt-get": ["install"], "apt": ["install"], "apk": ["add"], "dnf": ["install"], "yum": ["install"],
        "microdnf": ["install"], "zypper": ["install"], "pip": ["install"], "pip3": ["install"], "gem": ["install"],
    ]
    private static let fileOptions = [
        "-r", "-c", "-e", "-t", "--requirement", "--constraint", "--editable", "--target",
    ]
    private static let upkeep: Set<String> = [
        "update", "upgrade", "dist-upgrade", "clean", "autoclean", "autoremove", "makecache", "refresh",
    ]

    /// The verb of a package manager's command.
    private static func verb(_ words: [String]) -> String? { words.dropFirst().first { !$0.hasPrefix("-") } }

    private static func installs(_ words: [String]) -> Bool {
        guard let verbs = managers[words[0]], let verb = verb(words) else { return false }
        return verbs.contains(verb)
    }

    /// Whether a command installs packages by their names, or cleans up after that.
    static func isHarmless(_ words: [String]) -> Bool {
        if words[0] == "set" { return true }
        if words[0] == "rm" {
            let paths = words.dropFirst().filter { !$0.hasPrefix("-") }
            return paths.allSatisfy { path in
                ["/var/lib/apt/", "/var/cache/", "/root/.cache"].contains(where: path.hasPrefix) && !path.contains("..")
            }
        }
        guard let verbs = managers[words[0]], let verb = verb(words), verbs.contains(verb) || upkeep.contains(verb)
        else { return false }
        // Files, and options that take one.
        return !words.dropFirst().contains { word in
            word.hasPrefix(".") || word.contains("/") || fileOptions.contains { word == $0 || word.hasPrefix($0 + "=") }
        }
    }
}
