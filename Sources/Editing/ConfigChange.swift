import Diagnostics
import OCI

/// One change of how a container of an image starts, or of its labels.
package enum ConfigChange: Hashable, Sendable {
    case setVariable(String, String)
    case unsetVariable(String)
    case setLabel(String, String)
    case unsetLabel(String)
    /// An empty list takes away what is there.
    case setEntrypoint([String])
    case setCommand([String])
    case setUser(String)
    case setWorkingDirectory(String)
    case setStopSignal(String)
    case addPort(String)
    case setAuthor(String)

    /// Reads `NAME=VALUE`.
    package static func pair(_ text: String, option: String) throws -> (name: String, value: String) {
        guard let equals = text.firstIndex(of: "="), equals != text.startIndex else {
            throw EditingError(.badValue, "'\(text)' has no name and value", hint: "Write \(option) NAME=VALUE.")
        }
        return (String(text[..<equals]), String(text[text.index(after: equals)...]))
    }

    /// Reads a command: a list in JSON, nothing, or a text for the shell of the image.
    package static func words(_ text: String, option: String, shell: [String]?) throws -> [String] {
        guard !text.isEmpty else { return [] }
        guard text.hasPrefix("[") else { return (shell ?? ["/bin/sh", "-c"]) + [text] }
        guard let words = try? JSON(parsing: Array(text.utf8)).strings else {
            throw EditingError(
                .badValue, "the value of \(option) is no list of texts in JSON",
                hint: "Write it as \(option) '[\"program\",\"argument\"]'.")
        }
        return words
    }

    /// The instruction of a Dockerfile that would do it, for the history; what none does is said in words.
    var text: String {
        func list(_ words: [String]) -> String { JSON.array(words.map(JSON.string)).text() }
        return switch self {
        case .setVariable(let name, let value): "ENV \(name)=\(value)"
        case .unsetVariable(let name): "unset ENV \(name)"
        case .setLabel(let name, let value): "LABEL \(name)=\(value)"
        case .unsetLabel(let name): "unset LABEL \(name)"
        case .setEntrypoint(let words): "ENTRYPOINT \(list(words))"
        case .setCommand(let words): "CMD \(list(words))"
        case .setUser(let user): "USER \(user)"
        case .setWorkingDirectory(let path): "WORKDIR \(path)"
        case .setStopSignal(let signal): "STOPSIGNAL \(signal)"
        case .addPort(let port): "EXPOSE \(port)"
        case .setAuthor(let author): "MAINTAINER \(author)"
        }
    }
}

extension EditedImage {
    /// Makes a change, and notes it in the history.
    package mutating func apply(_ change: ConfigChange) throws {
        switch change {
        case .setVariable(let name, let value):
            let text = "\(name)=\(value)"
            if let place = config.config.environment.firstIndex(where: { $0.hasPrefix("\(name)=") }) {
                config.config.environment[place] = text
            } else {
                config.config.environment.append(text)
            }
        case .unsetVariable(let name):
            try remove(config.config.environment.contains { $0.hasPrefix("\(name)=") }, "variable", name)
            config.config.environment.removeAll { $0.hasPrefix("\(name)=") }
        case .setLabel(let name, let value): config.config.labels[name] = value
        case .unsetLabel(let name):
            try remove(config.config.labels[name] != nil, "label", name)
            config.config.labels[name] = nil
        case .setEntrypoint(let words): config.config.entrypoint = words.isEmpty ? nil : words
        case .setCommand(let words): config.config.command = words.isEmpty ? nil : words
        case .setUser(let user): config.config.user = user
        case .setWorkingDirectory(let path):
            guard path.hasPrefix("/") else {
                throw EditingError(
                    .badValue, "the working directory '\(path)' is no absolute path", hint: "Begin it with a /.")
            }
            config.config.workingDirectory = path
        case .setStopSignal(let signal): config.config.stopSignal = signal
        case .addPort(let port):
            let name = port.contains("/") ? port : "\(port)/tcp"
            let parts = name.split(separator: "/", omittingEmptySubsequences: false)
            guard parts.count == 2, UInt16(parts[0]) != nil, ["tcp", "udp", "sctp"].contains(parts[1]) else {
                throw EditingError(.badValue, "'\(port)' is no port", hint: "Write it as 80 or 80/udp.")
            }
            if !config.config.exposedPorts.contains(name) { config.config.exposedPorts.append(name) }
        case .setAuthor(let author): config.author = author.isEmpty ? nil : author
        }
        note(change.text)
    }

    private func remove(_ isThere: Bool, _ kind: String, _ name: String) throws {
        guard isThere else {
            throw EditingError(
                .nothing, "the image has no \(kind) '\(name)'", hint: "See 'lamina inspect' for what it has.")
        }
    }
}
