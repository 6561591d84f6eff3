import ArgumentParser
import Console
import Inspector
import Linux
import OCI
import Packages
import Requests
import Store
import SystemPackage

struct SBOMCommand: UserNamespaceCommand {
    static let configuration = CommandConfiguration(
        commandName: "sbom", abstract: "List the software in an image.",
        discussion: """
            Packages of dpkg, apk, rpm, Python, Node, Go, Rust, Java, Ruby and PHP are found by the files that name them. \
            Nothing is run, and nothing is unpacked.
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup(title: "Registry options") var registries: RegistryOptions

    @Option(
        help: ArgumentHelp("table, json, spdx, cyclonedx, or a template such as '{{.URL}}'.", valueName: "format"))
    var format: String?

    @Argument(help: ArgumentHelp("A name or an ID.", valueName: "image"))
    var image: String

    func run() async throws {
        try await global.run {
            let list = try listFormat()
            let found = try await ImageFiles(global, image, registries)
            let scan = SoftwareScan(found.image)
            try await found.fetchContent(of: scan.layers)
            let config = found.image.config
            let bill = try await offload {
                try scan.bill(
                    named: image, of: found.id, created: config.created ?? Timestamp(seconds: 0),
                    tool: ("lamina", Version.current), origins: found.origins)
            }
            switch format {
            case "spdx", "spdx-json": say(bill.spdx.text(.pretty(2)))
            case "cyclonedx", "cyclonedx-json": say(bill.cycloneDX.text(.pretty(2)))
            default: for line in try list.lines(for: Self.rows(bill, config.diffIDs)) { say(line) }
            }
        }
    }

    private func listFormat() throws -> ListFormat {
        let isDocument = ["spdx", "spdx-json", "cyclonedx", "cyclonedx-json"].contains(format)
        return try ListFormat(isDocument ? nil : format, columns: Self.columns, shown: Self.shownColumns)
    }

    private static func rows(_ bill: BillOfMaterials, _ layers: [DiffID]) -> [JSON] {
        bill.items.map { item in
            let software = item.software
            let layer = item.layer.flatMap { layers.firstIndex(of: $0) }
            let source = software.source.map { $0.name + ($0.version.map { " \($0)" } ?? "") } ?? ""
            func text(_ value: String) -> JSON { .string(TerminalText.line(value)) }
            return .object(
                ("Name", text(software.name)), ("Version", text(software.version)),
                ("Manager", .string(software.manager.rawValue)), ("Architecture", text(software.architecture)),
                ("Source", text(source)), ("License", text(software.license ?? "")),
                ("Layer", .string(layer.map { "\($0 + 1)" } ?? "")),
                ("Line", .string(item.origin?.lineText ?? "")), ("Path", text(item.path)),
                ("URL", .string(bill.url(of: software))))
        }
    }

    private static let columns: [ListFormat.Column] = [
        .init(field: "Name", header: "NAME"), .init(field: "Version", header: "VERSION"),
        .init(field: "Manager", header: "MANAGER"), .init(field: "Architecture", header: "ARCHITECTURE"),
        .init(field: "Source", header: "SOURCE"), .init(field: "License", header: "LICENSE"),
        .init(field: "Layer", header: "LAYER"), .init(field: "Line", header: "LINE"),
        .init(field: "Path", header: "PATH"),
        .init(field: "URL", header: "URL"),
    ]
    private static let shownColumns = ["Name", "Version", "Manager", "Architecture", "Layer", "Line"]
}
