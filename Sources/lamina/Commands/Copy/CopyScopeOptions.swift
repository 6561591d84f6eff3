import ArgumentParser
import Transports

/// The parts of an image that `copy` and `sync` take along.
struct CopyScopeOptions: ParsableArguments {
    @Flag(name: .shortAndLong, help: "Copy all platforms, or fail.")
    var all = false

    @Option(
        parsing: .unconditionalSingleValue,
        help: ArgumentHelp("The platforms to copy, with what is attested of them.", valueName: "os/arch[,os/arch]"))
    var platform: [String] = []

    @Flag(help: "Copy what refers to each image as well: signatures, SBOMs and other artifacts.")
    var referrers = false

    func validate() throws {
        guard !all || platform.isEmpty else { throw ValidationError("--all and --platform contradict each other") }
    }

    func apply(to copy: inout ImageCopy) throws {
        copy.requiresAll = all
        copy.includesReferrers = referrers
        copy.platforms = try PlatformList.platforms(platform)
    }
}
