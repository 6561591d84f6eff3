import OCI
import Testing

@Suite struct TimestampTests {
    @Test(
        "A timestamp is parsed as RFC 3339 has it",
        arguments: [
            ("1970-01-01T00:00:00Z", 0, 0), ("2023-11-14T22:13:20Z", 1_700_000_000, 0),
            ("2023-11-14T23:13:20.5+01:00", 1_700_000_000, 500_000_000),
            ("2000-02-29T12:00:00.000000001Z", 951_825_600, 1), ("1969-12-31T23:59:59Z", -1, 0),
            ("0001-01-01T00:00:00Z", -62_135_596_800, 0), ("2100-03-01T00:00:00Z", 4_107_542_400, 0),
        ])
    func parses(_ text: String, _ seconds: Int64, _ nanoseconds: Int32) throws {
        let time = try #require(Timestamp(parsing: text))
        #expect(time == Timestamp(seconds: seconds, nanoseconds: nanoseconds))
        #expect(Timestamp(parsing: time.description) == time)
    }

    @Test func writesAsGoDoes() {
        #expect(Timestamp(seconds: 1_700_000_000).description == "2023-11-14T22:13:20Z")
        #expect(Timestamp(seconds: 0, nanoseconds: 120_000_000).description == "1970-01-01T00:00:00.12Z")
    }

    @Test(
        "A malformed timestamp is refused",
        arguments: ["", "2023", "2023-11-14", "2023-11-14T22:13:20", "2023-13-14T22:13:20Z", "x023-11-14T22:13:20Z"])
    func refuses(_ text: String) { #expect(Timestamp(parsing: text) == nil) }
}
