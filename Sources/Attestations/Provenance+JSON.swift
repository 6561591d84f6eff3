package import OCI

extension Provenance {
    package var predicateType: String {
        switch settings.version {
        case .v1: "https://slsa.dev/provenance/v1"
        case .v02: "https://slsa.dev/provenance/v0.2"
        }
    }

    /// The predicate, its keys in BuildKit's order.
    package var json: JSON { settings.version == .v1 ? predicateV1 : predicateV02 }

    // MARK: v1

    /// Source: https://slsa.dev/spec/v1.0/provenance, and BuildKit's solver/llbsolver/provenance.
    private var predicateV1: JSON {
        .object(
            (
                "buildDefinition",
                .object(
                    (
                        "buildType",
                        .string("https://github.com/moby/buildkit/blob/master/docs/attestations/slsa-definitions.md")
                    ), ("resolvedDependencies", materials.isEmpty ? nil : .array(materials.map(\.json))),
                    (
                        "externalParameters",
                        .object(("configSource", configSource(path: "path")), ("request", request))
                    ), ("internalParameters", .object(("builderPlatform", .string(Platform.host.description)))))
            ),
            (
                "runDetails",
                .object(
                    ("builder", .object(("id", .string(settings.builder)))),
                    (
                        "metadata",
                        .object(
                            ("invocationId", .string(invocationID)), ("startedOn", .string(started.description)),
                            ("finishedOn", .string(finished.description)), ("buildkit_metadata", metadata),
                            ("buildkit_hermetic", isHermetic ? .bool(true) : nil),
                            (
                                "buildkit_completeness",
                                .object(
                                    ("request", .bool(saysAll)), ("resolvedDependencies", .bool(hasAllMaterials)))
                            ),
                            ("buildkit_reproducible", settings.isReproducible ? .bool(true) : nil))
                    ))
            ))
    }

    // MARK: v0.2

    /// Source: https://slsa.dev/spec/v0.2/provenance.
    private var predicateV02: JSON {
        let metadataKey = "https://mobyproject.org/buildkit@v1#metadata"
        return .object(
            ("builder", .object(("id", .string(settings.builder)))),
            ("buildType", .string("https://mobyproject.org/buildkit@v1")),
            ("materials", materials.isEmpty ? nil : .array(materials.map(\.json))),
            (
                "invocation",
                .object(
                    ("configSource", configSource(path: "entryPoint")), ("parameters", request),
                    ("environment", .object(("platform", .string(Platform.host.description)))))
            ),
            (
                "metadata",
                .object(
                    ("buildInvocationID", .string(invocationID)), ("buildStartedOn", .string(started.description)),
                    ("buildFinishedOn", .string(finished.description)),
                    (
                        "completeness",
                        .object(
                            ("parameters", .bool(saysAll)), ("environment", .bool(true)),
                            ("materials", .bool(hasAllMaterials)))
                    ),
                    ("reproducible", .bool(settings.isReproducible)), (metadataKey, metadata),
                    ("https://mobyproject.org/buildkit@v1#hermetic", isHermetic ? .bool(true) : nil))
            ))
    }

    // MARK: Parts

    private func configSource(path key: String) -> JSON {
        let digest = source.material.map { JSON.object(($0.algorithm, .string($0.hex))) }
        return .object(
            ("uri", source.material.map { .string($0.uri) }), ("digest", digest), (key, .string(source.path)))
    }

    private var request: JSON {
        let isFull = settings.mode == .max
        let arguments = isFull ? self.arguments : self.arguments.filter { Self.isKept($0.key) }
        func list(_ ids: [String: Bool]) -> JSON? {
            guard isFull, !ids.isEmpty else { return nil }
            return .array(
                ids.sorted { $0.key < $1.key }.map { id, isOptional in
                    .object(("id", .string(id)), ("optional", isOptional ? .bool(true) : nil))
                })
        }
        let locals = locals.map { JSON.object(("name", .string($0))) }
        return .object(
            ("frontend", .string("dockerfile.v0")), ("args", JSON.sortedMap(arguments)), ("secrets", list(secrets)),
            ("ssh", list(agents)), ("locals", locals.isEmpty ? nil : .array(locals)))
    }

    private var metadata: JSON {
        let isFull = settings.mode == .max
        return .object(
            ("vcs", JSON.sortedMap(checkout)), ("source", isFull ? sourceMap : nil),
            ("layers", isFull ? layersOfSteps : nil))
    }

    /// The Dockerfile, and the lines of each step.
    private var sourceMap: JSON {
        var locations = JSONObject()
        for (index, step) in steps.enumerated() {
            guard let lines = step.lines else { continue }
            let range = JSON.object(
                ("start", .object(("line", .integer(lines.lowerBound)))),
                ("end", .object(("line", .integer(lines.upperBound)))))
            locations["step\(index)"] = .object(
                ("locations", .array([.object(("ranges", .array([range])))])))
        }
        let info = JSON.object(
            ("filename", .string(file.name)), ("language", .string("Dockerfile")),
            ("data", .string(file.base64)))
        return .object(("locations", .object(locations)), ("infos", .array([info])))
    }

    /// The layers of each step that has some, by the step's first result.
    private var layersOfSteps: JSON? {
        var members = JSONObject()
        for (index, step) in steps.enumerated() where step.layerCount > 0 {
            members["step\(index):0"] = .array([.array(layers.prefix(step.layerCount).map(\.json))])
        }
        return members.isEmpty ? nil : .object(members)
    }
}

extension Provenance.Material {
    var json: JSON {
        .object(("uri", .string(uri)), ("digest", .object((algorithm, .string(hex)))))
    }
}
