import CLinux

/// The allocator of the C library.
package enum MemoryAllocator {
    /// Makes a program of many threads, each with little work at a time, take less memory.
    ///
    /// Each thread that ever waited for another gets an arena of its own, in which what one step has freed is of no use to
    /// the next step on another thread. The corresponding function is `mallopt(3)`; call it before there are threads.
    package static func limit() { linux_limit_allocator(2, 1 << 20) }
}
