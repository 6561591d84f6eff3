"""A token server for docker-registry. Usage: token-server.py PORT DIRECTORY KIND

DIRECTORY holds token.key and token.crt. Users are 'user' with the password 'secret' and the robot 'robot$team+ci' with
'robot-secret'; the refresh token is 'refresh'. KIND is get, post (a GET is answered with 404) or refresh (only refresh
tokens are taken). For each request a line is printed: method, grant, user and scopes."""

import base64, http.server, json, os, socketserver, subprocess, sys, time, urllib.parse

port, directory, kind = int(sys.argv[1]), sys.argv[2], sys.argv[3]
users = {"user": "secret", "robot$team+ci": "robot-secret"}


def url64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def certificate():
    lines = open(f"{directory}/token.crt").read().split("\n")
    return "".join(line for line in lines if line and not line.startswith("-"))


def token(user, scopes):
    access = []
    for scope in scopes:
        parts = scope.split(":")
        access.append({"type": parts[0], "name": ":".join(parts[1:-1]), "actions": parts[-1].split(",")})
    now = int(time.time())
    claims = {
        "iss": "tests", "sub": user, "aud": "tests", "iat": now, "nbf": now - 600, "exp": now + 300,
        "jti": os.urandom(8).hex(), "access": access}
    header = {"typ": "JWT", "alg": "RS256", "x5c": [certificate()]}
    signed = url64(json.dumps(header).encode()) + b"." + url64(json.dumps(claims).encode())
    signature = subprocess.run(
        ["openssl", "dgst", "-sha256", "-sign", f"{directory}/token.key"], input=signed, capture_output=True, check=True)
    return (signed + b"." + url64(signature.stdout)).decode()


def write_line(text):
    """Writes a line by one system call: requests come on several threads, and `print` writes the end of a line apart."""
    os.write(1, (text + "\n").encode())


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def do_GET(self):
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        if kind == "post":
            return self.answer(404, {})
        authorization = self.headers.get("Authorization") or ""
        user = ""
        if authorization.startswith("Basic "):
            user, _, password = base64.b64decode(authorization[6:]).decode().partition(":")
            if users.get(user) != password:
                return self.answer(401, {"details": "incorrect username or password"})
        scopes = query.get("scope", [])
        write_line(f"GET basic {user or '-'} {' '.join(scopes)}")
        if kind == "refresh" or not user:
            return self.answer(401, {"details": "a login is needed"})
        self.answer(200, {"token": token(user, scopes)})

    def do_POST(self):
        form = urllib.parse.parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        grant, scopes = form["grant_type"][0], form.get("scope", [""])[0].split()
        user = form.get("username", ["-"])[0]
        write_line(f"POST {grant} {user} {' '.join(scopes)}")
        if grant == "refresh_token" and form.get("refresh_token") == ["refresh"]:
            return self.answer(200, {"access_token": token("user", scopes), "refresh_token": "refresh"})
        if grant == "password" and kind != "refresh" and users.get(user) == form.get("password", [""])[0]:
            return self.answer(200, {"access_token": token(user, scopes), "expires_in": 300})
        self.answer(401, {"error": "invalid_grant"})

    def answer(self, status, document):
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


Server(("127.0.0.1", port), Handler).serve_forever()
