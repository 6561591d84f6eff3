import Testing

@testable import GoCompat

@Suite struct PercentageTests {
    @Test(
        arguments: [
            (0, "0.00 %"), (1, "100.00 %"), (0.999_999, "99.99 %"), (0.5, "50.00 %"), (0.000_01, "0.00 %"),
            (-0.000_01, "-0.01 %"), (-1.5, "-150.00 %"), (.infinity, "n/a"), (-.infinity, "n/a"),
            (.nan, "n/a"), (1e12, "100000000000000.00 %"),
        ] as [(Double, String)])
    func exactShareIsRoundedDown(_ ratio: Double, _ text: String) {
        #expect(Percentage.exact(ratio) == text)
    }

    @Test(
        arguments: [
            (0, 0, nil), (1, 0, nil), (1, -5, nil), (0, 10, "0%"), (29, 100, "29%"), (199, 200, "99%"),
            (-1, 10, "-10%"),
            (Double(Int64.max), 1, "922337203685477580800%"), (.nan, 1, nil), (1, .nan, nil), (.infinity, 1, nil),
        ] as [(Double, Double, String?)])
    func wholePercentIsCut(_ part: Double, _ whole: Double, _ text: String?) {
        #expect(Percentage.whole(part, of: whole, rounded: .towardZero) == text)
    }
}
