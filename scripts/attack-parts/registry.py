"""A registry of one image that answers wrongly when it is told to."""

import hashlib
import http.server
import json
import pathlib
import socket
import struct
import threading
import time

FAULTS = [
    "404", "401", "403", "429", "500", "503", "302 loop", "302 nowhere", "empty", "cut", "flipped", "garbage", "reset",
    "wrong digest", "wrong length", "huge length", "negative length", "no type", "html", "nested", "extreme size",
    "duplicate keys", "other platform", "pause", "no location", "relative location", "chunks that end early", "bad header",
]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self.do_GET()

    def send(self, status, body=b"", headers=(), length=None):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def reset(self):
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def do_GET(self):
        server = self.server
        if self.path.rstrip("/") == "/v2":
            kind, body, type = "ping", b"{}", "application/json"
        elif "/manifests/" in self.path:
            kind, (body, type) = "manifest", server.manifest
        else:
            digest = self.path.rpartition("/")[2]
            if digest not in server.blobs:
                return self.send(404, b'{"errors":[{"code":"BLOB_UNKNOWN"}]}')
            kind, body, type = "blob", server.blobs[digest], "application/octet-stream"
        headers = [("Content-Type", type), ("Docker-Content-Digest", "sha256:" + hashlib.sha256(body).hexdigest())]
        fault = server.strike(kind)
        if fault is None:
            return self.send(200, body, headers)
        self.answer(fault, body, headers)

    def answer(self, fault, body, headers):
        wrong = bytearray(body or b"x")
        if fault.isdigit():
            more = [("Www-Authenticate", 'Bearer realm="http://127.0.0.1:1/t"')] if fault == "401" else []
            return self.send(int(fault), b'{"errors":[{"code":"UNKNOWN","message":"\\u001b[31mno"}]}', more)
        if fault == "302 loop":
            return self.send(302, headers=[("Location", self.path)])
        if fault == "302 nowhere":
            return self.send(302, headers=[("Location", "http://127.0.0.1:1/x")])
        if fault == "empty":
            return self.send(200, b"", headers)
        if fault in ("cut", "chunks that end early"):
            if fault == "cut":
                self.send(200, body[:len(body) // 2], headers, len(body))
            else:
                self.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\nabc")
            return self.reset()
        if fault == "flipped":
            wrong[len(wrong) // 2] ^= 1
            return self.send(200, bytes(wrong), headers)
        if fault == "garbage":
            return self.send(200, hashlib.sha512(body).digest() * 50, headers)
        if fault == "wrong digest":
            return self.send(200, body, [headers[0], ("Docker-Content-Digest", "sha256:" + "0" * 64)])
        if fault in ("wrong length", "huge length", "negative length"):
            length = {"wrong": len(body) + 10, "huge": 1 << 63, "negative": -5}[fault.split()[0]]
            self.send(200, body, headers, length)
            return self.reset()
        if fault == "no type":
            return self.send(200, body)
        if fault == "html":
            return self.send(200, b"<html>Sign in</html>", [("Content-Type", "text/html")])
        if fault == "nested":
            return self.send(200, b"[" * 100_000, headers)
        if fault == "duplicate keys":
            return self.send(200, b'{"schemaVersion":2,"schemaVersion":1,"layers":null,"layers":{}}', headers)
        if fault in ("extreme size", "other platform"):
            return self.send(200, self.changed(fault, body), headers)
        if fault == "pause":
            time.sleep(1)
            return self.send(200, body, headers)
        if fault == "bad header":
            self.wfile.write(b"HTTP/1.1 200\r\n: x\r\nContent-Length: 99999999999999999999\r\n\r\n")
        self.reset()

    @staticmethod
    def changed(fault, body):
        try:
            document = json.loads(body)
        except ValueError:
            return body[:-1]
        if fault == "other platform":
            document["architecture"] = "s390x"
        for layer in document.get("layers") or document.get("manifests") or []:
            layer["size"] = 1 << 62
        return json.dumps(document).encode()

    # A push: everything is taken, and forgotten.
    def do_POST(self):
        self.take("upload", 202, "/v2/a/blobs/uploads/1")

    def do_PATCH(self):
        self.take("patch", 202, "/v2/a/blobs/uploads/1")

    def do_PUT(self):
        self.take("put", 201, self.path)

    def take(self, kind, status, location):
        length = int(self.headers.get("Content-Length") or 0)
        while length > 0:
            piece = self.rfile.read(min(length, 1 << 16))
            if not piece:
                return
            length -= len(piece)
        fault = self.server.strike(kind)
        if fault is None or fault in ("pause", "no type"):
            return self.send(status, headers=[("Location", location), ("Range", "0-0")])
        if fault == "no location":
            return self.send(status)
        if fault == "relative location":
            return self.send(status, headers=[("Location", "./1?x=%2e")])
        self.answer(fault, b"{}", [("Content-Type", "application/json"), ("Location", location)])


class Registry(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, layout):
        super().__init__(("127.0.0.1", 0), Handler)
        self.port = self.server_address[1]
        layout = pathlib.Path(layout)
        self.blobs = {"sha256:" + file.name: file.read_bytes() for file in (layout / "blobs/sha256").iterdir()}
        index = json.loads((layout / "index.json").read_text())
        entry = index["manifests"][0]
        self.manifest = (self.blobs[entry["digest"]], entry["mediaType"])
        self.fault, self.kinds, self.left = None, (), 0
        self.lock = threading.Lock()

    def arm(self, rng):
        """Chooses a fault, where it strikes and how often, and says so."""
        fault = rng.choice(FAULTS)
        kinds = rng.choice([("ping",), ("manifest",), ("blob",), ("upload",), ("put", "patch"), ("manifest", "blob", "put")])
        left = rng.choice([1, 1, 2, 1000])
        with self.lock:
            self.fault, self.kinds, self.left = fault, kinds, left
        return f"'{fault}' {'always' if left > 2 else left} at {' and '.join(kinds)}"

    def disarm(self):
        with self.lock:
            self.fault = None

    def strike(self, kind):
        with self.lock:
            if self.fault is None or kind not in self.kinds or self.left == 0:
                return None
            self.left -= 1
            return self.fault

    def handle_error(self, *_):
        pass

    def __enter__(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()
