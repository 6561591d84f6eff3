package import Diagnostics

/// Errors in the argument of `--chmod`.
package enum FileModeCode: String, FailureCode { case malformed = "copy.mode" }
package typealias FileModeError = Failure<FileModeCode>

/// The argument of `--chmod`: an octal number, or a symbolic expression of chmod(1) with umask 0.
package struct FileMode: Hashable, Sendable {
    /// As it was written.
    package let text: String
    private let change: Change

    private enum Change: Hashable, Sendable {
        case octal(UInt32)
        case symbolic([Clause])
    }

    /// E.g. `ug+rX`.
    fileprivate struct Clause: Hashable, Sendable {
        /// The classes changed, as a mask of `0o700`, `0o070` and `0o007`.
        var classes: UInt32
        var actions: [Action]
    }

    fileprivate struct Action: Hashable, Sendable {
        enum Operator: Character, Hashable { case add = "+", remove = "-", set = "=" }
        var operation: Operator
        var permissions: String
    }

    /// Throws in BuildKit's words.
    package init(parsing text: String) throws(FileModeError) {
        self.text = text
        if let first = text.first, first.isASCII, first.isNumber {
            guard let value = UInt32(text, radix: 8), value <= 0o7777 else {
                throw FileModeError(
                    .malformed,
                    "invalid chmod parameter: '\(text)'. it should be octal string and between 0 and 07777")
            }
            change = .octal(value)
            return
        }
        var clauses: [Clause] = []
        for clause in text.split(separator: ",", omittingEmptySubsequences: false) {
            clauses.append(try Self.clause(clause))
        }
        change = .symbolic(clauses)
    }

    private static func clause(_ text: Substring) throws(FileModeError) -> Clause {
        var rest = text
        var classes: UInt32 = 0
        while let character = rest.first, let mask = classMask(character) {
            classes |= mask
            rest = rest.dropFirst()
        }
        var actions: [Action] = []
        while let character = rest.first {
            guard let operation = Action.Operator(rawValue: character) else { break }
            rest = rest.dropFirst()
            let permissions = rest.prefix { "rwxXstugo".contains($0) }
            rest = rest.dropFirst(permissions.count)
            actions.append(Action(operation: operation, permissions: String(permissions)))
        }
        guard rest.isEmpty, !actions.isEmpty else {
            throw FileModeError(
                .malformed, "invalid syntax",
                hint: "Write the mode as octal digits or as in chmod(1), e.g. u=rwX,go=rX.")
        }
        return Clause(classes: classes == 0 ? 0o777 : classes, actions: actions)
    }

    private static func classMask(_ character: Character) -> UInt32? {
        switch character {
        case "u": 0o700
        case "g": 0o070
        case "o": 0o007
        case "a": 0o777
        default: nil
        }
    }

    /// The twelve permission bits of a file that has `mode` now.
    package func applied(to mode: UInt32, isDirectory: Bool) -> UInt32 {
        switch change {
        case .octal(let value): return value
        case .symbolic(let clauses):
            let isExecutable = isDirectory || mode & 0o111 != 0
            return clauses.flatMap(\.changes).reduce(mode) { $1.applied(to: $0, isExecutable: isExecutable) }
        }
    }

    /// The mode of directories that are made on the way: only an octal mode says something about them, and nothing
    /// about their special bits.
    package var forNewDirectories: UInt32 {
        if case .octal(let value) = change { value & 0o777 } else { 0o755 }
    }
}

extension FileMode.Clause {
    /// The clause as single changes, in the order and with the meaning that setmode(3) of BSD gives them.
    ///
    /// A `=` replaces the set-id bits of its classes, unless it copies the bits of a class; the sticky bit only where
    /// `t` is among the permissions.
    fileprivate var changes: [FileMode.BitChange] { actions.flatMap(changes(of:)) }

    private func changes(of action: FileMode.Action) -> [FileMode.BitChange] {
        var changes: [FileMode.BitChange] = []
        var who = classes | (classes & 0o700 != 0 ? 0o4000 : 0) | (classes & 0o070 != 0 ? 0o2000 : 0)
        let isOthersOnly = classes == 0o007
        var bits: UInt32 = 0
        var executable: UInt32 = 0
        var mustReplace = action.operation == .set
        func flush() {
            if bits != 0 || mustReplace {
                if action.operation == .set { changes.append(.clear(who)) }
                changes.append(action.operation == .remove ? .clear(bits & who) : .set(bits & who))
                mustReplace = false
            }
            if executable != 0 { changes.append(.setIfExecutable(executable & who)) }
            (bits, executable) = (0, 0)
        }
        for permission in action.permissions {
            switch permission {
            case "r": bits |= 0o444
            case "w": bits |= 0o222
            case "x": bits |= 0o111
            case "X": if action.operation == .remove { bits |= 0o111 } else { executable = 0o111 }
            case "s": if !isOthersOnly { bits |= 0o6000 }
            case "t":
                if !isOthersOnly {
                    who |= 0o1000
                    bits |= 0o1000
                }
            default:
                // The copy is what replaces the bits, so there is no need to clear them before.
                mustReplace = false
                flush()
                changes.append(.copy(from: permission, to: classes, action.operation))
            }
        }
        flush()
        return changes
    }
}

extension FileMode {
    /// One change of permission bits.
    fileprivate enum BitChange {
        case set(UInt32)
        case clear(UInt32)

        /// For `X`: only for directories, and for files that somebody could execute before any change.
        case setIfExecutable(UInt32)

        /// The three bits of the class `from`, as they are by now, for the classes `to`.
        case copy(from: Character, to: UInt32, Action.Operator)

        func applied(to mode: UInt32, isExecutable: Bool) -> UInt32 {
            switch self {
            case .set(let bits): return mode | bits
            case .clear(let bits): return mode & ~bits
            case .setIfExecutable(let bits): return isExecutable ? mode | bits : mode
            case .copy(let source, let classes, let operation):
                let shift: UInt32 = source == "u" ? 6 : source == "g" ? 3 : 0
                let bits = ((mode >> shift & 7) * 0o111) & classes
                switch operation {
                case .add: return mode | bits
                case .remove: return mode & ~bits
                case .set: return mode & ~classes | bits
                }
            }
        }
    }
}
