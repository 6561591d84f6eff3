import OCI

/// A recursive-descent parser for templates.
struct TemplateParser {
    /// The end of a list of nodes.
    private enum End {
        case ofTemplate
        case end
        case otherwise
    }

    private static let maximumDepth = 64

    private var scanner: TemplateScanner
    private var depth = 0
    private var loops = 0
    /// The variables in scope, for messages about unknown ones.
    private var variables = ["$"]
    /// The keyword after `else`, as in `{{else if}}`, which opens one more level without an end of its own.
    private var chained: String?

    init(_ source: String) { scanner = TemplateScanner(source) }

    mutating func template() throws(TemplateError) -> [TemplateNode] {
        let (nodes, end) = try list()
        switch end {
        case .ofTemplate: return nodes
        case .end: throw scanner.error("unexpected {{end}}")
        case .otherwise: throw scanner.error("unexpected {{else}}")
        }
    }

    private mutating func list() throws(TemplateError) -> ([TemplateNode], End) {
        depth += 1
        defer { depth -= 1 }
        guard depth < Self.maximumDepth else { throw scanner.error("the template is nested too deeply") }
        let scope = variables.count
        defer { variables.removeLast(variables.count - scope) }
        var nodes: [TemplateNode] = []
        while true {
            let (text, hasAction) = scanner.text()
            if !text.isEmpty { nodes.append(.text(text)) }
            guard hasAction else { return (nodes, .ofTemplate) }
            if try scanner.skipComment() { continue }
            guard let keyword = scanner.keyword() else {
                nodes.append(.output(try pipeline(allowing: 1)))
                try scanner.endAction()
                continue
            }
            switch keyword {
            case "end":
                try scanner.endAction()
                return (nodes, .end)
            case "else":
                chained = scanner.keyword()
                if chained == nil { try scanner.endAction() }
                return (nodes, .otherwise)
            case "break", "continue":
                guard loops > 0 else { throw scanner.error("{{\(keyword)}} outside {{range}}") }
                try scanner.endAction()
                nodes.append(.leave(isBreak: keyword == "break"))
            default:
                nodes.append(try control(keyword))
            }
        }
    }

    private mutating func control(_ keyword: String) throws(TemplateError) -> TemplateNode {
        depth += 1
        defer { depth -= 1 }
        guard ["if", "with", "range"].contains(keyword) else {
            throw scanner.error("{{\(keyword)}} is not supported in formats")
        }
        let scope = variables.count
        defer { variables.removeLast(variables.count - scope) }
        let pipeline = try pipeline(allowing: keyword == "range" ? 2 : 1)
        try scanner.endAction()
        if keyword == "range" { loops += 1 }
        let (body, end) = try list()
        if keyword == "range" { loops -= 1 }
        var otherwise: [TemplateNode] = []
        switch end {
        case .ofTemplate: throw scanner.error("unexpected EOF")
        case .end: break
        case .otherwise:
            if let next = chained {
                chained = nil
                guard next == keyword, next != "range" else { throw scanner.error("unexpected {{else \(next)}}") }
                otherwise = [try control(next)]
            } else {
                let (nodes, end) = try list()
                guard case .end = end else {
                    throw scanner.error(end == .otherwise ? "expected end; found {{else}}" : "unexpected EOF")
                }
                otherwise = nodes
            }
        }
        return switch keyword {
        case "if": .condition(pipeline, then: body, otherwise: otherwise)
        case "with": .with(pipeline, then: body, otherwise: otherwise)
        default: .range(pipeline, body: body, otherwise: otherwise)
        }
    }

    // MARK: Pipelines

    private mutating func pipeline(allowing count: Int) throws(TemplateError) -> TemplatePipeline {
        depth += 1
        defer { depth -= 1 }
        guard depth < Self.maximumDepth else { throw scanner.error("the template is nested too deeply") }
        var pipeline = TemplatePipeline()
        if let (names, declares) = scanner.assignment() {
            guard names.count <= count else { throw scanner.error("too many declarations in command") }
            pipeline.variables = names
            pipeline.declares = declares
            if !declares { for name in names { try require(name) } }
        }
        repeat {
            pipeline.commands.append(try command())
        } while scanner.take("|")
        if let first = pipeline.commands.dropFirst().compactMap(\.first).first(where: { !$0.isFunction }) {
            throw scanner.error("non executable command in pipeline stage: \(scanner.text(of: first.range))")
        }
        if pipeline.declares { variables += pipeline.variables }
        return pipeline
    }

    private mutating func require(_ name: String) throws(TemplateError) {
        guard variables.contains(name) else { throw scanner.error("undefined variable \"\(name)\"") }
    }

    private mutating func command() throws(TemplateError) -> [TemplateOperand] {
        var operands: [TemplateOperand] = []
        while !scanner.atEndOfCommand { operands.append(try operand()) }
        guard let first = operands.first else {
            throw scanner.error(scanner.isAtEnd ? "unclosed action" : "missing value for command")
        }
        if operands.count > 1, !first.isFunction, !(first.isLabelMethod && operands.count == 2) {
            throw scanner.error("can't give argument to non-function \(scanner.text(of: first.range))")
        }
        return operands
    }

    private mutating func operand() throws(TemplateError) -> TemplateOperand {
        let start = scanner.position
        let kind: TemplateOperand.Kind
        if scanner.take("(") {
            let inner = try pipeline(allowing: 0)
            guard scanner.take(")") else { throw scanner.error("unclosed left paren") }
            kind = .pipeline(inner)
        } else if let name = scanner.variable() {
            try require(name)
            kind = .variable(name)
        } else if let literal = try scanner.literal() {
            kind = .literal(literal)
        } else if let name = scanner.identifier() {
            guard name == "nil" || TemplateFunctions.names.contains(name) else {
                throw scanner.error("function \"\(name)\" not defined")
            }
            kind = name == "nil" ? .absent : .function(name)
        } else if scanner.isAtField {
            kind = .dot
        } else if scanner.takeDot() {
            kind = .dot
        } else {
            throw scanner.error(scanner.unexpected)
        }
        return try withFields(TemplateOperand(kind: kind, position: start, range: start..<scanner.position))
    }

    /// Reads `.A.B` after an operand; messages about it name the place of the second field, as Go's do.
    private mutating func withFields(_ base: TemplateOperand) throws(TemplateError) -> TemplateOperand {
        var names: [String] = []
        var places: [Int] = []
        while scanner.isAtField, base.canHaveFields {
            places.append(scanner.position)
            names.append(scanner.field())
        }
        // The dot itself has no width: the first field is where the operand begins.
        let position = base.range.isEmpty ? places.dropFirst().first : places.first
        guard scanner.isAtEndOfOperand else { throw scanner.error(scanner.unexpected) }
        guard !names.isEmpty else { return base }
        return TemplateOperand(
            kind: .fields(base, names), position: position ?? base.position,
            range: base.range.lowerBound..<scanner.position)
    }
}

extension TemplateOperand {
    var isFunction: Bool { if case .function = kind { true } else { false } }

    fileprivate var canHaveFields: Bool {
        switch kind {
        case .dot, .variable, .pipeline: true
        default: false
        }
    }
}
