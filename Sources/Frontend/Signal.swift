/// The signals STOPSIGNAL may name.
enum Signal {
    /// Whether `text` is a number other than 0, or a Linux signal's name with or without `SIG`.
    static func isValid(_ text: String) -> Bool {
        if let number = Int(text) { return number != 0 }
        let upper = text.uppercased()
        let name = upper.hasPrefix("SIG") ? String(upper.dropFirst(3)) : upper
        return names.contains(name) || isRealTime(name)
    }

    private static let names: Set<String> = [
        "ABRT", "ALRM", "BUS", "CHLD", "CLD", "CONT", "FPE", "HUP", "ILL", "INT", "IO", "IOT", "KILL", "PIPE", "POLL",
        "PROF", "PWR", "QUIT", "SEGV", "STKFLT", "STOP", "SYS", "TERM", "TRAP", "TSTP", "TTIN", "TTOU", "URG", "USR1",
        "USR2", "VTALRM", "WINCH", "XCPU", "XFSZ",
    ]

    /// `RTMIN` to `RTMIN+15` and `RTMAX-14` to `RTMAX`.
    private static func isRealTime(_ name: String) -> Bool {
        for (prefix, sign, limit) in [("RTMIN", "+", 15), ("RTMAX", "-", 14)] where name.hasPrefix(prefix) {
            let rest = name.dropFirst(prefix.count)
            if rest.isEmpty { return true }
            guard rest.hasPrefix(sign), let number = Int(rest.dropFirst()) else { return false }
            return (1...limit).contains(number) && String(number) == rest.dropFirst()
        }
        return false
    }
}
