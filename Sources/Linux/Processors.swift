import Glibc

/// The processors of this machine.
package enum Processors {
    /// How many there are to run on, one at least.
    package static var online: Int { max(1, sysconf(CInt(_SC_NPROCESSORS_ONLN))) }
}
