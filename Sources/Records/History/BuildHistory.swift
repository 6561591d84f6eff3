import Diagnostics
package import OCI
package import Solver
package import Store

/// A build of the past, with all that is recorded of it.
package struct PastBuild: Sendable {
    package let record: BuildRecord
    package let details: BuildDetails

    package init(record: BuildRecord, details: BuildDetails) {
        self.record = record
        self.details = details
    }

    /// `nil` when the record is not one of this version.
    init?(_ record: BuildRecord) {
        guard let details = BuildDetails(decoding: record.details) else { return nil }
        self.init(record: record, details: details)
    }

    /// From the start to the end of the build.
    package var duration: Duration { record.duration }

    /// The failure of the step that made the build fail; `nil` where a build failed in no step.
    package var failure: StepFailure? {
        details.steps.lazy.compactMap(\.failure).first { $0.message == record.error }
    }
}

extension BuildRecord {
    /// From the start to the end of the build.
    package var duration: Duration {
        .seconds(finished.seconds - started.seconds) + .nanoseconds(finished.nanoseconds - started.nanoseconds)
    }
}

/// The builds that a store remembers.
package struct BuildHistory: Sendable {
    package let store: StoreRoot

    package init(store: StoreRoot) { self.store = store }

    /// The build that a reference names: an ID or the beginning of one, `^N` for the one N before the newest that has
    /// ended, or a name of the image it made. Without a reference it is the newest that has ended.
    ///
    /// Throws ``RecordsError`` `.buildNotFound`.
    package func record(_ reference: String?) throws -> BuildRecord {
        if let reference, let build = try unfinished(reference) { return build.record }
        return try endedRecord(reference)
    }

    private func endedRecord(_ reference: String?) throws -> BuildRecord {
        if let found = try store.builds.find(reference ?? "^0") { return found }
        guard let reference else {
            throw RecordsError(.buildNotFound, "no build is recorded", hint: "Builds are recorded as they end.")
        }
        if let name = try? ImageReference(parsing: reference),
            let found = try store.builds.list().first(where: { $0.tags.contains(name.familiar) })
        {
            return found
        }
        throw RecordsError(
            .buildNotFound, "no build '\(reference)' is recorded",
            hint: "See 'lamina builds' for those that are; ^1 is the one before the newest.")
    }

    /// The document about a build for programs; `docs/explain.md` describes it.
    package func json(of build: PastBuild) -> JSON {
        build.json { key in (try? store.builds.ingredients(of: key))?.flatMap { try? JSON(parsing: $0) } }
    }

    /// See ``record(_:)``; with its details.
    package func build(_ reference: String?) throws -> PastBuild {
        if let reference, let build = try unfinished(reference) { return build }
        let record = try endedRecord(reference)
        guard let build = PastBuild(record) else {
            throw RecordsError(.corrupt, "the record of the build '\(record.id)' cannot be read")
        }
        return build
    }
}
