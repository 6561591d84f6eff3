import Diagnostics

extension SandboxRequest {
    /// One option of the command line by its long name, and its value.
    package struct Option: Hashable, Sendable {
        package let name: String
        package let value: String

        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// Parses options, in whatever order they are given: capabilities are dropped before others are added, and `cpus`
    /// comes after those that it excludes.
    package init(options: [Option]) throws {
        self.init()
        func values(_ name: String) -> [String] { options.filter { $0.name == name }.map(\.value) }
        try setCapabilities(adding: values("cap-add"), dropping: values("cap-drop"))
        for option in options where option.name != "cpus" { try set(option) }
        for value in values("cpus") { try setLimit("cpus", value) }
        try checkLimits()
    }

    private mutating func set(_ option: Option) throws {
        switch option.name {
        case "cap-add", "cap-drop": break
        case "security-opt": try setSecurityOption(option.value)
        case "allow": for text in option.value.split(separator: ",") { try allow(String(text)) }
        case "device": try addDevice(option.value)
        case "ulimit": try addLimit(option.value)
        case "shm-size": try setSharedMemorySize(option.value)
        case "resource": try setResource(option.value)
        case "cgroup-parent": try setGroupParent(option.value)
        default: try setLimit(option.name, option.value)
        }
    }
}
