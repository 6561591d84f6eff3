import ArgumentParser
import Console
import Diagnostics
import Engine
import Images
import OCI

struct RemoveCommand: UserNamespaceCommand {
    static let configuration = CommandConfiguration(
        commandName: "rmi", abstract: "Remove names, and images that have none left.")

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Flag(name: .shortAndLong, help: "Remove an image with all its names; one that is not there is no failure.")
    var force = false

    @Argument(help: ArgumentHelp("Names or IDs.", valueName: "image"))
    var images: [String]

    func run() async throws {
        try await global.run {
            let transfer = try global.images()
            var failure: (any Error)?
            for name in images {
                do {
                    for event in try transfer.remove(name, force: force) {
                        switch event {
                        case .untagged(let name): say("Untagged: \(name.familiar)")
                        case .deleted(let id): say("Deleted: \(id)")
                        }
                    }
                } catch let error as any AnyFailure where force && error.codeName == ImagesCode.imageNotFound.rawValue {
                    ErrorRenderer(isDebug: global.debug).print(error)
                } catch {
                    if failure != nil {
                        ErrorRenderer(isDebug: global.debug).print(error)
                    }
                    failure = failure ?? error
                }
            }
            try transfer.collectGarbage()
            if let failure { throw failure }
        }
    }
}
