/// The selected line of a list and the first one on the screen.
struct ListPosition: Hashable, Sendable {
    private(set) var selected = 0
    private(set) var top = 0

    mutating func select(_ index: Int, of count: Int) { selected = max(0, min(index, count - 1)) }

    mutating func move(by steps: Int, of count: Int) { select(selected + steps, of: count) }

    /// Moves the window of `height` lines so that the selected one is in it and no space is left unused.
    mutating func show(in height: Int, of count: Int) {
        select(selected, of: count)
        top = min(top, selected)
        top = max(top, selected - max(1, height) + 1)
        top = max(0, min(top, count - height))
    }

    /// Moves the first line on the screen down, where lines of the list take more than one of it.
    mutating func drop(to index: Int) { top = max(top, min(index, selected)) }

    /// The part of the list on the screen.
    func window(_ height: Int, of count: Int) -> Range<Int> {
        let start = max(0, min(top, count))
        return start..<min(count, start + max(0, height))
    }
}
