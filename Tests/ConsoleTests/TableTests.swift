import Console
import Testing

@Suite struct TableTests {
    @Test func columnsAreTenWideAndThreeApart() {
        var table = Table(headers: ["REPOSITORY", "TAG", "IMAGE ID", "SIZE"])
        table.append(["docker.io/library/app", "1", "0123456789ab", "3.96MB"])
        table.append(["日本", "latest", "ba9876543210", ""])
        #expect(
            table.lines() == [
                "REPOSITORY              TAG       IMAGE ID       SIZE",
                "docker.io/library/app   1         0123456789ab   3.96MB",
                "日本                    latest    ba9876543210",
            ])
        #expect(table.lines(hidingHeader: true).count == 2)
    }

    @Test func emptyTableIsItsHeader() {
        #expect(Table(headers: ["A", "B"]).lines() == ["A         B"])
        #expect(Table(headers: ["A"]).lines(hidingHeader: true).isEmpty)
    }

    @Test func cellsAreHarmless() {
        var table = Table(headers: ["A", "B"])
        table.append(["\u{1b}[2Jx\ny", "z"])
        #expect(table.lines()[1] == "xy        z")
    }
}
