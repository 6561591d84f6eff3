import Diagnostics
package import OCI
package import SystemPackage

/// The cases in which an image is looked for at its registry though the store may have it.
package enum PullPolicy: String, CaseIterable, Sendable {
    /// The registry says what a name means now; without it there is no build.
    case always
    /// Only for what the store does not have.
    case missing
    /// Not at all.
    case never
    /// As `always`, but what the store has will do when the registry cannot be asked.
    case newer
}

/// How new the things must be that a build finds and does not make.
package struct Freshness: Hashable, Sendable {
    package var pull = PullPolicy.missing
    /// The file that keeps the digests of base images, if there is to be one.
    package var lock: FilePath?
    /// In nanoseconds: steps that were run longer ago run again; `nil` takes a result of any age.
    package var cacheLifetime: Int64?

    package init() {}

    /// The earliest moment from which a result is still good.
    package func oldest(at now: Timestamp) -> Timestamp? {
        guard let cacheLifetime else { return nil }
        let (seconds, rest) = cacheLifetime.quotientAndRemainder(dividingBy: 1_000_000_000)
        let nanoseconds = Int64(now.nanoseconds) - rest
        return nanoseconds < 0
            ? Timestamp(seconds: now.seconds - seconds - 1, nanoseconds: Int32(nanoseconds + 1_000_000_000))
            : Timestamp(seconds: now.seconds - seconds, nanoseconds: Int32(nanoseconds))
    }
}

extension PullPolicy {
    /// Whether an image that the store has will do unseen: one that is named by its digest never changes.
    package func accepts(_ reference: ImageReference) -> Bool {
        switch self {
        case .missing, .never: true
        case .always, .newer: reference.digest != nil
        }
    }

    /// Throws ``RequestsError`` `.imageNotFound` where the registry may not be asked.
    package func allow(_ reference: ImageReference) throws {
        guard self == .never else { return }
        throw RequestsError(
            .imageNotFound, "image \(reference.familiar) is not in the store, and --pull=never forbids to fetch it",
            hint: "Pull it before, or leave --pull=never out.")
    }
}
