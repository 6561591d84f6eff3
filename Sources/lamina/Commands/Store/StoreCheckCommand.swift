import ArgumentParser
import Housekeeping
import Linux
import OCI
import Store

struct StoreCheckCommand: UserNamespaceCommand {
    static let configuration = CommandConfiguration(
        commandName: "fsck", abstract: "Check that all is in the store, and is what it should be.",
        discussion: "Ends with 1 when something is wrong that was not repaired. No image is ever removed.")

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @OptionGroup var document: DocumentOptions

    @Flag(help: "Make good what can be.")
    var repair = false

    @Flag(help: "Read the files of unpacked layers, too.")
    var full = false

    @Flag(name: .shortAndLong, help: "Print nothing but defects.")
    var quiet = false

    func run() async throws {
        try await global.run {
            let store = try global.store(.readWrite)
            let result = try await offload { [repair, full, isText = !document.isDocument] in
                try StoreCheck(store, repairs: repair, readsFiles: full) { if isText { say(Self.line($0)) } }.run()
            }
            if document.isDocument { try show(result) } else if !quiet { summarise(result) }
            if !result.defects.allSatisfy(\.isRepaired) { throw ExitStatus.failure }
        }
    }

    private static func line(_ defect: StoreDefect) -> String {
        let remedy =
            switch defect.remedy {
            case .none: ""
            case .done(let what): " [repaired: \(what)]"
            case .beyondRepair(let hint): " [\(hint)]"
            }
        return "\(defect.subject) \(defect.problem)\(remedy)"
    }

    private func show(_ result: StoreCheckResult) throws {
        let defects = result.defects.map { defect in
            let remedy: String? =
                switch defect.remedy {
                case .none: nil
                case .done(let what), .beyondRepair(let what): what
                }
            return JSON.object(
                ("subject", .string(defect.subject)), ("problem", .string(defect.problem)),
                ("isRepaired", .bool(defect.isRepaired)), ("remedy", remedy.map { .string($0) } ?? .null))
        }
        try document.show(
            (
                "checked",
                .object(
                    ("blobs", .integer(result.blobs)), ("layers", .integer(result.layers)),
                    ("snapshots", .integer(result.snapshots)), ("cacheRecords", .integer(result.cacheRecords)),
                    ("images", .integer(result.images)), ("builds", .integer(result.builds)))
            ), ("defects", .array(defects)))
    }

    private func summarise(_ result: StoreCheckResult) {
        let parts = [
            "\(result.blobs) blobs", "\(result.layers) layers", "\(result.snapshots) snapshots",
            "\(result.cacheRecords) cache records", "\(result.images) images",
            "\(result.builds) builds",
        ]
        let repaired = result.defects.count(where: \.isRepaired)
        say("Checked \(parts.joined(separator: ", ")).")
        if result.defects.isEmpty {
            say("The store is whole.")
        } else {
            say("Defects: \(result.defects.count), of which repaired: \(repaired).")
            if repaired == 0, !repair { say("Run 'lamina fsck --repair' to make good what can be.") }
        }
    }
}
