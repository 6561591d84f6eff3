import FoundationEssentials
import Layers
import Linux
import OCI

/// A page in one file that asks for nothing from anywhere.
///
/// Only the script and the style that are given run, as their digests stand in the page's policy; the data is packed, so
/// nothing in it is markup.
struct Page {
    let title: String
    /// The body, with `{{TITLE}}` where the title goes.
    let markup: [UInt8]
    let style: [UInt8]
    let script: [UInt8]
    /// A JSON document.
    let data: [UInt8]

    private static let policy = "default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:"

    func encoded() throws -> [UInt8] {
        let packed = try Self.packed(data)
        var page: [UInt8] = []
        page.reserveCapacity(style.count + script.count + packed.count + markup.count + 2000)
        let policy = "\(Self.policy); style-src '\(Self.source(style))'; script-src '\(Self.source(script))'"
        page +=
            """
            <!DOCTYPE html>
            <html lang="en" data-theme="light">
            <head>
            <meta charset="utf-8">
            <meta http-equiv="Content-Security-Policy" content="\(policy)">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="referrer" content="no-referrer">
            <link rel="icon" href="data:,">
            <title>\(Self.escaped(title))</title>
            <style>
            """.utf8
        page += style
        page += "</style>\n</head>\n<body>\n".utf8
        let body = String(decoding: markup, as: UTF8.self)
        page += body.replacing("{{TITLE}}", with: Self.escaped(title)).utf8
        page += "<script type=\"text/plain\" id=\"data\">".utf8
        page += packed
        page += "</script>\n<script>".utf8
        page += script
        page += "</script>\n</body>\n</html>\n".utf8
        return page
    }

    /// Text as markup.
    static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "&": result += "&amp;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// The source expression of an inline script or style. Source: Content Security Policy Level 3, section 2.3.1.
    private static func source(_ bytes: [UInt8]) -> String {
        let hex = Array(Digest(of: bytes).hex.utf8)
        let digest = stride(from: 0, to: hex.count, by: 2).compactMap { index in
            UInt8(String(decoding: hex[index..<index + 2], as: UTF8.self), radix: 16)
        }
        return "sha256-\(Data(digest).base64EncodedString())"
    }

    /// The gzip of bytes, in base64.
    private static func packed(_ bytes: [UInt8]) throws -> [UInt8] {
        let collected = CollectedBytes()
        var writer = try CompressedBlobWriter(CompressionOptions(.gzip, level: 9, threads: 1)) { piece in
            for index in piece.indices { collected.bytes.append(piece[index]) }
        }
        try writer.write(bytes.span)
        _ = try writer.finish(uncompressed: Digest(of: bytes))
        return Array(Data(collected.bytes).base64EncodedString().utf8)
    }
}

/// The sink of a writer.
private final class CollectedBytes {
    var bytes: [UInt8] = []
}
