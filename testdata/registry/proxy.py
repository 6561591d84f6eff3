"""A proxy before a registry that misbehaves in one way. Usage: proxy.py PORT UPSTREAM-PORT MODE [OTHER-PORT]

It prints a line for each request: method, path, and the kind of authorization. With OTHER-PORT it also listens there, as
another host that has blobs and takes no authorization."""

import http.client, http.server, os, socketserver, sys, threading, time

port, upstream, mode = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
other = int(sys.argv[4]) if len(sys.argv) > 4 else 0
lock, counts = threading.Lock(), {}
HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "host"}


def first(key):
    """Whether this is the first call for a key."""
    with lock:
        counts[key] = counts.get(key, 0) + 1
        return counts[key] == 1


def write_line(text):
    """Writes a line by one system call: requests come on several threads, and `print` writes the end of a line apart."""
    os.write(1, (text + "\n").encode())


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 128


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def handle_request(self):
        authorization = (self.headers.get("Authorization") or "none").split(" ")[0]
        is_other = self.server.server_port == other
        write_line(f"{'other ' if is_other else ''}{self.command} {self.path} {authorization}")
        if is_other and authorization != "none":
            return self.answer(400, b"two authorizations")
        body = self.body()
        if body is None:
            return
        is_blob = self.command == "GET" and "/blobs/sha256:" in self.path
        is_manifest = self.command == "GET" and "/manifests/" in self.path
        is_upload = self.command in ("PUT", "PATCH") and "/blobs/uploads/" in self.path
        # Each upload has a path of its own.
        key = f"{self.command} upload" if "/blobs/uploads/" in self.path else self.path.split("?")[0]
        if not is_other and self.misbehave(is_blob, is_manifest, is_upload, key):
            return
        status, headers, data = self.forward(body)
        if is_blob and status in (200, 206) and not is_other:
            data, headers = self.spoil(data, headers, key)
            if data is None:
                return
        if is_manifest and status == 200 and mode == "corrupt-manifest":
            data = data.replace(b"sha256:", b"sha256:", 1) + b" "
        self.answer(status, data, headers)

    do_GET = do_HEAD = do_PUT = do_POST = do_PATCH = do_DELETE = handle_request

    def body(self):
        length = int(self.headers.get("Content-Length") or 0)
        is_upload = self.command in ("PUT", "PATCH") and "/blobs/uploads/" in self.path and length > 100_000
        if is_upload and (mode == "cut-upload-always" or mode == "cut-upload" and first("upload")):
            self.rfile.read(length // 2)
            self.cut()
            return None
        data = self.rfile.read(length)
        if is_upload and mode == "corrupt-upload":
            data = data[: length // 2] + b"x" + data[length // 2 + 1 :]
        return data

    def misbehave(self, is_blob, is_manifest, is_upload, key):
        """Answers in the proxy's own way; says whether it did."""
        is_range = self.headers.get("Range") is not None
        if mode == "delay":
            time.sleep(0.7)
        if mode == "429" and first(key):
            self.answer(429, b'{"errors":[{"code":"TOOMANYREQUESTS","message":"slow down"}]}', {"Retry-After": "1"})
        elif mode == "429-long" and is_manifest:
            self.answer(429, b'{"errors":[{"code":"TOOMANYREQUESTS","message":"slow down"}]}', {"Retry-After": "7200"})
        elif mode == "500" and first(key):
            self.answer(500, b"<html>oops</html>", {"Content-Type": "text/html"})
        elif mode == "500-always" and (is_blob or is_upload):
            self.answer(500, b"<html>oops</html>", {"Content-Type": "text/html"})
        elif mode == "no-ranges" and is_range:
            self.answer(501, b"")
        elif mode == "413" and is_upload:
            self.answer(413, b"<html>too large</html>", {"Content-Type": "text/html"})
        elif mode == "redirect" and is_blob:
            self.answer(307, b"", {"Location": f"http://127.0.0.1:{other}{self.path}"})
        elif mode == "loop" and is_blob:
            self.answer(307, b"", {"Location": self.path})
        elif mode == "ignore-ranges" and is_range:
            del self.headers["Range"]
            return False
        else:
            return False
        return True

    def spoil(self, data, headers, key):
        """What becomes of a blob on its way; `None` when the connection was cut."""
        is_large = len(data) > 100_000
        if mode in ("cut", "no-ranges", "ignore-ranges") and is_large and first(key):
            self.answer(200, data, headers, sent=len(data) // 2)
            return None, headers
        if mode == "cut-always" and is_large:
            self.answer(200, data, headers, sent=1000)
            return None, headers
        if mode == "truncate" and is_large:
            return data[: len(data) // 2], headers
        if mode == "corrupt" and is_large:
            return data[:1000] + bytes([data[1000] ^ 1]) + data[1001:], headers
        if mode == "longer" and is_large:
            return data + b"more", headers
        return data, headers

    def forward(self, body):
        token = self.headers.get("Authorization") or ""
        if mode == "expire" and token.startswith("Bearer "):
            with lock:
                counts[token] = counts.get(token, 0) + 1
                if counts[token] > 6:
                    del self.headers["Authorization"]
        connection = http.client.HTTPConnection("127.0.0.1", upstream)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP}
        headers["Host"] = self.headers["Host"]
        connection.request(self.command, self.path, body, headers)
        response = connection.getresponse()
        data = response.read()
        kept = {name: value for name, value in response.getheaders() if name.lower() not in HOP}
        if self.command == "HEAD":
            kept["Content-Length"] = response.getheader("Content-Length") or "0"
        connection.close()
        return response.status, kept, data

    def answer(self, status, data, headers={}, sent=None):
        try:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if "Content-Length" not in headers:
                self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(data if sent is None else data[:sent])
            if sent is not None:
                self.cut()
        except OSError:
            self.close_connection = True

    def cut(self):
        try:
            self.wfile.flush()
        except OSError:
            pass
        self.connection.close()
        self.close_connection = True


for number in filter(None, [other]):
    threading.Thread(target=Server(("127.0.0.1", number), Handler).serve_forever, daemon=True).start()
Server(("127.0.0.1", port), Handler).serve_forever()
