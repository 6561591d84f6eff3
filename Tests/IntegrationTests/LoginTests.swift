import SystemPackage
import Testing

/// Logins and certificates, against a registry that demands them.
@Suite("Login", .enabled(if: Machine.isRoot && Machine.hasRegistry, Machine.needsRegistry))
struct LoginTests {
    private let scratch: Scratch
    private let lamina: Lamina
    private let context: FilePath

    init() throws {
        scratch = try Scratch()
        let home = scratch.path.string
        lamina = Lamina(root: scratch.path.appending("store")).with([
            "HOME": home, "DOCKER_CONFIG": "\(home)/docker", "XDG_RUNTIME_DIR": home,
            "XDG_CONFIG_HOME": "\(home)/config",
        ])
        context = try scratch.context("FROM scratch\nCOPY Dockerfile /\n")
    }

    private func password(_ text: String) throws -> FilePath { try scratch.write(text, to: "password") }

    @Test("login proves and keeps a login, and logout forgets it")
    func logsInAndOut() throws {
        try DockerRegistry.with(login: true, in: scratch) { registry in
            let name = "\(registry.name)/app:1"
            let arguments = ["login", "-u", DockerRegistry.user, "--password-stdin", registry.name]
            try lamina.build(context, "-t", name)
            let refused = try lamina.start(arguments, input: password("guess\n")).wait()
            #expect(refused.status == 1 && refused.errorText.contains("401"), "\(refused.errorText)")
            #expect(!refused.errorText.contains("guess"))
            #expect(try lamina("push", name).status == 1)

            let done = try lamina.start(arguments, input: password(DockerRegistry.password + "\n")).wait()
            let file = scratch.path.appending("docker/config.json")
            #expect(done.status == 0 && done.trimmed == "Login Succeeded", "\(done.errorText)")
            #expect(done.errorText.contains("stored unencrypted in '\(file)'"))
            #expect(try run("stat", "-c", "%a", file.string).trimmed == "600")
            try lamina.succeeding("push", name)
            if Machine.hasSkopeo {
                try expectSuccess(
                    "skopeo", "inspect", "--tls-verify=false", "--authfile", file.string, "docker://\(name)")
            }
            let again = try lamina.succeeding("login", registry.name)
            #expect(again.outputLines == ["Authenticating with existing credentials...", "Login Succeeded"])

            let out = try lamina.succeeding("logout", "http://\(registry.name)/")
            #expect(out.trimmed == "Removing login credentials for \(registry.name)")
            #expect(try lamina.succeeding("logout", registry.name).trimmed == "Not logged in to \(registry.name)")
            #expect(try lamina("push", name).status == 1)
        }
    }

    @Test("A password is asked for at a terminal, and not shown")
    func asks() throws {
        try DockerRegistry.with(login: true, in: scratch) { registry in
            let script = """
                import os, pty, sys
                child, terminal = pty.fork()
                if child == 0: os.execvp(sys.argv[1], sys.argv[1:])
                shown = b''
                for question, answer in ((b'Username: ', b'\(DockerRegistry.user)\\n'), (b'Password: ', b'\(DockerRegistry.password)\\n')):
                    while not shown.endswith(question): shown += os.read(terminal, 1)
                    os.write(terminal, answer)
                try:
                    while True:
                        more = os.read(terminal, 1000)
                        if not more: break
                        shown += more
                except OSError: pass
                print(shown.decode())
                sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
                """
            let binary = try #require(Lamina.binary)
            let process = try RunningProcess(
                ["python3", "-c", script, binary.string, "login", registry.name], environment: lamina.environment)
            let finished = try process.wait()
            #expect(finished.status == 0 && finished.outputText.contains("Login Succeeded"), "\(finished.outputText)")
            #expect(!finished.outputText.contains(DockerRegistry.password))
        }
    }

    @Test(
        "What docker refuses is refused with its words",
        arguments: [
            (["-u", "u", "-p", "p", "--password-stdin"], "--password and --password-stdin are mutually exclusive"),
            (["--password-stdin"], "Must provide --username with --password-stdin"),
            (["-u", "u"], "Cannot perform an interactive login from a non TTY device"),
            ([], "Cannot perform an interactive login from a non TTY device"),
        ])
    func refuses(_ options: [String], _ message: String) throws {
        let finished = try lamina.start(["login"] + options + ["localhost:1"]).wait()
        #expect(finished.status == 1 && finished.errorText.contains(message), "\(finished.errorText)")
    }

    @Test("A helper keeps the login if the configuration names one", arguments: ["credsStore", "credHelpers"])
    func helper(_ key: String) throws {
        try DockerRegistry.with(login: true, in: scratch) { registry in
            let helpers = Lamina.packageRoot.appending("testdata/registry/helpers")
            let kept = scratch.path.appending("kept")
            let value = key == "credsStore" ? "\"file\"" : "{\"\(registry.name)\": \"file\"}"
            try scratch.write("{\"\(key)\": \(value)}", to: "docker/config.json")
            let path = environmentVariable("PATH") ?? "/usr/bin:/bin"
            let lamina = lamina.with(
                lamina.environment.merging(["PATH": "\(helpers):\(path)", "HELPER_FILE": kept.string]) { $1 })
            let name = "\(registry.name)/app:1"
            try lamina.build(context, "-t", name)
            let done = try lamina.succeeding(
                "login", "-u", DockerRegistry.user, "-p", DockerRegistry.password, registry.name)
            #expect(!done.errorText.contains("unencrypted"))
            let file = try run("cat", scratch.path.appending("docker/config.json").string).outputText
            #expect(!file.contains("auth\"") && file.contains(registry.name))
            try lamina.succeeding("push", name)
            try lamina.succeeding("logout", registry.name)
            #expect(try run("cat", kept.string).status != 0)
            #expect(try lamina("push", name).status == 1)
        }
    }

    @Test("Logins are taken from options and variables")
    func placesOfLogins() throws {
        try DockerRegistry.with(login: true, in: scratch) { registry in
            let pair = "\(DockerRegistry.user):\(DockerRegistry.password)"
            let encoded = try expectSuccess("sh", "-c", "printf %s \"$0\" | base64", pair).trimmed
            let document = "{\"auths\": {\"\(registry.name)\": {\"auth\": \"\(encoded)\"}}}"
            let file = try scratch.write(document, to: "auth.json")
            let name = "\(registry.name)/app:1"
            try lamina.build(context, "-t", name)
            for options in [["--creds", pair], ["--authfile", file.string]] {
                #expect(try lamina.start(["push"] + options + [name]).wait().status == 0)
            }
            for variable in [("DOCKER_AUTH_CONFIG", document), ("REGISTRY_AUTH_FILE", file.string)] {
                let other = lamina.with(lamina.environment.merging([variable]) { $1 })
                try other.succeeding("pull", name)
            }
            #expect(try lamina("push", name).status == 1)
            #expect(try lamina("push", "--creds", "user", name).errorText.contains("--creds user:password"))
        }
    }

    @Test("A private authority is trusted where it is named, and the error says where that is")
    func privateAuthority() throws {
        let certificates = try TestCertificates(in: scratch)
        try DockerRegistry.with(tls: certificates, in: scratch) { registry in
            let name = "\(registry.name)/app:1"
            try lamina.build(context, "-t", name)
            let refused = try lamina("push", name)
            #expect(refused.status == 1 && refused.errorText.contains("is not trusted"), "\(refused.errorText)")
            #expect(refused.errorText.contains("/etc/docker/certs.d/\(registry.name)/ca.crt"))

            let own = try certificates.directory("own", with: ["ca.crt"], in: scratch)
            for option in ["--cert-dir=\(own)", "--tls-verify=false", "--insecure-registry=\(registry.name)"] {
                try lamina.succeeding("push", option, name)
            }
            let cache = "type=registry,ref=\(registry.name)/cache:1,registry.insecure=true"
            try lamina.succeeding(
                "build", "-q", "-o", "type=registry,name=\(name),registry.insecure=true", "--cache-to", cache,
                "--cache-from", cache, context.string)
            let variable = ["SSL_CERT_FILE": certificates.directory.appending("ca.crt").string]
            try lamina.with(lamina.environment.merging(variable) { $1 }).succeeding("pull", name)
            _ = try certificates.directory("config/docker/certs.d/\(registry.name)", with: ["ca.crt"], in: scratch)
            try lamina.succeeding("pull", name)

            // By the name of this machine TLS comes first, and no certificate is looked at.
            let local = "localhost:\(registry.name.split(separator: ":")[1])/app:1"
            try lamina.succeeding("pull", local)
        }
    }

    @Test("A client certificate is presented where one is kept for the registry")
    func clientCertificate() throws {
        let certificates = try TestCertificates(in: scratch, wantsClient: true)
        try DockerRegistry.with(tls: certificates, in: scratch) { registry in
            let name = "\(registry.name)/app:1"
            try lamina.build(context, "-t", name)
            let authority = try certificates.directory("authority", with: ["ca.crt"], in: scratch)
            let refused = try lamina("push", "--cert-dir", authority.string, name)
            #expect(refused.status == 1 && refused.errorText.contains("client certificate"), "\(refused.errorText)")
            let whole = try certificates.directory(
                "whole", with: ["ca.crt", "client.cert", "client.key"], in: scratch)
            try lamina.succeeding("push", "--cert-dir", whole.string, name)
            let half = try certificates.directory("half", with: ["ca.crt", "client.cert"], in: scratch)
            #expect(
                try lamina("push", "--cert-dir", half.string, name).errorText.contains("missing the key client.key"))
        }
    }
}
