import Diagnostics
import DockerfileSyntax
import OCI

/// The variables that FROM sees: the platforms, and the ARGs before the first FROM.
struct GlobalScope: Sendable {
    private(set) var environment = Environment()
    /// All names FROM may use, with a value or without.
    private(set) var declared: [String] = []

    /// `buildArgument` gives the values that replace defaults, and `platforms` those of the automatic variables.
    init(
        _ dockerfile: Dockerfile, _ options: BuildOptions, expander: WordExpander,
        platforms: (String) -> String?, buildArgument: (String) -> String?
    ) throws {
        for (name, value) in Self.automatic(dockerfile, options) {
            environment.set(name, to: platforms(name) ?? value)
            declared.append(name)
        }
        for instruction in dockerfile.globalArguments {
            guard case .arg(let declarations) = instruction.kind else { continue }
            for declaration in declarations {
                declared.append(declaration.name)
                if let value = buildArgument(declaration.name) {
                    environment.set(declaration.name, to: value)
                } else if let value = declaration.defaultValue {
                    let scope = environment
                    let text = try locating(instruction, in: options.fileName) {
                        try expander.expand(value, environment: { scope[$0] }).text
                    }
                    environment.set(declaration.name, to: text)
                }
                try locating(instruction, in: options.fileName) { try environment.checkSize() }
            }
        }
    }

    /// The value that a stage gets by declaring the name; the build platform is the target's, or a compatible one.
    private static func automatic(_ dockerfile: Dockerfile, _ options: BuildOptions) -> [(String, String)] {
        let platforms = [("BUILD", Platform.host), ("TARGET", options.platform)]
        let variables = platforms.flatMap { prefix, platform in
            [
                (prefix + "PLATFORM", platform.description), (prefix + "OS", platform.os), (prefix + "OSVERSION", ""),
                (prefix + "ARCH", platform.architecture), (prefix + "VARIANT", platform.variant),
            ]
        }
        let target = options.target.flatMap { $0.isEmpty ? nil : $0 }
        return variables + [("TARGETSTAGE", target ?? dockerfile.stages.last?.name ?? "default")]
    }

    /// The moment that stands for the time of the build, in seconds since 1970.
    func epoch(_ options: BuildOptions) throws -> Int64? {
        let name = EpochSource.name
        // What names a source is resolved before; a local context has no time.
        guard let text = options.buildArgument(name) ?? environment[name], !text.isEmpty, text != "context" else {
            return nil
        }
        guard let seconds = Int64(text) else { throw EpochSource.invalid(text) }
        return seconds
    }
}

/// Runs `body`, and gives its errors the lines of `instruction`.
func locating<Result>(
    _ instruction: Instruction, in file: String, _ body: () throws -> Result
) throws -> Result {
    do {
        return try body()
    } catch let error as DockerfileError {
        throw FrontendError(
            .invalid, error.message,
            at: Diagnostics.SourceRange(file: file, lines: (error.range ?? instruction.range).lines), cause: error)
    } catch let error as any AnyFailure {
        throw error.located(at: Diagnostics.SourceRange(file: file, lines: instruction.range.lines))
    }
}
