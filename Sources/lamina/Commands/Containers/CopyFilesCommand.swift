import ArgumentParser
import Containers
import Diagnostics
import Images
import Store

struct CopyFilesCommand: ContainerFilesCommand {
    static let configuration = CommandConfiguration(
        commandName: "cp", abstract: "Copy files between a container and this machine.",
        discussion: """
            One of the two is CONTAINER:PATH. In place of the other, - is a tar archive on the standard output or input. A \
            directory is copied into one that exists, and else gets the name of the target; DIR/. is all that is in it. \
            For files of images see 'lamina extract', for images themselves 'lamina copy'.
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Flag(name: .shortAndLong, help: "Keep the owners of files.")
    var archive = false

    @Flag(name: [.customShort("L"), .customLong("follow-link")], help: "Copy what a link leads to.")
    var followsLink = false

    @Flag(name: .shortAndLong, help: "Accepted, as it is always so: nothing is printed.")
    var quiet = false

    @Argument(help: ArgumentHelp("CONTAINER:PATH, a path, or -.", valueName: "source"))
    var source: String

    @Argument(help: ArgumentHelp("A path, CONTAINER:PATH, or -.", valueName: "target"))
    var target: String

    func validate() throws {
        guard (Self.split(source) == nil) != (Self.split(target) == nil) else {
            throw ValidationError("exactly one of source and target must be CONTAINER:PATH")
        }
    }

    /// The container and the path; `nil` for a path of this machine.
    static func split(_ text: String) -> (container: String, path: String)? {
        guard !text.hasPrefix("/"), !text.hasPrefix("."), let colon = text.firstIndex(of: ":"), colon > text.startIndex
        else { return nil }
        let path = String(text[text.index(after: colon)...])
        return (String(text[..<colon]), path.hasPrefix("/") ? path : "/\(path)")
    }

    private static func place(_ text: String) -> ContainerCopy.Place {
        if let (_, path) = split(text) { return .container(path) }
        return text == "-" ? .stream : .host(text)
    }

    func run() async throws {
        try await global.run { [global, source, target, archive, followsLink] in
            let images = try global.images()
            guard let name = (Self.split(source) ?? Self.split(target))?.container else { return }
            var copy = ContainerCopy(try ContainerStore(images.store).find(name), images: images)
            copy.keepsOwners = archive
            copy.followsLinks = followsLink
            try await copy.copy(Self.place(source), to: Self.place(target))
        }
    }
}
