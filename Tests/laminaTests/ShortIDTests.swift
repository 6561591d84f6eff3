import Testing

@testable import lamina

@Suite struct ShortIDTests {
    @Test(arguments: [
        ("sha256:0123456789abcdef0123", "0123456789ab"), ("0123456789abcdef", "0123456789ab"), ("abc", "abc"), ("", ""),
    ])
    func shortID(_ identifier: String, _ expected: String) {
        #expect(ShortID.of(identifier) == expected)
    }
}
