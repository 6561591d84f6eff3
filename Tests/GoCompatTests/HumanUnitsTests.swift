import GoCompat
import OCI
import Testing

@Suite struct HumanUnitsTests {
    @Test(
        arguments: [
            (0, "0B"), (1, "1B"), (999, "999B"), (1000, "1kB"), (1980, "1.98kB"), (1985, "1.99kB"), (12_345, "12.3kB"),
            (100_000, "100kB"), (999_400, "999kB"), (999_500, "1MB"), (999_999, "1MB"), (3_960_000, "3.96MB"),
            (9_996_000, "10MB"), (99_960_000, "100MB"), (117_300_000, "117MB"), (4_000_000_000, "4GB"),
            (1_500_000_000_000, "1.5TB"), (-1500, "-1.5kB"), (Int64.max, "9.22EB"), (Int64.min, "-9.22EB"),
        ] as [(Int64, String)])
    func sizeHasThreeDigits(_ bytes: Int64, _ expected: String) {
        #expect(HumanSize.short(bytes) == expected)
    }

    @Test(
        arguments: [
            (0, "0B"), (2, "2B"), (92, "92B"), (1000, "1.00kB"), (1_980_000, "1.98MB"), (3_000_000, "3.00MB"),
            (999_999, "1000.00kB"), (48_270, "48.27kB"),
        ] as [(Int64, String)])
    func progressSizeHasTwoDecimals(_ bytes: Int64, _ expected: String) {
        #expect(HumanSize.fixed(bytes) == expected)
    }

    @Test(
        arguments: [
            (-5, "Less than a second"), (0, "Less than a second"), (1, "1 second"), (45, "45 seconds"),
            (59, "59 seconds"), (60, "About a minute"), (119, "About a minute"), (120, "2 minutes"),
            (3599, "59 minutes"),
            (3600, "About an hour"), (5399, "About an hour"), (5400, "2 hours"), (47 * 3600, "47 hours"),
            (48 * 3600, "2 days"), (13 * 86400, "13 days"), (14 * 86400, "2 weeks"), (59 * 86400, "8 weeks"),
            (60 * 86400, "2 months"), (729 * 86400, "24 months"), (730 * 86400, "2 years"),
            (10 * 365 * 86400, "10 years"), (.max, "292471208677 years"), (.min, "Less than a second"),
        ] as [(Int64, String)])
    func durationIsInWords(_ seconds: Int64, _ expected: String) {
        #expect(HumanDuration.text(seconds: seconds) == expected)
    }

    @Test func agoCountsFromNow() {
        let now = Timestamp(seconds: 1_700_000_000)
        #expect(HumanDuration.ago(Timestamp(seconds: 1_700_000_000 - 21 * 86400), now: now) == "3 weeks ago")
        #expect(HumanDuration.ago(Timestamp(seconds: 1_700_000_100), now: now) == "Less than a second ago")
        for seconds in [Int64.min, -62_135_596_800, -1] {
            #expect(HumanDuration.ago(Timestamp(seconds: seconds), now: now) == "N/A")
        }
        #expect(HumanDuration.ago(nil, now: now) == "N/A")
        #expect(HumanDuration.ago(Timestamp(seconds: 0), now: now) == "53 years ago")
        #expect(HumanDuration.ago(Timestamp(seconds: .max), now: Timestamp(seconds: 0)) == "Less than a second ago")
    }

    @Test(arguments: [
        (0.25, 1, "0.2"), (0.75, 1, "0.8"), (1.005, 2, "1.00"), (-0.001, 2, "0.00"), (-1.5, 1, "-1.5"), (12, 0, "12"),
        (0.05, 3, "0.050"), (.infinity, 1, "+Inf"), (-.infinity, 1, "-Inf"), (.nan, 0, "NaN"), (-0.0, 1, "0.0"),
        (1e15, 1, "1000000000000000.0"), (123_456_789_012.5, 9, "123456789012.500000000"), (2, -3, "2"),
        (-9.3e18, 0, "-9300000000000000000"),
    ])
    func fixedDecimals(_ value: Double, _ places: Int, _ expected: String) {
        #expect(value.fixed(places) == expected)
    }

    @Test(
        arguments: [
            (.zero, "0ms"), (.seconds(-5), "0ms"), (.milliseconds(37), "37ms"), (.milliseconds(2410), "2.41s"),
            (.seconds(65), "1m 05s"), (.seconds(7380), "2h 03m"), (.seconds(Int64.max), "277777777777h 46m"),
        ] as [(Duration, String)])
    func shortDurationHasThreeDigits(_ duration: Duration, _ expected: String) {
        #expect(HumanDuration.short(duration) == expected)
    }
}
