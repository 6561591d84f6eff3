import CCurl
import Linux
import Registry
import SystemPackage

/// Options that all exchanges of a transport share.
struct CurlOptions: Sendable {
    /// A file of authorities instead of the system's.
    var authorityFile: String?
    /// A directory of authorities, named by hash as OpenSSL wants it, instead of the system's.
    var authorityDirectory: String?
}

/// Sets the options of an easy handle, and remembers whether one was refused.
@safe
struct CurlSetup {
    private let easy: UnsafeMutableRawPointer
    private(set) var hasFailed = false

    init(_ easy: UnsafeMutableRawPointer) { unsafe self.easy = easy }

    private mutating func note(_ code: CURLcode) {
        if code != CURLE_OK { hasFailed = true }
    }

    mutating func number(_ option: CURLoption, _ value: Int) { unsafe note(ccurl_set_number(easy, option, value)) }

    mutating func text(_ option: CURLoption, _ value: String?) { unsafe note(ccurl_set_text(easy, option, value)) }

    /// Bytes that libcurl reads or writes at once.
    private static let bufferSize = 256 << 10

    /// Sets what does not depend on the request.
    mutating func apply(_ options: CurlOptions, to peer: NetworkPeer, _ trust: ServerTrust) {
        // Signals are the program's; without them libcurl sends with MSG_NOSIGNAL.
        number(CURLOPT_NOSIGNAL, 1)
        unsafe note(ccurl_close_on_exec(easy))
        text(CURLOPT_PROTOCOLS_STR, "http,https")
        number(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_2TLS))
        number(CURLOPT_BUFFERSIZE, Self.bufferSize)
        number(CURLOPT_UPLOAD_BUFFERSIZE, Self.bufferSize)
        number(CURLOPT_TCP_KEEPALIVE, 1)
        // URLs are signed, and go out as they are written.
        number(CURLOPT_PATH_AS_IS, 1)
        number(CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
        if !trust.verifiesServer {
            number(CURLOPT_SSL_VERIFYPEER, 0)
            number(CURLOPT_SSL_VERIFYHOST, 0)
        }
        if trust.authorities.isEmpty {
            authorities(options, CURLOPT_CAINFO, CURLOPT_CAPATH)
        } else {
            authorities(options, and: trust.authorities)
        }
        if let own = trust.clientCertificate {
            text(CURLOPT_SSLCERT, own.certificate)
            text(CURLOPT_SSLKEY, own.key)
        }
        proxy(peer.proxy, options)
    }

    /// Authorities of the server besides those of the system, which libcurl reads from a directory beside a blob.
    private mutating func authorities(_ options: CurlOptions, and more: [UInt8]) {
        let file = options.authorityFile.flatMap { path in
            try? OwnedDescriptor.open(FilePath(path)).readAll(limit: 64 << 20)
        }
        let all = more + (file ?? [])
        unsafe note(all.withUnsafeBytes { unsafe ccurl_set_bytes(easy, CURLOPT_CAINFO_BLOB, $0.baseAddress, $0.count) })
        let isSystem = options.authorityFile == nil && options.authorityDirectory == nil
        text(CURLOPT_CAPATH, isSystem ? Self.systemAuthorities : options.authorityDirectory)
    }

    private static let systemAuthorities = "/etc/ssl/certs"

    private mutating func authorities(_ options: CurlOptions, _ file: CURLoption, _ directory: CURLoption) {
        guard options.authorityFile != nil || options.authorityDirectory != nil else { return }
        text(file, options.authorityFile)
        text(directory, options.authorityDirectory)
    }

    /// Names the proxy. An empty name keeps libcurl from reading the environment.
    private mutating func proxy(_ proxy: ProxySettings.Proxy?, _ options: CurlOptions) {
        text(CURLOPT_NOPROXY, "")
        guard let proxy else { return text(CURLOPT_PROXY, "") }
        let host = proxy.host.contains(":") ? "[\(proxy.host)]" : proxy.host
        text(CURLOPT_PROXY, "\(proxy.kind.rawValue)://\(host):\(proxy.port)")
        number(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
        if proxy.kind == .https {
            number(CURLOPT_PROXY_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
            authorities(options, CURLOPT_PROXY_CAINFO, CURLOPT_PROXY_CAPATH)
        }
        guard let userInfo = proxy.userInfo else { return }
        let parts = userInfo.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        number(CURLOPT_PROXYAUTH, ccurl_auth_basic)
        text(CURLOPT_PROXYUSERNAME, parts[0])
        text(CURLOPT_PROXYPASSWORD, parts.count > 1 ? parts[1] : "")
    }

    /// Sets method, URL and fields. The list of the fields is the caller's to free after the handle.
    mutating func request(_ request: HTTPRequest, length: Int64?) -> UnsafeMutablePointer<curl_slist>? {
        text(CURLOPT_URL, request.url.description)
        switch request.method {
        case .get: number(CURLOPT_HTTPGET, 1)
        case .head: number(CURLOPT_NOBODY, 1)
        case .delete: text(CURLOPT_CUSTOMREQUEST, request.method.rawValue)
        case .post, .put, .patch:
            number(CURLOPT_UPLOAD, 1)
            text(CURLOPT_CUSTOMREQUEST, request.method.rawValue)
            unsafe note(ccurl_set_offset(easy, CURLOPT_INFILESIZE_LARGE, curl_off_t(length ?? 0)))
        }
        // What libcurl adds by itself is taken off: to wait for "100 Continue" costs a second with most servers.
        var lines = ["Expect:"]
        if request.fields["Accept"] == nil { lines.append("Accept:") }
        for field in request.fields.fields {
            let line = field.value.isEmpty ? "\(field.name);" : "\(field.name): \(field.value)"
            if line.utf8.contains(where: { $0 < 0x20 && $0 != 9 }) { hasFailed = true }
            lines.append(line)
        }
        var list: UnsafeMutablePointer<curl_slist>?
        for line in lines {
            guard let longer = unsafe ccurl_slist_append(list, line) else {
                hasFailed = true
                break
            }
            unsafe list = longer
        }
        unsafe note(ccurl_set_list(easy, CURLOPT_HTTPHEADER, list))
        return unsafe list
    }
}
