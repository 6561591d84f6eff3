package import Comparison
import Console
import OCI

/// The difference of two images as a page of tables.
package struct DifferencePage: Sendable {
    private let difference: ImageDifference

    package init(_ difference: ImageDifference) { self.difference = difference }

    /// The page as the bytes of an HTML file.
    package func encoded() throws -> [UInt8] {
        let names = [difference.old.name, difference.new.name].map {
            VisibleText.escaped(Array($0.utf8), doublingBackslashes: false)
        }
        return try Page(
            title: names.joined(separator: " → "), markup: PackageResources.difference_html,
            style: PackageResources.page_css, script: PackageResources.page_js + PackageResources.difference_js,
            data: difference.json.encoded()
        ).encoded()
    }
}
