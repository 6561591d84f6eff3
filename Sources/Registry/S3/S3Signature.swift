import OCI

/// Credentials for an object store.
package struct S3Credentials: Hashable, Sendable {
    package let accessKey: String
    package let secretKey: String
    /// Only temporary credentials have one.
    package let sessionToken: String?

    package init(accessKey: String, secretKey: String, sessionToken: String?) {
        self.accessKey = accessKey
        self.secretKey = secretKey
        self.sessionToken = sessionToken
    }

    /// `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`; `nil` when the first two are not both set.
    package init?(environment: [String: String]) {
        func variable(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        guard let accessKey = variable("AWS_ACCESS_KEY_ID"), let secretKey = variable("AWS_SECRET_ACCESS_KEY") else {
            return nil
        }
        self.init(accessKey: accessKey, secretKey: secretKey, sessionToken: variable("AWS_SESSION_TOKEN"))
    }
}

/// The signature of a request to an object store.
///
/// Source: Amazon S3 API reference, "Authenticating Requests (AWS Signature Version 4)".
struct S3Signature {
    let credentials: S3Credentials
    let region: String
    let time: Timestamp

    /// Adds the fields that prove the sender and the content of the request; `payload` is the SHA-256 of the
    /// body.
    func sign(_ request: inout HTTPRequest, payload: Digest) {
        request.fields["Host"] = request.url.authority
        request.fields["x-amz-content-sha256"] = payload.hex
        request.fields["x-amz-date"] = stamp
        request.fields["x-amz-security-token"] = credentials.sessionToken
        let names = ["host", "x-amz-content-sha256", "x-amz-date", "x-amz-security-token"]
            .filter { request.fields[$0] != nil }
        let signed = names.joined(separator: ";")
        let parts = request.url.target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let canonical = [
            request.method.rawValue, String(parts[0]), parts.count > 1 ? String(parts[1]) : "",
            names.map { "\($0):\(request.fields[$0] ?? "")\n" }.joined(), signed, payload.hex,
        ].joined(separator: "\n")
        let scope = "\(stamp.prefix(8))/\(region)/s3/aws4_request"
        let text = ["AWS4-HMAC-SHA256", stamp, scope, Digest(of: canonical).hex].joined(separator: "\n")
        let signature = Digest(sha256: HMAC.sha256(Array(text.utf8), key: key)).hex
        request.fields["Authorization"] =
            "AWS4-HMAC-SHA256 Credential=\(credentials.accessKey)/\(scope),SignedHeaders=\(signed),Signature=\(signature)"
    }

    /// E.g. `20130524T000000Z`.
    private var stamp: String {
        Timestamp(seconds: time.seconds).description.filter { $0 != "-" && $0 != ":" }
    }

    private var key: [UInt8] {
        let words = [String(stamp.prefix(8)), region, "s3", "aws4_request"]
        return words.reduce(Array("AWS4\(credentials.secretKey)".utf8)) { HMAC.sha256(Array($1.utf8), key: $0) }
    }
}
