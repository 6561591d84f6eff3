import Diagnostics
import DockerfileSyntax
import LazyLayers
import OCI
import SystemPackage
import Trees

extension BuildOutput {
    /// Parses the argument of `--output`: a directory, `-`, or `type=TYPE,KEY=VALUE,…`.
    ///
    /// Images get the form that `settings` say, where the argument does not say otherwise.
    /// - Throws: ``RequestsError`` `.badOutput` for a type or an attribute that is not known here, or a value that is none.
    package static func parse(_ text: String, _ settings: ImageSettings = ImageSettings()) throws -> BuildOutput {
        let fields = try CommaSeparated.fields(text)
        if fields.count == 1, !text.contains("=") { return text == "-" ? .tar("-") : .directory(FilePath(text)) }
        var attributes = try OutputAttributes(fields)
        let output = try output(&attributes, settings)
        try attributes.requireEmpty()
        return output
    }

    private static func output(
        _ attributes: inout OutputAttributes, _ settings: ImageSettings
    ) throws -> BuildOutput {
        switch attributes.type {
        case "oci":
            let isArchive = try attributes.flag("tar") ?? true
            return .oci(
                try attributes.destination(), isArchive: isArchive, try ImageSettings(&attributes, settings))
        case "docker":
            let settings = try ImageSettings(&attributes, settings)
            guard attributes.has("dest") else { return .store(settings) }
            guard try attributes.flag("tar") ?? true else {
                throw RequestsError(
                    .badOutput, "--output type=docker writes an archive, and no directory",
                    hint: "Use type=oci,tar=false for a directory.")
            }
            return .dockerArchive(try attributes.destination(), settings)
        case "local":
            let path = try attributes.destination()
            let mode = attributes.take("mode") ?? "copy"
            guard mode == "copy" || mode == "delete" else {
                throw RequestsError(
                    .badOutput, "--output type=local does not take mode=\(mode)", hint: "Use mode=copy or mode=delete.")
            }
            return .directory(path, deletesOthers: mode == "delete")
        case "tar": return .tar(try attributes.destination())
        case "image", "registry":
            let pushes = try attributes.flag("push") ?? (attributes.type == "registry")
            let settings = try ImageSettings(&attributes, settings, isStored: true)
            return pushes ? .push(settings) : .store(settings)
        case "cacheonly": return .none
        default:
            throw RequestsError(
                .badOutput, "unknown output type '\(attributes.type)'",
                hint: "Use one of oci, docker, local, tar, image, registry and cacheonly.")
        }
    }
}

extension ImageSettings {
    /// Takes the attributes of an image in place of what `defaults` say; with `isStored` those for names as well.
    fileprivate init(
        _ attributes: inout OutputAttributes, _ defaults: ImageSettings, isStored: Bool = false
    ) throws {
        self = defaults
        usesOCITypes = try attributes.flag("oci-mediatypes") ?? usesOCITypes
        attestsWithArtifacts = try attributes.flag("oci-artifact") ?? attestsWithArtifacts
        try layers.take(&attributes)
        if let clamps = try attributes.flag("rewrite-timestamp") { times = clamps ? .clamped : .kept }
        epoch = try attributes.take("source-date-epoch").map(OutputAttributes.epoch) ?? epoch
        annotations += try attributes.takeAnnotations()
        // Facts about the builder that BuildKit has given up.
        _ = attributes.take("buildinfo")
        _ = attributes.take("buildinfo-attrs")
        if try attributes.flag("prefer-nondist-layers") == true {
            throw attributes.unsupported("prefer-nondist-layers")
        }
        try naming.take(&attributes, isStored: isStored)
        let names = attributes.take("name")?.split(separator: ",").map(String.init) ?? []
        self.names += try names.map { try naming.reference($0) }
        try check(attributes)
    }

    private func check(_ attributes: OutputAttributes) throws {
        guard usesOCITypes || annotations.isEmpty else {
            throw RequestsError(
                .badOutput, "cannot export annotations with \"oci-mediatypes=false\"",
                hint: "Docker's manifests have none: leave the annotations out.")
        }
        guard usesOCITypes || attestsWithArtifacts != true else {
            throw RequestsError(
                .badOutput, "oci-artifact=true contradicts oci-mediatypes=false", hint: "Leave one of them out.")
        }
        if times == .clamped, attributes.unpacks {
            throw RequestsError(
                .badOutput, "\"rewrite-timestamp\" conflicts with \"unpack\"", hint: "Leave unpack=true out.")
        }
    }
}

extension LayerSettings {
    fileprivate mutating func take(_ attributes: inout OutputAttributes) throws {
        if let name = attributes.take("compression") { try setCompression(name) }
        if let level = attributes.take("compression-level") { try setLevel(level) }
        isForced = try attributes.flag("force-compression", bareMeans: true) ?? isForced
    }

    /// Throws ``RequestsError`` `.badOutput` for a name that is none of a compression.
    package mutating func setCompression(_ name: String) throws {
        format = LazyFormat(rawValue: name)
        switch name {
        case "gzip": compression = .gzip
        case "zstd": compression = .zstd
        case "uncompressed": compression = Compression.none
        default:
            guard let format else {
                throw RequestsError(
                    .badOutput, "unknown compression '\(name)'",
                    hint: "Use gzip, zstd, estargz, zstd:chunked or uncompressed.")
            }
            compression = format.compression
        }
        level = nil
    }

    /// Throws ``RequestsError`` `.badOutput` for what is no level of the compression.
    package mutating func setLevel(_ text: String) throws {
        let levels: ClosedRange<Int>
        switch compression ?? .gzip {
        case .gzip: levels = -1...9
        case .zstd: levels = 0...22
        case .none:
            throw RequestsError(.badOutput, "layers without compression have no level", hint: "Leave the level out.")
        }
        guard let number = Int(text), levels.contains(number) else {
            throw RequestsError(
                .badOutput, "'\(text)' is not a level of \((compression ?? .gzip).rawValue)",
                hint: "Use a number from \(levels.lowerBound) to \(levels.upperBound).")
        }
        // Each format has a number that stands for its usual level.
        level = number == (compression == .zstd ? 0 : -1) ? nil : number
        compression = compression ?? .gzip
    }
}

extension ImageNaming {
    fileprivate mutating func take(_ attributes: inout OutputAttributes, isStored: Bool) throws {
        guard isStored else { return }
        isPushedByDigest = try attributes.flag("push-by-digest") ?? false
        isCanonical = try attributes.flag("name-canonical") ?? false
        danglingPrefix = try attributes.take("dangling-name-prefix").map { text in
            try ImageReference(parsing: text).with(tag: nil, digest: nil)
        }
        // BuildKit spells it so.
        danglesUnnamedOnly = try attributes.flag("danging-name-empty-only") ?? false
        attributes.unpacks = try attributes.flag("unpack") ?? false
        guard try attributes.flag("store") ?? true else {
            throw RequestsError(
                .badOutput, "--output type=\(attributes.type) always keeps the image in the store",
                hint: "Leave store=false out, and remove the image afterwards.")
        }
        isInsecure = try attributes.flag("registry.insecure") ?? false
    }

    /// A name of the output: one with a tag or, for a push by digest, one without.
    fileprivate func reference(_ text: String) throws -> ImageReference {
        let reference = try ImageReference(parsing: text)
        guard reference.digest == nil else {
            throw RequestsError(.badOutput, "invalid tag \"\(text)\": a name of a build has no digest")
        }
        guard isPushedByDigest else { return reference }
        guard
            !text.split(separator: "/", omittingEmptySubsequences: false).suffix(1).contains(where: { $0.contains(":") }
            )
        else { throw Self.tagged(text) }
        return reference.with(tag: nil, digest: nil)
    }

    package static func tagged(_ name: String) -> RequestsError {
        RequestsError(.badOutput, "can't push tagged ref \(name) by digest", hint: "Name the repository with name=.")
    }
}
