import CLinux
import Diagnostics
import Glibc
package import SystemPackage

extension Directory {
    /// The root of an overlay that no process sees, and that ends with this descriptor.
    ///
    /// `scratch` is an existing directory, which the overlay hides from nobody. Takes the right to mount. The
    /// corresponding system calls are `mount(2)`, and `fsmount(2)` for more layers than fit in its one page.
    package init(hiddenOverlay options: OverlayOptions, on scratch: FilePath) throws {
        let pairs =
            options.lowers.map { (PathBytes("lowerdir+"), $0) } + options.others.map { (PathBytes($0.key), $0.value) }
        let words = PathBytes(pairs.flatMap { $0.0.bytes + [0] + $0.1.bytes + [0] })
        let number = try unsafe options.directory.withPlatformString { directory in
            try unsafe scratch.withPlatformString { target in
                try unsafe words.withCString { words in
                    try check("mount", "an overlay") {
                        guard let data = options.data else {
                            return unsafe linux_hidden_overlay(directory, target, nil, words)
                        }
                        return unsafe data.withCString { unsafe linux_hidden_overlay(directory, target, $0, words) }
                    }
                }
            }
        }
        self.init(OwnedDescriptor(FileDescriptor(rawValue: number)))
    }
}
