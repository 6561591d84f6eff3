import Inspector
import Linux
package import OCI

extension Advice {
    /// The advice as a document for other programs: `kind`, `layer` and `cause` (indexes of layers, or null), `files`,
    /// `bytes`, `paths` (some of the files), and for caches the `manager` and the command for `cleaning` (or null).
    package var json: JSON {
        var cache: PackageCache?
        if case .packageCache(let found) = kind { cache = found }
        return .object(
            ("kind", .string(kind.name)), ("layer", .integer(layer)), ("cause", cause.map { .integer($0) } ?? .null),
            ("files", .integer(files.count)), ("bytes", .integer(files.bytes)),
            ("paths", .array(examples.map { .string("/\($0.text)") })),
            ("manager", cache.map { .string($0.manager) } ?? .null),
            ("cleaning", cache.map { .string($0.cleaning) } ?? .null))
    }
}
