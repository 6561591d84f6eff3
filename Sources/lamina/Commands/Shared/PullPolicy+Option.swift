import ArgumentParser
import Engine
import Requests

extension PullPolicy {
    /// The policy that the value of `--pull` names; `missing` without a value.
    init(option value: String?) throws {
        switch value {
        case nil: self = .missing
        case let name?:
            // Docker's own flag is a switch.
            if let isAlways = Truth.value(of: name) {
                self = isAlways ? .always : .missing
                return
            }
            guard let policy = PullPolicy(rawValue: name) else {
                throw ValidationError("invalid pull policy '\(name)': use always, missing, never or newer")
            }
            self = policy
        }
    }
}
