import Foundation
import OCI
import Testing

@testable import YAML

/// The YAML on the pages of `docs/ci`, by the keys that each system demands and knows.
@Suite struct PipelinePageTests {
    /// The shape that a value must have.
    private indirect enum Shape: Sendable {
        case text
        /// One of these words.
        case word([String])
        case list(Shape)
        /// Any names, each with a value of one shape.
        case names(Shape)
        case map(needed: [String: Shape], known: [String: Shape] = [:])
        case either(Shape, Shape)

        /// The faults of a value; none for one that fits.
        func faults(in value: JSON?, at path: String) -> [String] {
            guard let value else { return ["\(path) is missing"] }
            switch self {
            case .text: return value.string == nil ? ["\(path) is no text"] : []
            case .word(let words):
                return value.string.map(words.contains) == true ? [] : ["\(path) is none of \(words)"]
            case .list(let shape):
                guard let items = value.array, !items.isEmpty else { return ["\(path) is no list"] }
                return items.enumerated().flatMap { shape.faults(in: $1, at: "\(path)[\($0)]") }
            case .names(let shape):
                guard case .object(let members) = value, !members.keys.isEmpty else { return ["\(path) is no mapping"] }
                return members.keys.flatMap { shape.faults(in: members[$0], at: "\(path).\($0)") }
            case .map(let needed, let known):
                guard case .object(let members) = value else { return ["\(path) is no mapping"] }
                let missing = needed.keys.sorted().flatMap {
                    needed[$0]?.faults(in: members[$0], at: "\(path).\($0)") ?? []
                }
                return missing
                    + members.keys.filter { needed[$0] == nil }.flatMap { key in
                        known[key]?.faults(in: members[key], at: "\(path).\(key)") ?? ["\(path).\(key) is unknown"]
                    }
            case .either(let one, let other):
                let faults = one.faults(in: value, at: path)
                return faults.isEmpty || other.faults(in: value, at: path).isEmpty ? [] : faults
            }
        }
    }

    /// Source: docs.gitlab.com/ci/yaml.
    private static let gitlab = Shape.names(
        .map(
            needed: ["script": .list(.text)],
            known: [
                "image": .either(.text, .map(needed: ["name": .text], known: ["entrypoint": .list(.text)])),
                "variables": .names(.text), "artifacts": .map(needed: ["paths": .list(.text)]), "stage": .text,
            ]))

    /// Source: docs.github.com, "Workflow syntax for GitHub Actions". `on` is the reader's own.
    private static let github = Shape.map(needed: [
        "jobs": .names(
            .map(
                needed: [
                    "runs-on": .text,
                    "steps": .list(
                        .either(
                            .map(needed: ["uses": .text], known: ["name": .text, "with": .names(.text)]),
                            .map(needed: ["run": .text], known: ["name": .text, "env": .names(.text)]))),
                ],
                known: ["permissions": .names(.word(["read", "write", "none"])), "needs": .text]))
    ])

    /// Source: the reference of the Kubernetes API, `Job` and `PodSpec`.
    private static let kubernetes = Shape.map(needed: [
        "apiVersion": .word(["batch/v1"]), "kind": .word(["Job"]), "metadata": .map(needed: ["name": .text]),
        "spec": .map(
            needed: [
                "template": .map(needed: [
                    "spec": .map(
                        needed: [
                            "restartPolicy": .word(["Never", "OnFailure"]),
                            "containers": .list(
                                .map(
                                    needed: ["name": .text, "image": .text],
                                    known: [
                                        "command": .list(.text), "args": .list(.text),
                                        "env": .list(.map(needed: ["name": .text, "value": .text])),
                                        "volumeMounts": .list(
                                            .map(
                                                needed: ["name": .text, "mountPath": .text],
                                                known: ["readOnly": .word(["true", "false"])])),
                                    ])),
                        ],
                        known: [
                            "volumes": .list(
                                .map(
                                    needed: ["name": .text],
                                    known: [
                                        "emptyDir": .map(needed: [:]), "secret": .map(needed: ["secretName": .text]),
                                    ]))
                        ])
                ])
            ], known: ["backoffLimit": .text]),
    ])

    /// The parts of a task's step. Source: tekton.dev, "Tasks".
    private static let tekton = Shape.either(
        .map(needed: ["script": .text]), .map(needed: ["args": .list(.text)]))

    private static func documents(of page: String) throws -> [JSON] {
        let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let text = try String(contentsOfFile: "/\(root)/docs/ci/\(page).md", encoding: .utf8)
        return try text.components(separatedBy: "```yaml\n").dropFirst().map { block in
            try YAML.parse(Array((block.components(separatedBy: "```").first ?? "").utf8))
        }
    }

    @Test func pagesHaveTheKeysOfTheirSystems() throws {
        let pages: [(page: String, shapes: [Shape])] = [
            ("gitlab", [Self.gitlab]), ("github-actions", [Self.github]),
            ("kubernetes", [Self.kubernetes, Self.tekton]), ("kaniko", [Self.gitlab, Self.tekton]),
        ]
        for (page, shapes) in pages {
            let documents = try Self.documents(of: page)
            #expect(documents.count == shapes.count, "\(page)")
            for (document, shape) in zip(documents, shapes) {
                #expect(shape.faults(in: document, at: page) == [])
            }
        }
    }

    @Test func mountsOfThePodAreVolumesOfIt() throws {
        let pod = try Self.documents(of: "kubernetes").first?["spec"]?["template"]?["spec"]
        func names(_ list: JSON?) -> [String] { (list?.array ?? []).compactMap { $0["name"]?.string }.sorted() }
        let containers = pod?["containers"]?.array ?? []
        #expect(containers.count == 1 && names(pod?["volumes"]).count == 3)
        #expect(names(containers.first?["volumeMounts"]) == names(pod?["volumes"]))
    }

    @Test(arguments: [
        ("build: {image: x}", "t.build.script is missing"), ("build: {script: []}", "t.build.script is no list"),
        ("build: {script: [a], scripts: [b]}", "t.build.scripts is unknown"), ("build: text", "t.build is no mapping"),
        ("build: {script: [{a: b}]}", "t.build.script[0] is no text"),
    ])
    func faultsAreFound(_ text: String, _ fault: String) throws {
        #expect(try Self.gitlab.faults(in: YAML.parse(Array(text.utf8)), at: "t") == [fault])
    }
}
