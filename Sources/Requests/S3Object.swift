import Diagnostics
import OCI
package import Registry

/// One object of an object store, as a user names it.
package struct S3Object: Hashable, Sendable {
    package let bucket: S3Bucket
    package let key: String

    /// Parses `s3://BUCKET/KEY`. The environment has the region and the endpoint, in the variables of Amazon's and of
    /// kaniko's.
    ///
    /// - Throws: ``RequestsError`` `.badContext`.
    package init(parsing text: String, environment: [String: String]) throws {
        func variable(_ names: String...) -> String? {
            names.lazy.compactMap { environment[$0] }.first { !$0.isEmpty }
        }
        let path = text.dropFirst("s3://".count)
        let parts = path.split(separator: "/", maxSplits: 1).map(String.init)
        guard text.hasPrefix("s3://"), parts.count == 2 else {
            throw RequestsError(
                .badContext, "'\(text.printable(limit: 200))' names no object of a bucket",
                hint: "Write it as s3://BUCKET/KEY.")
        }
        let endpoint = variable("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "S3_ENDPOINT")
        // Stores that are not Amazon's mostly have no regions.
        guard let region = variable("AWS_REGION", "AWS_DEFAULT_REGION") ?? endpoint.map({ _ in "us-east-1" }) else {
            throw RequestsError(
                .badContext, "the region of the bucket '\(parts[0])' is not known", hint: "Set AWS_REGION.")
        }
        let usesPathStyle = ["1", "t", "true"].contains(variable("S3_FORCE_PATH_STYLE")?.lowercased() ?? "")
        bucket = S3Bucket(
            name: parts[0], region: region, endpoint: endpoint, usesPathStyle: usesPathStyle, blobPrefix: "")
        key = parts[1]
        _ = try bucket.url(of: key)
    }
}

extension S3Object: CustomStringConvertible {
    package var description: String { "\(bucket)/\(key)" }
}
