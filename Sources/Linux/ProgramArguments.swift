import CLinux

/// The words that this program was started with, its name first.
///
/// `CommandLine` has none of them when a preloaded library has changed the environment before the program began.
package enum ProgramArguments {
    /// The words as text: bytes that are none become U+FFFD.
    package static var all: [String] {
        var words: [String] = []
        guard var next = unsafe pointer else { return CommandLine.arguments }
        while let word = unsafe next.pointee {
            words.append(unsafe String(cString: word))
            unsafe next += 1
        }
        return words
    }

    /// The words as the kernel has them, with `nil` behind the last.
    static var pointer: UnsafePointer<UnsafeMutablePointer<CChar>?>? { unsafe linux_arguments() }
}
