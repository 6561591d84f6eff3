import Glibc

/// The descriptors 0, 1 and 2 of this process.
enum StandardDescriptors {
    /// Opens those that the caller has closed, so that no file of the program gets their numbers.
    ///
    /// A closed descriptor stays useless: `/dev/null` is opened the wrong way round, so that each use of it fails with
    /// EBADF as before, and results do not end up in the database.
    static func occupy() {
        for (descriptor, mode) in [(STDIN_FILENO, O_WRONLY), (STDOUT_FILENO, O_RDONLY), (STDERR_FILENO, O_RDONLY)]
        where fcntl(descriptor, F_GETFD) < 0 {
            // The lowest free number is the one that was found to be free.
            _ = unsafe open("/dev/null", mode)
        }
    }
}
