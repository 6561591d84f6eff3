import Diagnostics
import DockerfileSyntax
import Layers
import OCI
import Registry
import SystemPackage

extension CacheImport {
    /// Parses the argument of `--cache-from`: the name of an image, or `type=TYPE,KEY=VALUE,…`.
    ///
    /// Throws ``RequestsError`` `.badCache`, or what is wrong with the name.
    package static func parse(_ text: String, environment: [String: String]) throws -> CacheImport {
        var attributes = try CacheAttributes(text, option: "--cache-from")
        let result: CacheImport
        switch attributes.type {
        case "registry":
            let reference = try ImageReference(parsing: try attributes.required("ref"))
            result = .registry(reference, isInsecure: try attributes.flag("registry.insecure") ?? false)
        case "local":
            result = .local(
                FilePath(try attributes.required("src")), tag: attributes.take("tag") ?? "latest",
                digest: try attributes.take("digest").map { try Digest(parsing: $0) })
        case "inline":
            throw RequestsError(
                .badCache, "--cache-from has no type inline",
                hint: "Name the image that has the cache: --cache-from NAME.")
        case "s3": result = .s3(try S3Cache(&attributes, environment: environment))
        default: throw attributes.unknownType("registry, local and s3")
        }
        try attributes.requireEmpty()
        return result
    }
}

extension CacheExport {
    /// Parses the argument of `--cache-to`: the name of an image, or `type=TYPE,KEY=VALUE,…`.
    ///
    /// Throws ``RequestsError`` `.badCache`, or what is wrong with the name.
    package static func parse(_ text: String, environment: [String: String]) throws -> CacheExport {
        var attributes = try CacheAttributes(text, option: "--cache-to")
        var result: CacheExport
        switch attributes.type {
        case "registry":
            let reference = try ImageReference(parsing: try attributes.required("ref"))
            let isInsecure = try attributes.flag("registry.insecure") ?? false
            result = CacheExport(.registry(reference, isInsecure: isInsecure))
        case "local":
            result = CacheExport(
                .local(FilePath(try attributes.required("dest")), tag: attributes.take("tag") ?? "latest"))
        case "inline": result = CacheExport(.inline)
        case "s3": result = CacheExport(.s3(try S3Cache(&attributes, environment: environment)))
        default: throw attributes.unknownType("registry, local, inline and s3")
        }
        try result.take(&attributes)
        try attributes.requireEmpty()
        return result
    }

    private mutating func take(_ attributes: inout CacheAttributes) throws {
        switch attributes.take("mode") {
        case nil, "min": includesAll = false
        case "max" where target == .inline:
            throw RequestsError(
                .badCache, "an inline cache holds what the image consists of, and cannot have mode=max",
                hint: "Use --cache-to type=registry for all steps.")
        case "max": includesAll = true
        case let mode?:
            throw RequestsError(.badCache, "'\(mode)' is not a mode of --cache-to", hint: "Use min or max.")
        }
        ignoresErrors = try attributes.flag("ignore-error") ?? false
        if target == .inline { return }
        compression = try Self.compression(&attributes)
        forcesCompression = try attributes.flag("force-compression") ?? false
        usesOCITypes = try attributes.flag("oci-mediatypes") ?? true
        guard try attributes.flag("image-manifest") ?? usesOCITypes else {
            throw RequestsError(
                .badCache, "a cache is written as an image manifest, and not as an index",
                hint: "Leave image-manifest=false and oci-mediatypes=false out.")
        }
    }

    private static func compression(_ attributes: inout CacheAttributes) throws -> CompressionOptions {
        let name = attributes.take("compression") ?? "gzip"
        let compressions: [String: Compression] = ["gzip": .gzip, "zstd": .zstd, "uncompressed": .none]
        guard let compression = compressions[name] else {
            throw RequestsError(
                .badCache, "'\(name)' is not a compression of caches", hint: "Use gzip, zstd or uncompressed.")
        }
        let levels = compression == .zstd ? 0...22 : 0...9
        guard let text = attributes.take("compression-level") else { return CompressionOptions(compression) }
        guard let level = Int(text), levels.contains(level) else {
            throw RequestsError(
                .badCache, "'\(text)' is not a level of \(name)",
                hint: "Use a number from \(levels.lowerBound) to \(levels.upperBound).")
        }
        return CompressionOptions(compression, level: level)
    }
}

extension S3Cache {
    /// Takes the attributes of a bucket, or what the environment says in their place.
    fileprivate init(_ attributes: inout CacheAttributes, environment: [String: String]) throws {
        func variable(_ names: String...) -> String? {
            names.lazy.compactMap { environment[$0] }.first { !$0.isEmpty }
        }
        guard let name = attributes.take("bucket") ?? variable("AWS_BUCKET"), !name.isEmpty else {
            throw attributes.missing("bucket")
        }
        guard let region = attributes.take("region") ?? variable("AWS_REGION", "AWS_DEFAULT_REGION"), !region.isEmpty
        else { throw attributes.missing("region") }
        let prefix = attributes.take("prefix") ?? ""
        bucket = S3Bucket(
            name: name, region: region,
            endpoint: attributes.take("endpoint_url") ?? variable("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"),
            usesPathStyle: try attributes.flag("use_path_style") ?? false,
            blobPrefix: prefix + (attributes.take("blobs_prefix") ?? "blobs/"))
        manifestPrefix = prefix + (attributes.take("manifests_prefix") ?? "manifests/")
        names = (attributes.take("name") ?? "lamina").split(separator: ";").map(String.init)
        guard !names.isEmpty else { throw attributes.missing("name") }
        let (key, secret) = (attributes.take("access_key_id"), attributes.take("secret_access_key"))
        let token = attributes.take("session_token")
        guard (key == nil) == (secret == nil) else {
            throw attributes.missing(key == nil ? "access_key_id" : "secret_access_key")
        }
        if let key, let secret { credentials = S3Credentials(accessKey: key, secretKey: secret, sessionToken: token) }
        _ = try bucket.url(of: "")
    }
}

/// The words of one `--cache-from` or `--cache-to`, each to be taken once.
package struct CacheAttributes {
    package let option: String
    package let type: String
    private var values: [String: String] = [:]

    package init(_ text: String, option: String) throws {
        self.option = option
        let fields = text.isEmpty ? [] : try CommaSeparated.fields(text)
        if !text.contains("=") {
            guard fields.count == 1, !text.isEmpty else {
                throw RequestsError(.badCache, "invalid value '\(text)' in \(option)", hint: "Write one name.")
            }
            type = "registry"
            values["ref"] = text
            return
        }
        for field in fields {
            let parts = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2 else {
                throw RequestsError(.badCache, "invalid value '\(field)' in \(option)", hint: "Write it as key=value.")
            }
            values[parts[0].lowercased()] = parts[1]
        }
        guard let type = values.removeValue(forKey: "type") else {
            throw RequestsError(.badCache, "\(option) needs a type", hint: "Write it as type=registry,ref=NAME.")
        }
        self.type = type
    }

    package mutating func take(_ name: String) -> String? { values.removeValue(forKey: name) }

    package mutating func required(_ name: String) throws -> String {
        guard let value = take(name), !value.isEmpty else { throw missing(name) }
        return value
    }

    package func missing(_ name: String) -> RequestsError {
        RequestsError(.badCache, "\(option) type=\(type) needs \(name)", hint: "Add \(name)=….")
    }

    package mutating func flag(_ name: String) throws -> Bool? {
        switch take(name)?.lowercased() {
        case nil: return nil
        case "true", "1", "": return true
        case "false", "0": return false
        case let value?:
            throw RequestsError(.badCache, "'\(value)' is not a value for \(name)", hint: "Use true or false.")
        }
    }

    package func unknownType(_ known: String) -> RequestsError {
        // Those of BuildKit that are not there have a reason.
        let service = ["gha": "the caches of GitHub's service are not read", "azblob": "blobs of Azure are not read"]
        guard let reason = service[type] else {
            return RequestsError(.badCache, "unknown cache type '\(type)' in \(option)", hint: "Use one of \(known).")
        }
        return RequestsError(
            .badCache, "\(option) type=\(type) is not there: \(reason)",
            hint: "Use type=registry,ref=NAME, or type=local with a directory that the pipeline keeps.")
    }

    package func requireEmpty() throws {
        guard let unknown = values.keys.sorted().first else { return }
        throw RequestsError(
            .badCache, "\(option) type=\(type) does not take '\(unknown)'", hint: "See docs/scale.md for what there is."
        )
    }
}
