import CSeccomp

/// An architecture in the words of those who name one.
struct SeccompArchitecture: Hashable, Sendable {
    /// As Go, and with it the conditions of a profile, has it.
    let goName: String
    /// As libseccomp has it.
    let token: UInt32
    /// As the kernel reports it to a filter. x32 reports itself as x86-64.
    let audit: UInt32
    /// The architectures whose programs the machine runs besides its own, as the standard profile has them.
    let companions: [UInt32]

    #if arch(x86_64)
    static let native = SeccompArchitecture(
        goName: "amd64", token: x86_64, audit: x86_64, companions: [x86, x32])
    #else
    static let native = SeccompArchitecture(goName: "arm64", token: arm64, audit: arm64, companions: [arm])
    #endif

    private static let x86_64: UInt32 = 0xc000_003e
    private static let x86: UInt32 = 0x4000_0003
    private static let x32: UInt32 = 0x4000_003e
    private static let arm64: UInt32 = 0xc000_00b7
    private static let arm: UInt32 = 0x4000_0028

    /// The kernel's number for an architecture of libseccomp's.
    static func audit(of token: UInt32) -> UInt32 { token == x32 ? x86_64 : token }

    /// libseccomp's number for a name such as `x86_64`; `nil` for one it does not know.
    static func token(named name: String) -> UInt32? {
        let token = unsafe seccomp_arch_resolve_name(name)
        return token == 0 ? nil : token
    }
}
