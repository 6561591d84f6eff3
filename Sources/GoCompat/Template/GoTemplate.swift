package import Diagnostics
package import OCI

/// The codes of errors in templates.
package enum TemplateCode: String, FailureCode {
    case syntax = "template.syntax"
    case execution = "template.execution"
}
package typealias TemplateError = Failure<TemplateCode>

/// The part of Go's `text/template` that formats of Docker's commands use, over JSON values.
///
/// Fields, variables, pipelines, literals, `if`, `with`, `range`, trim markers, comments and the functions of
/// ``TemplateFunctions``; no `define`, `template` or `block`. A field that is not there is an error, as in docker.
/// Source: https://pkg.go.dev/text/template.
package struct GoTemplate: Sendable {
    package let source: String
    private let nodes: [TemplateNode]

    package init(parsing source: String) throws(TemplateError) {
        self.source = source
        var parser = TemplateParser(source)
        nodes = try parser.template()
    }

    /// Parses the format of an `inspect` command: a template, or `json` for the whole value.
    package init(format: String) throws(TemplateError) {
        try self.init(parsing: format == "json" ? "{{json .}}" : format)
    }

    /// Renders one value.
    ///
    /// With `asHeader` the value is the headings of a table, which functions such as `upper` do not change. `labels` are
    /// what the method `.Label NAME` of a row finds.
    package func render(
        _ value: JSON, asHeader: Bool = false, labels: [String: String] = [:]
    ) throws(TemplateError) -> String {
        var evaluator = TemplateEvaluator(source: source, root: value, asHeader: asHeader, labels: labels)
        return try evaluator.run(nodes)
    }

    /// Encodes a value as the template function `json` does: compact, `<`, `>` and `&` unescaped.
    package static func json(_ value: JSON) -> String {
        let bytes = value.encoded()
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var index = 0
        while index < bytes.count {
            guard bytes[index] == UInt8(ascii: "\\"), index + 1 < bytes.count else {
                result.append(bytes[index])
                index += 1
                continue
            }
            switch String(decoding: bytes[index..<min(index + 6, bytes.count)], as: UTF8.self) {
            case "\\u003c": result.append(UInt8(ascii: "<"))
            case "\\u003e": result.append(UInt8(ascii: ">"))
            case "\\u0026": result.append(UInt8(ascii: "&"))
            default:
                result += bytes[index...index + 1]
                index += 2
                continue
            }
            index += 6
        }
        return String(decoding: result, as: UTF8.self)
    }
}

/// A piece of a template.
indirect enum TemplateNode: Sendable {
    case text(String)
    case output(TemplatePipeline)
    case condition(TemplatePipeline, then: [TemplateNode], otherwise: [TemplateNode])
    case with(TemplatePipeline, then: [TemplateNode], otherwise: [TemplateNode])
    case range(TemplatePipeline, body: [TemplateNode], otherwise: [TemplateNode])
    case leave(isBreak: Bool)
}

/// Commands, each getting the value of the one before as its last argument.
struct TemplatePipeline: Sendable {
    /// The variables it sets: none, one, or for `range` two.
    var variables: [String] = []
    /// Whether they are new ones, `:=`, rather than known ones, `=`.
    var declares = true
    var commands: [[TemplateOperand]] = []
}

/// A value or a function, and where it is written.
struct TemplateOperand: Sendable {
    indirect enum Kind: Sendable {
        case literal(JSON)
        case absent
        case dot
        case variable(String)
        case function(String)
        case pipeline(TemplatePipeline)
        /// Fields of a value, one inside the other.
        case fields(TemplateOperand, [String])
    }

    let kind: Kind
    /// The place that messages name, in bytes from the start.
    let position: Int
    /// The place in the source.
    let range: Range<Int>

    /// Whether it is the one method of rows with an argument, `.Label "name"`.
    var isLabelMethod: Bool {
        guard case .fields(let base, ["Label"]) = kind else { return false }
        switch base.kind {
        case .dot: return true
        case .variable(let name): return name == "$"
        default: return false
        }
    }
}
