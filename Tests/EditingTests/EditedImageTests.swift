import Diagnostics
import Editing
import OCI
import Testing

@Suite struct EditedImageTests {
    private static let time = Timestamp(seconds: 1_700_000_000)

    private static func layer(_ name: String) -> DiffID { DiffID(Digest(of: Array(name.utf8))) }

    /// A config with a layer for each name in capital letters, and an entry without a layer for each other.
    private static func config(_ entries: String...) -> ImageConfig {
        var config = ImageConfig(platform: Platform(os: "linux", architecture: "amd64"))
        for name in entries {
            let isEmpty = name.lowercased() == name
            config.history.append(History(createdBy: name, emptyLayer: isEmpty))
            if !isEmpty { config.diffIDs.append(layer(name)) }
        }
        return config
    }

    private static func image(_ entries: String...) throws -> EditedImage {
        var config = Self.config()
        for name in entries {
            let part = Self.config(name)
            config.history += part.history
            config.diffIDs += part.diffIDs
        }
        return try EditedImage(config, annotations: [:], time: time)
    }

    /// The history, entries that made a layer with a `+`.
    private static func history(_ image: EditedImage) -> [String] {
        image.config.history.map { ($0.emptyLayer ? "" : "+") + $0.createdBy }
    }

    // MARK: Layers

    @Test func `a stripped layer leaves its entry, as one without a layer`() throws {
        var image = try Self.image("A", "env", "B", "C")
        try image.strip(1..<2, by: "strip")
        #expect(image.config.diffIDs == [Self.layer("A"), Self.layer("C")])
        #expect(Self.history(image) == ["+A", "env", "B", "strip", "+C"])
        #expect(image.config.created == Self.time)
    }

    @Test func `squashed layers are one, behind the entries that made them`() throws {
        var image = try Self.image("A", "B", "env", "C", "D")
        try image.squash(1..<3, into: Self.layer("X"), by: "squash")
        #expect(image.config.diffIDs == ["A", "X", "D"].map(Self.layer))
        #expect(Self.history(image) == ["+A", "B", "env", "C", "+squash", "+D"])
    }

    @Test func `an image without history gets one that fits`() throws {
        var config = Self.config("A", "B")
        config.history = []
        var image = try EditedImage(config, annotations: [:], time: Self.time)
        image.append(Self.layer("C"), by: "append")
        #expect(Self.history(image) == ["+", "+", "+append"])
    }

    @Test func `a history of other layers is refused`() {
        var config = Self.config("A", "B")
        config.diffIDs.removeLast()
        #expect(throws: EditingError.self) { try EditedImage(config, annotations: [:], time: Self.time) }
    }

    @Test(arguments: [("3", 2..<3), ("2-4", 1..<4), ("3-", 2..<5), ("1-5", 0..<5), ("5", 4..<5)])
    func `layers are named by numbers`(_ text: String, _ expected: Range<Int>) throws {
        #expect(try LayerRange(parsing: text).indices(of: 5) == expected)
    }

    @Test(arguments: ["", "0", "-1", "a", "3-2", "2-a", "1-2-3", "6", "2-6", "6-", "99999999999999999999"])
    func `what names no layers is refused`(_ text: String) {
        #expect(throws: EditingError.self) { try LayerRange(parsing: text).indices(of: 5) }
    }

    // MARK: Changes

    @Test func `each change is in the config and in the history`() throws {
        var image = try Self.image("A")
        image.config.config.environment = ["PATH=/bin", "A=1"]
        image.config.config.labels = ["old": "1"]
        let changes: [ConfigChange] = [
            .unsetVariable("A"), .setVariable("PATH", "/usr/bin"), .setVariable("B", "x=y"), .unsetLabel("old"),
            .setLabel("new", "2"), .setEntrypoint(["/a", "b"]), .setCommand([]), .setUser("1:2"),
            .setWorkingDirectory("/w"), .addPort("80"), .setAuthor("me"),
        ]
        for change in changes { try image.apply(change) }
        let config = image.config.config
        #expect(config.environment == ["PATH=/usr/bin", "B=x=y"] && config.labels == ["new": "2"])
        #expect(config.entrypoint == ["/a", "b"] && config.command == nil && config.user == "1:2")
        #expect(config.workingDirectory == "/w" && config.exposedPorts == ["80/tcp"] && image.config.author == "me")
        #expect(image.config.history.count == 1 + changes.count)
        #expect(image.config.history[6].createdBy == #"ENTRYPOINT ["/a","b"]"#)
        #expect(image.config.history.dropFirst().allSatisfy { $0.emptyLayer && $0.created == Self.time })
    }

    @Test(arguments: [
        ConfigChange.unsetVariable("A"), .unsetLabel("a"), .setWorkingDirectory("w"), .addPort("x"), .addPort("80/x"),
        .addPort("70000"),
    ])
    func `a change that cannot be made is refused`(_ change: ConfigChange) throws {
        var image = try Self.image("A")
        #expect(throws: EditingError.self) { try image.apply(change) }
    }

    @Test func `a command is a list or a text for the shell`() throws {
        #expect(try ConfigChange.words(#"["a","b c"]"#, option: "--cmd", shell: nil) == ["a", "b c"])
        #expect(try ConfigChange.words("a b", option: "--cmd", shell: nil) == ["/bin/sh", "-c", "a b"])
        #expect(try ConfigChange.words("a b", option: "--cmd", shell: ["bash", "-c"]) == ["bash", "-c", "a b"])
        #expect(try ConfigChange.words("", option: "--cmd", shell: nil) == [])
        #expect(throws: EditingError.self) { try ConfigChange.words("[a]", option: "--cmd", shell: nil) }
    }

    // MARK: Bases

    @Test func `a rebased image has the new base's layers and history below its own`() throws {
        var old = Self.config("A", "cmd")
        old.config.environment = ["PATH=/bin", "OLD=1", "SHARED=1"]
        old.config.command = ["sh"]
        old.config.labels = ["version": "1"]
        var new = Self.config("N", "M", "cmd2")
        new.config.environment = ["PATH=/usr/bin", "NEW=2", "SHARED=2"]
        new.config.command = ["bash"]
        new.config.labels = ["version": "2"]
        var image = try Self.image("A", "cmd", "B", "C")
        image.config.config = old.config
        image.config.config.environment = ["PATH=/bin", "SHARED=own", "MINE=3"]
        image.config.config.labels["mine"] = "1"
        try image.rebase(from: old, onto: new, by: "rebase")
        #expect(image.config.diffIDs == ["N", "M", "B", "C"].map(Self.layer))
        #expect(Self.history(image) == ["+N", "+M", "cmd2", "+B", "+C", "rebase"])
        #expect(image.config.config.environment == ["PATH=/usr/bin", "NEW=2", "SHARED=own", "MINE=3"])
        #expect(image.config.config.command == ["bash"])
        #expect(image.config.config.labels == ["version": "2", "mine": "1"])
    }

    @Test func `the old base's own entries are not repeated`() throws {
        let old = Self.config("A", "env", "cmd")
        var image = try Self.image("A", "env", "cmd", "own", "B")
        try image.rebase(from: old, onto: Self.config("N"), by: "rebase")
        #expect(Self.history(image) == ["+N", "own", "+B", "rebase"])
    }

    @Test func `an image with another base is refused`() throws {
        var image = try Self.image("A", "B")
        let error = #expect(throws: EditingError.self) {
            try image.rebase(from: Self.config("A", "X"), onto: Self.config("N"), by: "rebase")
        }
        #expect(error?.message.contains("layer 2") == true)
    }
}
