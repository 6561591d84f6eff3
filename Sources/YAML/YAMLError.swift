package import Diagnostics

/// Failures of YAML documents.
package enum YAMLCode: String, FailureCode {
    case malformed = "yaml.malformed"
    /// The document is larger than any list of images, or grows beyond that through its aliases.
    case tooLarge = "yaml.too-large"
}

package typealias YAMLError = Failure<YAMLCode>
