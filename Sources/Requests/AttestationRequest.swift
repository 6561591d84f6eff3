package import Attestations
import Diagnostics
import DockerfileSyntax

/// The attestations that a user asks for.
package struct AttestationRequest: Hashable, Sendable {
    /// `nil` for no provenance.
    package var provenance: ProvenanceSettings?
    /// Whether the image's packages are listed.
    package var listsPackages = false
    /// The way in which attestations are tied to the image.
    package enum Attachment: String, Hashable, Sendable, CaseIterable {
        /// As manifests beside the image in an index.
        case index
        /// As artifacts that name the image as their subject.
        case referrer
    }

    package var attachment = Attachment.index
    /// Whether provenance belongs to images alone, and not into outputs of files.
    package var isForImagesOnly = false

    package init() {}

    /// Takes the argument of `--attest`: `type=TYPE,KEY=VALUE,…`. Of one type the last counts.
    package mutating func add(_ text: String) throws {
        var fields = try Self.fields(text, option: "--attest")
        switch fields.removeValue(forKey: "type") {
        case "provenance": try setProvenance(&fields, option: "--attest type=provenance")
        case "sbom": try setSBOM(&fields, option: "--attest type=sbom")
        case let type:
            throw RequestsError(
                .badOption, "unknown attestation type '\(type ?? "")'", hint: "Use type=provenance or type=sbom.")
        }
    }

    /// Takes the argument of `--provenance`: a boolean, or `KEY=VALUE,…`.
    package mutating func setProvenance(_ text: String) throws {
        var fields = Self.isOn(text).map { ["disabled": $0 ? "false" : "true"] } ?? [:]
        if fields.isEmpty { fields = try Self.fields(text, option: "--provenance") }
        try setProvenance(&fields, option: "--provenance")
    }

    private mutating func setProvenance(_ fields: inout [String: String], option: String) throws {
        func flag(_ name: String) throws -> Bool {
            guard let text = fields.removeValue(forKey: name) else { return false }
            guard let value = Self.isOn(text) else {
                throw RequestsError(
                    .badOption, "failed to parse \(name) flag '\(text)' of \(option)", hint: "Use true or false.")
            }
            return value
        }
        var settings = ProvenanceSettings()
        let isDisabled = try flag("disabled")
        settings.isReproducible = try flag("reproducible")
        isForImagesOnly = try flag("inline-only")
        settings.builder = fields.removeValue(forKey: "builder-id") ?? ""
        if let text = fields.removeValue(forKey: "mode") {
            guard let mode = ProvenanceSettings.Mode(rawValue: text == "full" ? "max" : text) else {
                throw RequestsError(.badOption, "invalid mode '\(text)' of \(option)", hint: "Use min or max.")
            }
            settings.mode = mode
        }
        if let text = fields.removeValue(forKey: "version") {
            guard let version = ProvenanceSettings.Version(rawValue: text) else {
                throw RequestsError(
                    .badOption, "invalid provenance SLSA version '\(text)' of \(option)", hint: "Use v1 or v0.2.")
            }
            settings.version = version
        }
        if let unknown = fields.keys.sorted().first {
            throw RequestsError(
                .badOption, "\(option) does not take '\(unknown)'", hint: "See docs/attestations.md for what there is.")
        }
        provenance = isDisabled ? nil : settings
    }

    /// Takes the argument of `--attest-as`.
    package mutating func setAttachment(_ text: String) throws {
        guard let attachment = Attachment(rawValue: text) else {
            throw RequestsError(.badOption, "--attest-as does not take '\(text)'", hint: "Use index or referrer.")
        }
        self.attachment = attachment
    }

    /// Takes the argument of `--sbom`: a boolean, or `KEY=VALUE,…`.
    package mutating func setSBOM(_ text: String) throws {
        var fields = Self.isOn(text).map { ["disabled": $0 ? "false" : "true"] } ?? [:]
        if fields.isEmpty { fields = try Self.fields(text, option: "--sbom") }
        try setSBOM(&fields, option: "--sbom")
    }

    private mutating func setSBOM(_ fields: inout [String: String], option: String) throws {
        let text = fields.removeValue(forKey: "disabled") ?? "false"
        guard let isDisabled = Self.isOn(text) else {
            throw RequestsError(
                .badOption, "failed to parse disabled flag '\(text)' of \(option)", hint: "Use true or false.")
        }
        guard isDisabled || fields["generator"] == nil else {
            throw RequestsError(
                .unsupported, "\(option) takes no generator: the packages are listed without one",
                hint: "Leave generator= out.")
        }
        if let unknown = fields.keys.sorted().first, !isDisabled {
            throw RequestsError(
                .badOption, "\(option) does not take '\(unknown)'", hint: "See docs/attestations.md for what there is.")
        }
        listsPackages = !isDisabled
    }

    /// Whether an image gets any.
    package var isEmpty: Bool { provenance == nil && !listsPackages }

    /// Whether a result has an index for them.
    package var needsIndex: Bool { !isEmpty && attachment == .index }

    private static func isOn(_ text: String) -> Bool? {
        switch text.lowercased() {
        case "true", "t", "1": true
        case "false", "f", "0": false
        default: nil
        }
    }

    private static func fields(_ text: String, option: String) throws -> [String: String] {
        var fields: [String: String] = [:]
        for field in try CommaSeparated.fields(text) {
            let parts = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2 else {
                throw RequestsError(
                    .badOption, "invalid value '\(field)' in \(option)", hint: "Write it as key=value.")
            }
            fields[parts[0].lowercased()] = parts[1]
        }
        return fields
    }
}
