import Diagnostics
import Layers
import OCI
import Records
import Solver
import Store
import Trees

extension StoreCheck {
    /// Looks whether the records of builds can be read, and whether all is there that they name. A build may end
    /// meanwhile, and with it old ones go: so what seems to be missing is looked up once more.
    func checkBuilds() throws {
        for row in try store.builds.rows() {
            result.builds += 1
            switch row.record {
            case .failure:
                try found("record of build '\(row.id)'", "cannot be read") { try forget(row) }
            case .success(let record) where BuildDetails(decoding: record.details) == nil:
                try found("record of build '\(row.id)'", "has details that cannot be read") { try forget(row) }
            case .success(let record): try checkLog(of: record)
            }
        }
        for (key, ingredients) in try store.builds.allIngredients() {
            if (try? Digest(parsing: key)) != nil, KeyIngredients(decoding: ingredients) != nil { continue }
            try found("what went into the key '\(key)'", "cannot be read") {
                try store.builds.removeIngredients(of: key)
                return .done("forgotten; builds that had it are not explained by it any more")
            }
        }
        for list in try store.builds.allLists() {
            guard let problem = try problem(ofList: list) else { continue }
            try found("list of copied files '\(list)'", problem) {
                try store.builds.removeList(list)
                return .done("forgotten; the next build that has it writes it again")
            }
        }
    }

    private func forget(_ row: BuildRow) throws -> StoreDefect.Remedy {
        try store.builds.remove(row)
        return .done("the build is forgotten")
    }

    private func checkLog(of record: BuildRecord) throws {
        guard record.logSize > 0, let problem = try problem(ofLog: record),
            try store.builds.build(record.id)?.logSize == record.logSize
        else { return }
        try found("log of build '\(record.id)'", problem) {
            try store.builds.removeLog(of: record.id)
            return .done("forgotten; the record stays")
        }
    }

    private func problem(ofLog record: BuildRecord) throws -> String? {
        guard let size = try store.builds.logSize(of: record.id) else { return "is missing" }
        guard size == record.logSize else { return "has \(size) bytes, not \(record.logSize)" }
        do {
            var log = try BuildLogReader(of: record, in: store)
            while try log?.next() != nil {}
            return log?.isMalformed == true ? "cannot be read to its end" : nil
        } catch {
            return "cannot be read: \(describe(error))"
        }
    }

    private func problem(ofList text: String) throws -> String? {
        guard let digest = try? Digest(parsing: text) else { return "has a name that is no digest" }
        guard let file = try store.builds.openList(digest) else {
            return try store.builds.allLists().contains(text) ? "is missing" : nil
        }
        guard let bytes = try? DecompressedStream(DescriptorStream(file)).readAll(),
            FileListing.isListing(bytes)
        else { return "cannot be read" }
        return nil
    }
}
