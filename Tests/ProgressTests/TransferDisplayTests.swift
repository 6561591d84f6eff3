import Console
import Images
import OCI
import Testing
import Transports

@testable import Progress

struct TransferDisplayTests {
    private let layers = ["a", "b", "c"].enumerated().map { number, text in
        Descriptor(mediaType: .ociLayer(.gzip), digest: Digest(of: text), size: Int64(number + 1) * 10_000_000)
    }
    private var names: [String] { layers.map(\.digest.short) }
    private var manifest: Descriptor { Descriptor(mediaType: .ociManifest, digest: Digest(of: "m"), size: 1) }

    private func second(_ number: Double) -> Duration { .seconds(number) }

    @Test func logsHaveTheEndOfEachLayerOnceAndPercentagesNowAndThen() {
        var display = TransferDisplay(.lines, .pull)
        var output = TransferOutput()
        func receive(_ event: TransferEvent, at time: Double) {
            let new = display.receive(event, at: second(time))
            output.result += new.result
            output.notice += new.notice
        }
        receive(.resolved(manifest, layers: layers), at: 0)
        receive(.layerExists(layers[0]), at: 0)
        for step in 0...40 { receive(.layerProgress(layers[1], Int64(step) * 500_000), at: Double(step) / 4) }
        receive(.waiting("the mirror is slow"), at: 10)
        receive(.layerDone(layers[1]), at: 11)
        receive(.layerDone(layers[1]), at: 12)
        receive(.layerMounted(layers[2], from: "other/app"), at: 12)
        #expect(
            output.result
                == """
                \(names[0]): Already exists
                \(names[1]): Pull complete
                \(names[2]): Mounted from other/app

                """)
        #expect(
            output.notice
                == """
                \(names[1]): Downloading 50%  10MB/20MB  2MB/s  5s
                \(names[1]): Downloading 100%  20MB/20MB  2MB/s
                the mirror is slow

                """)
    }

    @Test(arguments: [(80, 24), (60, 15), (40, 10), (20, 5), (1, 1)])
    func aWindowShowsALineForEachLayerThatFits(_ columns: Int, _ rows: Int) {
        var trace = TransferTrace(words: .push)
        _ = trace.apply(.resolved(manifest, layers: layers), at: .zero)
        _ = trace.apply(.layerExists(layers[0]), at: .zero)
        _ = trace.apply(.layerProgress(layers[1], 1), at: .zero)
        _ = trace.apply(.layerProgress(layers[1], 5_000_000), at: second(2))
        let size = WindowSize(columns: columns, rows: rows)
        let lines = TransferFrame(trace: trace, words: .push, now: second(2), size: size, isFinal: false).render()
        #expect(lines.allSatisfy { $0.count < max(2, columns) }, "\(lines)")
        #expect(lines.count <= max(1, rows - 2))
        guard columns == 80 else { return }
        #expect(
            lines == [
                "\(names[0]): Layer already exists",
                "\(names[1]): Pushing [========>                        ] 5MB/20MB  2.5MB/s  6s",
                "\(names[2]): Waiting",
            ])
    }

    @Test func moreLayersThanTheWindowHasRowsAreCounted() {
        var trace = TransferTrace(words: .pull)
        let many = (0..<100).map { Descriptor(mediaType: .ociLayer, digest: Digest(of: "\($0)"), size: 100) }
        _ = trace.apply(.resolved(manifest, layers: many), at: .zero)
        for layer in many.prefix(40) { _ = trace.apply(.layerDone(layer), at: .zero) }
        for layer in many[40..<43] { _ = trace.apply(.layerProgress(layer, 1), at: .zero) }
        func frame(isFinal: Bool) -> [String] {
            TransferFrame(
                trace: trace, words: .pull, now: .zero, size: WindowSize(columns: 80, rows: 24), isFinal: isFinal
            ).render()
        }
        #expect(frame(isFinal: false).count == 4)
        #expect(frame(isFinal: false).last == "40 of 100 layers done")
        #expect(frame(isFinal: true).count == 100)
    }

    @Test func aLayerOfNoBytesAndOneLargerThanSaidDoNoHarm() {
        var trace = TransferTrace(words: .pull)
        let empty = Descriptor(mediaType: .ociLayer, digest: Digest(of: "e"), size: 0)
        _ = trace.apply(.layerProgress(empty, 0), at: .zero)
        _ = trace.apply(.layerProgress(layers[0], .max), at: .zero)
        let size = WindowSize(columns: 80, rows: 24)
        for time in [Duration.zero, .seconds(1), .seconds(Int64.max / 4)] {
            let lines = TransferFrame(trace: trace, words: .pull, now: time, size: size, isFinal: false).render()
            #expect(lines.count == 2)
        }
    }

    @Test func aTransferThatBeginsAnewHasARateOfItsOwn() {
        var trace = TransferTrace(words: .pull)
        _ = trace.apply(.layerProgress(layers[0], 9_000_000), at: .zero)
        let layer = trace.apply(.layerProgress(layers[0], 1_000_000), at: second(10))
        #expect(layer?.started == second(10))
        #expect(layer?.rate(at: second(11)) == 1_000_000)
    }

    @Test func documentsAreOneLineEach() throws {
        var display = TransferDisplay(.documents, .push)
        var lines: [String] = []
        for event in [.layerProgress(layers[0], 1), .layerDone(layers[0]), TransferEvent.waiting("a \"word\"")] {
            lines += display.receive(event, at: .zero).notice.split(separator: "\n").map(String.init)
        }
        #expect(
            lines == [
                #"{"status":"Pushing","digest":"\#(layers[0].digest)","current":1,"total":10000000}"#,
                #"{"status":"Pushed","digest":"\#(layers[0].digest)","current":10000000,"total":10000000}"#,
                #"{"status":"Waiting","text":"a \"word\""}"#,
            ])
    }
}
