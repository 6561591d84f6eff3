package import Diagnostics

/// Why an image cannot be changed.
package enum EditingCode: String, FailureCode {
    /// A value of an option cannot be read.
    case badValue = "edit.bad-value"
    /// The image has no such layer, or not the layers of the base that it is said to have.
    case badLayers = "edit.bad-layers"
    /// Nothing says which base the image has.
    case unknownBase = "edit.unknown-base"
    /// The history and the layers of the image do not fit together.
    case badHistory = "edit.bad-history"
    /// There is nothing to change.
    case nothing = "edit.nothing"
}

package typealias EditingError = Failure<EditingCode>
