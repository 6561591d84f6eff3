import Layers

/// Walks the entries of several sorted lists in the order of their paths, those of one path bottom first.
struct PathMerge {
    private var paths: [PackedFileList.Paths]
    /// The layers that have entries left, as a binary heap: a parent's path comes before those of its children.
    private var heap: [Int] = []
    /// Whether the entry on top was given out.
    private var isUsed = false

    init(_ lists: [PackedFileList]) {
        paths = lists.map { PackedFileList.Paths($0) }
        for layer in paths.indices where paths[layer].advance() { heap.append(layer) }
        for place in heap.indices.reversed() { sink(place) }
    }

    /// The layer with the next entry; `nil` at the end.
    mutating func next() -> Int? {
        if isUsed, let top = heap.first {
            if !paths[top].advance() {
                heap.swapAt(0, heap.count - 1)
                heap.removeLast()
            }
            sink(0)
        }
        isUsed = true
        return heap.first
    }

    /// The path of a layer's present entry.
    func path(of layer: Int) -> [UInt8] { paths[layer].path }

    private mutating func sink(_ start: Int) {
        var place = start
        while true {
            var first = place
            for child in 2 * place + 1...2 * place + 2 where child < heap.count {
                if precedes(heap[child], heap[first]) { first = child }
            }
            guard first != place else { return }
            heap.swapAt(first, place)
            place = first
        }
    }

    private func precedes(_ one: Int, _ other: Int) -> Bool {
        let (left, right) = (paths[one].path, paths[other].path)
        let common = left.span.commonPrefix(with: right.span)
        if common == left.count || common == right.count {
            return left.count == right.count ? one < other : left.count < right.count
        }
        let slash = UInt8(ascii: "/")
        return left[common] == slash || right[common] != slash && left[common] < right[common]
    }
}
