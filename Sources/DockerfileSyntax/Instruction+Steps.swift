extension Run {
    init(_ node: Node) throws(DockerfileError) {
        let flags = try FlagSet(
            node.flags,
            known: ["mount": .list, "network": .text, "security": .text, "device": .list])
        let networkName = flags.text("network") ?? Network.default.rawValue
        guard let network = Network(rawValue: networkName) else {
            throw DockerfileError("invalid network mode \(networkName.quoted)")
        }
        let securityName = flags.text("security") ?? Security.sandbox.rawValue
        guard let security = Security(rawValue: securityName) else {
            throw DockerfileError("security \(securityName.quoted) is not valid")
        }
        mounts = flags.list("mount")
        for mount in mounts { try Self.check(mount: mount) }
        devices = try flags.list("device").map { (text) throws(DockerfileError) in try Device(parsing: text) }
        command = node.shellOrExec
        heredocs = node.heredocs
        self.network = network
        self.security = security
    }

    /// Checks the little that must be right before anything is expanded: the list itself, and that the place files come
    /// from is spelt out. The expansion of mounts does the rest.
    private static func check(mount: String) throws(DockerfileError) {
        let fields: [String]
        do {
            fields = try CommaSeparated.fields(mount)
        } catch {
            throw DockerfileError("failed to parse csv mounts: \(error.message)")
        }
        for field in fields {
            let parts = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count > 1, parts[0].lowercased() == "from" else { continue }
            if let dollar = parts[1].utf8.firstIndex(of: UInt8(ascii: "$")),
                parts[1].utf8.index(after: dollar) != parts[1].endIndex
            {
                throw DockerfileError("'from' doesn't support variable expansion, define alias stage instead")
            }
        }
    }
}

extension Device {
    /// Parses `NAME[,required[=bool]]` or `name=NAME,...`. A CDI name may have a `=` of its own.
    init(parsing text: String) throws(DockerfileError) {
        var name = ""
        var isRequired = false
        let fields: [String]
        do {
            fields = try CommaSeparated.fields(text)
        } catch {
            throw DockerfileError("failed to parse csv devices: \(error.message)")
        }
        for (index, field) in fields.enumerated() {
            let parts = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let value = parts.count > 1 ? String(parts[1]) : nil
            switch (parts[0].lowercased(), value) {
            case ("name", let value?): name = value
            case ("required", let value): isRequired = try Self.boolean(value ?? "true")
            case _ where index == 0: name = field
            case (let key, .some):
                let hint = Suggestions.hint(for: key, among: ["name", "required"])
                throw DockerfileError("unexpected key '\(key)' in '\(field)'\(hint)")
            case (_, nil): throw DockerfileError("invalid field '\(field)' must be a key=value pair")
            }
        }
        self.name = name
        self.isRequired = isRequired
    }

    private static func boolean(_ text: String) throws(DockerfileError) -> Bool {
        switch text {
        case "1", "t", "T", "true", "TRUE", "True": return true
        case "0", "f", "F", "false", "FALSE", "False": return false
        default: throw DockerfileError("invalid value for required: \(text)")
        }
    }
}

extension Node {
    /// The sources and the destination of COPY and ADD.
    fileprivate func transfer() throws(DockerfileError) -> (sources: [CopySource], destination: String) {
        guard words.count >= 2, let destination = words.last else {
            throw DockerfileError(
                "\(shownName) requires at least two arguments, but only one was provided. "
                    + "Destination could not be determined")
        }
        if HeredocMarker(destination) != nil {
            throw DockerfileError("\(shownName) cannot accept a heredoc as a destination")
        }
        return (words.dropLast().map(source), destination)
    }

    /// The last of several here-documents with one name is taken, but each marker says how to treat it.
    private func source(_ word: String) -> CopySource {
        guard let marker = HeredocMarker(word),
            let heredoc = heredocs.last(where: { $0.name == marker.name })
        else { return .path(word) }
        return .heredoc(
            Heredoc(
                name: marker.name, bytes: heredoc.bytes, expand: marker.expand, chomp: marker.chomp,
                fileDescriptor: marker.fileDescriptor))
    }
}

extension Copy {
    init(_ node: Node) throws(DockerfileError) {
        (sources, destination) = try node.transfer()
        let flags = try FlagSet(
            node.flags,
            known: [
                "chown": .text, "from": .text, "chmod": .text, "link": .boolean, "parents": .boolean, "exclude": .list,
            ])
        from = flags.text("from")
        chown = flags.text("chown")
        chmod = flags.text("chmod")
        link = flags.boolean("link") ?? false
        parents = flags.boolean("parents") ?? false
        excludes = flags.list("exclude")
    }
}

extension Add {
    init(_ node: Node) throws(DockerfileError) {
        (sources, destination) = try node.transfer()
        let flags = try FlagSet(
            node.flags,
            known: [
                "chown": .text, "chmod": .text, "link": .boolean, "keep-git-dir": .boolean, "checksum": .text,
                "unpack": .boolean, "exclude": .list,
            ])
        chown = flags.text("chown")
        chmod = flags.text("chmod")
        checksum = flags.text("checksum")
        link = flags.boolean("link") ?? false
        keepGitDir = flags.boolean("keep-git-dir")
        unpack = flags.boolean("unpack")
        excludes = flags.list("exclude")
    }
}

extension Healthcheck {
    init(_ node: Node) throws(DockerfileError) {
        guard let type = node.words.first else {
            throw DockerfileError("HEALTHCHECK requires at least one argument")
        }
        let arguments = Array(node.words.dropFirst())
        switch type.uppercased() {
        case "NONE":
            if !arguments.isEmpty { throw DockerfileError("HEALTHCHECK NONE takes no arguments") }
            // BuildKit does not look at flags here.
            self.init(
                test: .none, interval: 0, timeout: 0, startPeriod: 0, startInterval: 0, retries: 0)
        case "CMD":
            let flags = try FlagSet(
                node.flags,
                known: [
                    "interval": .text, "timeout": .text, "start-period": .text, "start-interval": .text,
                    "retries": .text,
                ])
            if arguments.isEmpty { throw DockerfileError("Missing command after HEALTHCHECK CMD") }
            self.init(
                test: .command(node.isJSON ? .exec(arguments) : .shell(arguments.joined(separator: " "))),
                interval: try Self.duration("interval", flags),
                timeout: try Self.duration("timeout", flags),
                startPeriod: try Self.duration("start-period", flags),
                startInterval: try Self.duration("start-interval", flags),
                retries: try Self.retries(flags))
        case let other:
            throw DockerfileError("Unknown type \(other.quoted) in HEALTHCHECK (try CMD)")
        }
    }

    private static func duration(_ name: String, _ flags: FlagSet) throws(DockerfileError) -> Int64 {
        guard let text = flags.text(name), !text.isEmpty else { return 0 }
        let nanoseconds = try GoDuration.nanoseconds(text)
        if nanoseconds != 0 && nanoseconds < 1_000_000 {
            throw DockerfileError("Interval \(name.quoted) cannot be less than 1ms")
        }
        return nanoseconds
    }

    private static func retries(_ flags: FlagSet) throws(DockerfileError) -> Int {
        guard let text = flags.text("retries"), !text.isEmpty else { return 0 }
        guard let retries = Int32(text) else {
            throw DockerfileError("strconv.ParseInt: parsing \(text.quoted): invalid syntax")
        }
        if retries < 0 { throw DockerfileError("--retries cannot be negative (\(retries))") }
        return Int(retries)
    }
}
