import CCurl
import Glibc
import Registry

/// One exchange as libcurl knows it: an easy handle and the callbacks that move its bytes.
///
/// Made, used and freed on the event thread alone.
@safe
final class CurlExchange {
    let transfer: CurlTransfer
    /// The handle of libcurl.
    let easy: UnsafeMutableRawPointer
    private var fieldList: UnsafeMutablePointer<curl_slist>?
    private let errorText: UnsafeMutablePointer<CChar>
    private let timeouts: NetworkTransport.Timeouts
    private var upload: CurlUpload?
    private var head = CurlHead()
    private var hasNews = false
    /// The time at which bytes moved last; `nil` until the connection stands, for which libcurl has a time-out of its own.
    private var lastActivity: ContinuousClock.Instant?
    /// The bytes of the body since the start of a window, to tell a server that sends next to nothing.
    private var recent: (count: Int, start: ContinuousClock.Instant)?

    /// `nil` when libcurl cannot make the request.
    init?(_ transfer: CurlTransfer, timeouts: NetworkTransport.Timeouts, options: CurlOptions) {
        guard let easy = unsafe ccurl_easy_init() else { return nil }
        self.transfer = transfer
        unsafe self.easy = easy
        self.timeouts = timeouts
        unsafe errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
        unsafe errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        var setup = unsafe CurlSetup(easy)
        setup.apply(options, to: transfer.peer, transfer.request.trust)
        setup.number(CURLOPT_CONNECTTIMEOUT_MS, timeouts.connect.milliseconds)
        unsafe fieldList = setup.request(transfer.request, length: transfer.body?.length)
        guard !setup.hasFailed else { return nil }
        setUpCallbacks()
        upload = transfer.body.map { body in makeUpload(body) }
    }

    deinit {
        unsafe ccurl_easy_cleanup(easy)
        unsafe ccurl_slist_free_all(fieldList)
        unsafe errorText.deallocate()
    }

    /// Lets go of the producer of the body.
    func close() { upload?.close() }

    private func makeUpload(_ body: HTTPBody) -> CurlUpload {
        let transfer = transfer
        return CurlUpload(body.stream) { transfer.resumeSending() }
    }

    private func setUpCallbacks() {
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        unsafe ccurl_set_pointer(easy, CURLOPT_ERRORBUFFER, errorText)
        unsafe ccurl_set_pointer(easy, CURLOPT_HEADERDATA, context)
        unsafe ccurl_set_data_callback(easy, CURLOPT_HEADERFUNCTION) { bytes, size, count, context in
            guard let exchange = unsafe CurlExchange.behind(context), let bytes = unsafe bytes else { return 0 }
            unsafe exchange.takeField(UnsafeRawBufferPointer(start: bytes, count: size * count))
            return size * count
        }
        unsafe ccurl_set_pointer(easy, CURLOPT_WRITEDATA, context)
        unsafe ccurl_set_data_callback(easy, CURLOPT_WRITEFUNCTION) { bytes, size, count, context in
            guard let exchange = unsafe CurlExchange.behind(context), let bytes = unsafe bytes else { return 0 }
            let isTaken = unsafe exchange.takeBody(UnsafeRawBufferPointer(start: bytes, count: size * count))
            return isTaken ? size * count : Int(CURL_WRITEFUNC_PAUSE)
        }
        unsafe ccurl_set_pointer(easy, CURLOPT_READDATA, context)
        unsafe ccurl_set_data_callback(easy, CURLOPT_READFUNCTION) { bytes, size, count, context in
            guard let exchange = unsafe CurlExchange.behind(context), let bytes = unsafe bytes else { return 0 }
            return unsafe exchange.giveBody(UnsafeMutableRawBufferPointer(start: bytes, count: size * count))
        }
        unsafe ccurl_set_pointer(easy, CURLOPT_SEEKDATA, context)
        unsafe ccurl_set_seek_callback(easy) { context, offset, _ in
            guard let exchange = unsafe CurlExchange.behind(context), offset == 0 else { return CURL_SEEKFUNC_FAIL }
            exchange.restartBody()
            return CURL_SEEKFUNC_OK
        }
        unsafe ccurl_set_pointer(easy, CURLOPT_PREREQDATA, context)
        unsafe ccurl_set_request_callback(easy) { context, _, _, _, _ in
            unsafe CurlExchange.behind(context)?.noteActivity()
            return CURL_PREREQFUNC_OK
        }
    }

    private static func behind(_ context: UnsafeMutableRawPointer?) -> CurlExchange? {
        unsafe context.map { unsafe Unmanaged<CurlExchange>.fromOpaque($0).takeUnretainedValue() }
    }

    // MARK: Bytes

    private func noteActivity() { lastActivity = .now }

    private func takeField(_ line: UnsafeRawBufferPointer) {
        noteActivity()
        if let head = unsafe head.take(String(decoding: line, as: UTF8.self)) { transfer.receive(head: head) }
    }

    private func takeBody(_ bytes: UnsafeRawBufferPointer) -> Bool {
        noteActivity()
        hasNews = true
        guard unsafe transfer.receive(bytes) else {
            // The reader is slow, not the server.
            recent = nil
            return false
        }
        recent = recent.map { ($0.count + bytes.count, $0.start) } ?? (bytes.count, .now)
        return true
    }

    private func giveBody(_ buffer: UnsafeMutableRawBufferPointer) -> Int {
        noteActivity()
        guard let upload else { return 0 }
        switch unsafe upload.take(into: buffer) {
        case .bytes(let count): return count
        case .later: return Int(CURL_READFUNC_PAUSE)
        case .failed: return Int(CURL_READFUNC_ABORT)
        }
    }

    /// Produces the body anew: a connection that was kept turned out to be closed, and another takes its place.
    private func restartBody() {
        guard let body = transfer.body else { return }
        upload?.close()
        upload = makeUpload(body)
    }

    /// Goes on after a pause, in both directions; a direction that still cannot go on pauses again.
    func resume() {
        noteActivity()
        _ = unsafe ccurl_easy_pause(easy, CURLPAUSE_CONT)
    }

    /// Tells the reader of the body what has come since.
    func flush() {
        guard hasNews else { return }
        hasNews = false
        transfer.flush()
    }

    // MARK: Ends

    /// The time for the next look at ``lateness``; `nil` while it is this side that lets the other wait.
    var deadline: ContinuousClock.Instant? {
        guard let lastActivity, !transfer.isPaused, upload?.isStarved != true else { return nil }
        let silence = lastActivity + timeouts.idle
        return recent.map { min(silence, $0.start + timeouts.window) } ?? silence
    }

    /// The failure of a peer that has been silent for too long or has sent too little; otherwise `nil`, and the next
    /// window begins when one is over.
    func lateness(at now: ContinuousClock.Instant) -> RegistryError? {
        guard let deadline, deadline <= now else { return nil }
        if let lastActivity, lastActivity + timeouts.idle <= now { return transfer.peer.silence }
        guard let recent else { return nil }
        self.recent = (0, now)
        return recent.count < timeouts.leastBytes ? transfer.peer.slowness(recent.count, in: timeouts.window) : nil
    }

    /// The meaning of the end that libcurl reports.
    func outcome(_ code: CURLcode) -> Result<Void, any Error> {
        guard code != CURLE_OK else { return .success(()) }
        let failure = unsafe CurlFailure(
            code: code, text: String(cString: errorText), systemError: number(CURLINFO_OS_ERRNO),
            proxyStatus: number(CURLINFO_HTTP_CONNECTCODE), isConnected: lastActivity != nil)
        return .failure(failure.error(with: transfer.peer, body: upload?.failure))
    }

    private func number(_ info: CURLINFO) -> Int {
        var value = 0
        _ = unsafe ccurl_get_number(easy, info, &value)
        return value
    }
}

extension Duration {
    fileprivate var milliseconds: Int {
        Int(components.seconds) * 1000 + Int(components.attoseconds / 1_000_000_000_000_000)
    }
}
