import ArgumentParser
import Engine
import Requests

extension PullPolicy {
    /// The policy that the value of `--pull` names; `missing` without a value.
    init(option value: String?) throws {
        switch value {
        // What docker takes for its own flag.
        case nil, "false": self = .missing
        case "true": self = .always
        case let name?:
            guard let policy = PullPolicy(rawValue: name) else {
                throw ValidationError("invalid pull policy '\(name)': use always, missing, never or newer")
            }
            self = policy
        }
    }
}
