import Diagnostics
import OCI

/// Runs a parsed template over a value.
struct TemplateEvaluator {
    private enum Leave {
        case breaking
        case continuing
    }

    private let source: [UInt8]
    private let asHeader: Bool
    private let labels: [String: String]
    private var dot: JSON
    private var variables: [(name: String, value: JSON)]
    private var output = ""
    private var leave: Leave?

    init(source: String, root: JSON, asHeader: Bool, labels: [String: String]) {
        self.source = Array(source.utf8)
        self.asHeader = asHeader
        self.labels = labels
        dot = root
        variables = [("$", root)]
    }

    mutating func run(_ nodes: [TemplateNode]) throws(TemplateError) -> String {
        try execute(nodes)
        return output
    }

    // MARK: Nodes

    private mutating func execute(_ nodes: [TemplateNode]) throws(TemplateError) {
        let scope = variables.count
        defer { variables.removeLast(variables.count - scope) }
        for node in nodes where leave == nil {
            switch node {
            case .text(let text): output += text
            case .output(let pipeline):
                let value = try evaluate(pipeline)
                try bind(pipeline, [value])
                if pipeline.variables.isEmpty { output += Self.text(of: value, pipeline) }
            case .condition(let pipeline, let then, let otherwise):
                try scoped { (evaluator: inout Self) throws(TemplateError) in
                    let value = try evaluator.evaluate(pipeline)
                    try evaluator.bind(pipeline, [value])
                    try evaluator.execute(value.isTrue ? then : otherwise)
                }
            case .with(let pipeline, let then, let otherwise):
                try scoped { (evaluator: inout Self) throws(TemplateError) in
                    let value = try evaluator.evaluate(pipeline)
                    try evaluator.bind(pipeline, [value])
                    if value.isTrue { evaluator.dot = value }
                    try evaluator.execute(value.isTrue ? then : otherwise)
                }
            case .range(let pipeline, let body, let otherwise): try loop(pipeline, body, otherwise)
            case .leave(let isBreak): leave = isBreak ? .breaking : .continuing
            }
        }
    }

    /// Runs `body` and forgets its variables and its dot.
    private mutating func scoped(
        _ body: (inout Self) throws(TemplateError) -> Void
    ) throws(TemplateError) {
        let (scope, outer) = (variables.count, dot)
        defer {
            variables.removeLast(variables.count - scope)
            dot = outer
        }
        try body(&self)
    }

    private mutating func loop(
        _ pipeline: TemplatePipeline, _ body: [TemplateNode], _ otherwise: [TemplateNode]
    ) throws(TemplateError) {
        let value = try evaluate(pipeline)
        let items: [(JSON, JSON)]
        switch value {
        case .array(let array): items = array.enumerated().map { (.integer($0.offset), $0.element) }
        case .object(let object): items = object.sorted().members.map { (.string($0.key), $0.value) }
        case .null: items = []
        default: throw failure("range can't iterate over \(value.goText)", at: pipeline.commands[0][0])
        }
        if items.isEmpty { try execute(otherwise) }
        for (key, item) in items {
            try scoped { (evaluator: inout Self) throws(TemplateError) in
                try evaluator.bind(pipeline, pipeline.variables.count == 2 ? [key, item] : [item])
                evaluator.dot = item
                try evaluator.execute(body)
            }
            let left = leave
            leave = nil
            if left == .breaking { break }
        }
    }

    private mutating func bind(_ pipeline: TemplatePipeline, _ values: [JSON]) throws(TemplateError) {
        for (name, value) in zip(pipeline.variables, values) {
            if !pipeline.declares, let known = variables.lastIndex(where: { $0.name == name }) {
                variables[known].value = value
            } else {
                variables.append((name, value))
            }
        }
    }

    // MARK: Values

    private func evaluate(_ pipeline: TemplatePipeline) throws(TemplateError) -> JSON {
        var value: JSON?
        for command in pipeline.commands { value = try evaluate(command, last: value) }
        return value ?? .null
    }

    private func evaluate(_ command: [TemplateOperand], last: JSON?) throws(TemplateError) -> JSON {
        guard case .function(let name) = command[0].kind else {
            if case .absent = command[0].kind { throw failure("nil is not a command", at: command[0]) }
            if command.count == 2, command[0].isLabelMethod {
                let name = try evaluate(command[1]).goText
                return .string(asHeader ? name : labels[name] ?? "")
            }
            return try evaluate(command[0])
        }
        if name == "and" || name == "or" { return try shortCircuit(name == "or", command, last: last) }
        var arguments: [JSON] = []
        for operand in command.dropFirst() { arguments.append(try evaluate(operand)) }
        if let last { arguments.append(last) }
        if asHeader, TemplateFunctions.leavesHeaderAlone.contains(name) {
            return arguments.first { $0.string != nil } ?? .null
        }
        do throws(TemplateFunctions.Problem) {
            return try TemplateFunctions.call(name, arguments)
        } catch {
            throw failure("error calling \(name): \(error.message)", at: command[0])
        }
    }

    /// `and` and `or` evaluate only as many arguments as they need.
    private func shortCircuit(
        _ wanted: Bool, _ command: [TemplateOperand], last: JSON?
    ) throws(TemplateError) -> JSON {
        var value: JSON?
        for operand in command.dropFirst() {
            let next = try evaluate(operand)
            if next.isTrue == wanted { return next }
            value = next
        }
        guard let result = last ?? value else {
            throw failure("wrong number of args for \(wanted ? "or" : "and"): want at least 1 got 0", at: command[0])
        }
        return result
    }

    private func evaluate(_ operand: TemplateOperand) throws(TemplateError) -> JSON {
        switch operand.kind {
        case .literal(let value): return value
        case .absent: return .null
        case .dot: return dot
        case .variable(let name): return variables.last { $0.name == name }?.value ?? .null
        case .function: return try evaluate([operand], last: nil)
        case .pipeline(let pipeline): return try evaluate(pipeline)
        case .fields(let base, let names):
            var value = try evaluate(base)
            for (index, name) in names.enumerated() {
                let isOfMap = index > 0 && DockerTypes.maps.contains(names[index - 1])
                value = try isOfMap && isMissing(name, in: value) ? .null : field(name, of: value, in: operand)
            }
            return value
        }
    }

    /// The member of a document with the spelling of the OCI specifications, `mediaType`, which Go's programs have as
    /// fields, `.MediaType`.
    private static func specified(_ name: String, in object: JSONObject) -> JSON? {
        guard name.first?.isUppercase == true, !object.keys.contains(where: { $0.first?.isUppercase == true }) else {
            return nil
        }
        return object[name.prefix(1).lowercased() + name.dropFirst()] ?? object[name.lowercased()]
    }

    /// Whether a map has no such member, which a template of Go takes for nothing.
    private func isMissing(_ name: String, in value: JSON) -> Bool {
        switch value {
        case .null: true
        case .object(let object): object[name] == nil
        default: false
        }
    }

    /// The text of a value as Docker's type of its field has it: a null one is an empty list or map where it has those.
    private static func text(of value: JSON, _ pipeline: TemplatePipeline) -> String {
        guard pipeline.commands.count == 1, let command = pipeline.commands.first, command.count == 1,
            case .fields(_, let names) = command[0].kind, let name = names.last
        else { return value == .null ? "<no value>" : value.goText }
        guard value == .null else { return DockerTypes.structures[name].map(value.goText) ?? value.goText }
        if DockerTypes.maps.contains(name) { return "map[]" }
        return DockerTypes.lists.contains(name) ? "[]" : DockerTypes.pointers.contains(name) ? "<nil>" : "<no value>"
    }

    private func field(_ name: String, of value: JSON, in operand: TemplateOperand) throws(TemplateError) -> JSON {
        switch value {
        case .object(let object):
            if let member = object[name] ?? Self.specified(name, in: object) { return member }
            throw failure("map has no entry for key \"\(name)\"", at: operand, known: object.keys)
        case .null: throw failure("nil pointer evaluating interface {}.\(name)", at: operand)
        default: throw failure("can't evaluate field \(name) in type \(value.goType)", at: operand)
        }
    }

    private func failure(_ message: String, at operand: TemplateOperand, known: [String] = []) -> TemplateError {
        let before = source.prefix(operand.position)
        let line = 1 + before.count { $0 == 0x0a }
        let column = operand.position - (before.lastIndex(of: 0x0a).map { $0 + 1 } ?? 0)
        let context = String(decoding: source[operand.range], as: UTF8.self)
        let fields = known.prefix(20).map { ".\($0)" }.joined(separator: " ")
        return TemplateError(
            .execution,
            "template parsing error: template: :\(line):\(column): executing \"\" at <\(context)>: \(message)",
            hint: known.isEmpty ? nil : "Use one of \(fields)\(known.count > 20 ? " …" : "")")
    }
}
