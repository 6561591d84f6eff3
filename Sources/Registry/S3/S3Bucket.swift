import Diagnostics
package import OCI

/// A bucket of an object store that speaks the protocol of Amazon S3, and how its blobs are named.
package struct S3Bucket: Hashable, Sendable {
    package let name: String
    package let region: String
    /// `http://` or `https://` with host and port; `nil` is Amazon's own.
    package let endpoint: String?
    /// Whether the bucket is part of the path, and not of the host's name.
    package let usesPathStyle: Bool
    /// The prefix of the names of all blobs, e.g. `blobs/`.
    package let blobPrefix: String

    package init(name: String, region: String, endpoint: String?, usesPathStyle: Bool, blobPrefix: String) {
        self.name = name
        self.region = region
        self.endpoint = endpoint
        self.usesPathStyle = usesPathStyle
        self.blobPrefix = blobPrefix
    }

    /// The object that a blob is.
    package func key(of digest: Digest) -> String { "\(blobPrefix)\(digest)" }

    /// The URL of an object.
    ///
    /// Throws `RegistryError` `.malformedURL`.
    package func url(of key: String) throws -> HTTPURL {
        let text = endpoint ?? "https://s3.\(region).amazonaws.com"
        guard let base = try? HTTPURL(parsing: text), base.target == "/" else {
            throw RegistryError(
                .malformedURL, "the endpoint '\(text.printable(limit: 200))' is not the URL of a server",
                hint: "Write it as https://host or https://host:port.")
        }
        let path = "/" + key.pathEncoded
        guard !usesPathStyle else {
            return HTTPURL(scheme: base.scheme, host: base.host, port: base.port, target: "/\(name.pathEncoded)\(path)")
        }
        return HTTPURL(scheme: base.scheme, host: "\(name).\(base.host)", port: base.port, target: path)
    }
}

extension S3Bucket {
    /// The bucket as JSON; credentials are no part of it.
    package var json: JSON {
        .object(
            ("bucket", .string(name)), ("region", .string(region)), ("endpoint", endpoint.map { .string($0) }),
            ("pathStyle", usesPathStyle ? .bool(true) : nil), ("blobs", .string(blobPrefix)))
    }

    /// Reads what ``json`` gives; `nil` when it is anything else.
    package init?(json: JSON) {
        guard let name = json["bucket"]?.string, let region = json["region"]?.string,
            let blobs = json["blobs"]?.string
        else { return nil }
        self.init(
            name: name, region: region, endpoint: json["endpoint"]?.string,
            usesPathStyle: json["pathStyle"]?.bool ?? false, blobPrefix: blobs)
    }
}

extension S3Bucket: CustomStringConvertible {
    package var description: String { "s3://\(name)" }
}

extension String {
    /// The text as a path: all but unreserved characters and slashes is escaped, as signatures want it.
    fileprivate var pathEncoded: String {
        let digits = Array("0123456789ABCDEF".utf8)
        let bytes = utf8.flatMap { byte -> [UInt8] in
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: [byte]
            case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"), UInt8(ascii: "/"): [byte]
            default: [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
