import Diagnostics
package import OCI

extension RegistryClient {
    /// The image that a name stands for. Where it has no registry and may be one of several images, their registries are
    /// asked in order, and the first that has it counts.
    ///
    /// Throws ``RegistryError``, e.g. `.notFound` when none of them has it.
    package func reference(for name: ImageName) async throws -> ImageReference {
        try await reference(for: name) { _ = try await descriptor(of: $0) }
    }

    /// The repository that a name stands for, as ``reference(for:)`` finds it.
    package func repository(for name: ImageName) async throws -> ImageReference {
        try await reference(for: name) { _ = try await tags(of: $0) }
    }

    private func reference(
        for name: ImageName, asking ask: (ImageReference) async throws -> Void
    ) async throws -> ImageReference {
        let candidates = try configuration.candidates(for: name)
        if candidates.count == 1 { return candidates[0] }
        var failures: [(text: String, code: RegistryCode)] = []
        for candidate in candidates {
            do {
                try await ask(candidate)
                return candidate
            } catch let error as RegistryError where error.code != .offline && error.code != .configuration {
                let reason = Self.reason(error, about: candidate)
                failures.append(("\(candidate) (\(reason))", error.code))
                guard ![.notFound, .unauthorised, .denied].contains(error.code) else { continue }
                NetworkNotice.report("\(candidate) cannot be looked up (\(reason)); trying the next registry")
            }
        }
        let codes = Set(failures.map(\.code))
        throw RegistryError(
            codes.count == 1 ? codes.first ?? .notFound : .notFound,
            "'\(name.reference.familiar)' is in none of the registries that are searched for it: "
                + failures.map(\.text).joined(separator: ", "),
            hint: "Write the name with its registry, or change unqualified-search-registries in registries.conf.")
    }

    /// The message of an error without the beginning that names the operation and the image.
    private static func reason(_ error: RegistryError, about candidate: ImageReference) -> String {
        for beginning in ["cannot look up \(candidate): ", "cannot list the tags of \(candidate.name): "]
        where error.message.hasPrefix(beginning) { return String(error.message.dropFirst(beginning.count)) }
        return error.message
    }
}
