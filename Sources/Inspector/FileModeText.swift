package import Layers

/// Kinds and permissions of files as `ls -l` prints them, e.g. `drwxr-xr-x`.
package enum FileModeText {
    /// The ten characters for an entry.
    package static func text(_ entry: LayerEntry) -> String {
        let mode = entry.permissions
        var text = String(kind(entry.kind))
        for (shift, special, letter) in [(6, UInt32(0o4000), "s"), (3, 0o2000, "s"), (0, 0o1000, "t")] {
            let bits = mode >> UInt32(shift)
            text += bits & 4 != 0 ? "r" : "-"
            text += bits & 2 != 0 ? "w" : "-"
            let isExecutable = bits & 1 != 0
            text += mode & special != 0 ? isExecutable ? letter : letter.uppercased() : isExecutable ? "x" : "-"
        }
        return text
    }

    private static func kind(_ kind: LayerEntry.Kind) -> Character {
        switch kind {
        case .regular, .hardLink: "-"
        case .directory: "d"
        case .symlink: "l"
        case .characterDevice: "c"
        case .blockDevice: "b"
        case .fifo: "p"
        case .whiteout, .opaque: "?"
        }
    }
}
