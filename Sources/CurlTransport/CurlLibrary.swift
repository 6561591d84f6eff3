import CCurl
import Diagnostics
import Registry

/// The shared library libcurl, which the first request loads.
enum CurlLibrary {
    /// Whether the library is loaded and prepared, or why it is not.
    static let state: Result<Void, RegistryError> = {
        if let reason = unsafe ccurl_load() {
            return .failure(missing(unsafe String(cString: reason)))
        }
        let code = ccurl_global_init(Int(CURL_GLOBAL_DEFAULT))
        return code == CURLE_OK ? .success(()) : .failure(missing(unsafe String(cString: ccurl_easy_strerror(code))))
    }()

    private static func missing(_ reason: String) -> RegistryError {
        RegistryError(
            .configuration, "the library for network connections cannot be loaded: \(reason.printable(limit: 300))",
            hint: "Install the package libcurl4.")
    }
}
