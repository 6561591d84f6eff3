import Console
package import OCI

/// A recorded build as a page: its steps on a time line, the critical path, and why each of them ran.
package struct BuildPage: Sendable {
    private let title: String
    private let data: JSON

    /// Creates a page from a document with these members:
    ///
    /// - `status`; `duration` and `criticalDuration` in seconds; `comparedWith`, the ID of another build or null.
    /// - `steps`: `stage`, `instruction`, `line` (or null), `outcome`, `isWork`, `isMiss`, `isCritical`, `started` and `ended`
    ///   (seconds since the start of the build, or null), and `causes`, each with a `text`.
    package init(title: String, data: JSON) {
        self.title = title
        self.data = data
    }

    /// The page as the bytes of an HTML file.
    package func encoded() throws -> [UInt8] {
        try Page(
            title: VisibleText.escaped(Array(title.utf8), doublingBackslashes: false),
            markup: PackageResources.build_html, style: PackageResources.page_css + PackageResources.build_css,
            script: PackageResources.page_js + PackageResources.build_js, data: data.encoded()
        ).encoded()
    }
}
