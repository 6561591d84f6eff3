package import Diagnostics

/// Errors in the argument of `--chmod`.
package enum FileModeCode: String, FailureCode { case malformed = "copy.mode" }
package typealias FileModeError = Failure<FileModeCode>

/// The argument of `--chmod`: an octal number, or a symbolic expression as of chmod(1) with umask 0.
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
            return clauses.reduce(mode) { $1.applied(to: $0, isDirectory: isDirectory) }
        }
    }

    /// The value for directories that are made on the way: only an octal mode says something about them.
    package var forNewDirectories: UInt32 {
        if case .octal(let value) = change { value } else { 0o755 }
    }
}

extension FileMode.Clause {
    fileprivate func applied(to mode: UInt32, isDirectory: Bool) -> UInt32 {
        var mode = mode
        for action in actions {
            let bits = self.bits(action.permissions, mode: mode, isDirectory: isDirectory)
            switch action.operation {
            case .add: mode |= bits
            case .remove: mode &= ~bits
            case .set: mode = mode & ~settable | bits
            }
        }
        return mode
    }

    /// All bits that `=` replaces for the classes of this clause.
    private var settable: UInt32 {
        var mask = classes
        if classes & 0o700 != 0 { mask |= 0o4000 }
        if classes & 0o070 != 0 { mask |= 0o2000 }
        return classes == 0o777 ? mask | 0o1000 : mask
    }

    private func bits(_ permissions: String, mode: UInt32, isDirectory: Bool) -> UInt32 {
        var bits: UInt32 = 0
        for permission in permissions {
            switch permission {
            case "r": bits |= 0o444 & classes
            case "w": bits |= 0o222 & classes
            case "x": bits |= 0o111 & classes
            case "X": bits |= isDirectory || mode & 0o111 != 0 ? 0o111 & classes : 0
            case "s": bits |= (classes & 0o700 != 0 ? 0o4000 : 0) | (classes & 0o070 != 0 ? 0o2000 : 0)
            case "t": bits |= classes == 0o777 ? 0o1000 : 0
            case "u": bits |= spread(mode >> 6 & 7)
            case "g": bits |= spread(mode >> 3 & 7)
            default: bits |= spread(mode & 7)
            }
        }
        return bits
    }

    private func spread(_ triple: UInt32) -> UInt32 { (triple * 0o111) & classes }
}
