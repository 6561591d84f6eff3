extension IgnoreRules {
    /// Whether `path` is ignored.
    public func ignores(_ path: String) -> Bool { ignores(Array(path.utf8)) }

    /// Whether `path` is ignored.
    public func ignores(_ path: [UInt8]) -> Bool { ignores(state(of: path)) }

    /// The pattern that decided about `path`, whichever way; `nil` if none matched.
    public func decidingPattern(for path: String) -> Pattern? { decidingPattern(for: Array(path.utf8)) }

    /// The pattern that decided about `path`, whichever way; `nil` if none matched.
    public func decidingPattern(for path: [UInt8]) -> Pattern? {
        let index = state(of: path).pattern
        return index < 0 ? nil : patterns[index]
    }

    // MARK: For walking a tree

    /// The state to begin a walk with.
    public var root: State { State(pattern: -1) }

    /// Whether a path with this state is ignored.
    public func ignores(_ state: State) -> Bool { state.pattern >= 0 && !patterns[state.pattern].isException }

    /// The state of `path`, which lies directly in a directory with the state `parent`.
    ///
    /// As the last match wins and a match of the directory is one of the path, only patterns behind the one that
    /// decided about the directory have to be tried.
    public func state(of path: [UInt8], in parent: State) -> State {
        State(pattern: lastMatch(path, count: path.count, above: parent.pattern))
    }

    /// Whether a walk may leave out the ignored directory `path` as nothing below it can be taken back in.
    public func canSkipDirectory(_ path: [UInt8], _ state: State) -> Bool {
        guard ignores(state) else { return false }
        return !patterns.indices.dropFirst(state.pattern + 1).contains { index in
            patterns[index].isException && canMatch(matchers[index], below: path)
        }
    }

    /// The state of a path from the root on.
    private func state(of path: [UInt8]) -> State {
        var last = -1
        for (index, byte) in path.enumerated() where byte == UInt8(ascii: "/") {
            last = lastMatch(path, count: index, above: last)
        }
        return State(pattern: lastMatch(path, count: path.count, above: last))
    }

    /// The last pattern behind `floor` that matches the first `count` bytes, else `floor`.
    private func lastMatch(_ path: [UInt8], count: Int, above floor: Int) -> Int {
        guard count > 0 else { return floor }
        let first = path[0]
        let last = path[count - 1]
        if let index {
            return index.candidates(in: path[..<count], above: floor).first { candidate in
                matchers[candidate].matches(path, count: count, first: first, last: last)
            } ?? floor
        }
        var index = matchers.count - 1
        while index > floor {
            if matchers[index].matches(path, count: count, first: first, last: last) { return index }
            index -= 1
        }
        return floor
    }

    /// Whether a path below the directory could match; true when in doubt.
    private func canMatch(_ matcher: IgnorePattern, below directory: [UInt8]) -> Bool {
        let prefix = matcher.literalPrefix
        let path = directory + [UInt8(ascii: "/")]
        if prefix.starts(with: path) { return prefix.count > path.count || !matcher.isLiteral }
        return !matcher.isLiteral && path.starts(with: prefix)
    }
}
