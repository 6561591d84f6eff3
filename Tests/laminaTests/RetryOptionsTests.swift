import ArgumentParser
import Registry
import Testing

@testable import lamina

@Suite struct RetryOptionsTests {
    @Test func numbersAndDurationsReachTheClient() throws {
        let options = try RegistryOptions.parse(["--retry=5", "--retry-delay", "1.5m"]).settings().clientOptions
        #expect(options.retry.attempts == 6)
        #expect(options.retry.delay == .seconds(90) && options.retry.longestDelay == .seconds(90))
        let usual = RegistryClient.Options().retry
        let unchanged = try RegistryOptions.parse([]).settings().clientOptions.retry
        #expect(unchanged.attempts == usual.attempts && unchanged.delay == usual.delay)
        #expect(try RegistryOptions.parse(["--retry=0"]).settings().clientOptions.retry.attempts == 1)
    }

    @Test(arguments: [["--retry=-1"], ["--retry=1001"], ["--retry-delay=2"], ["--retry-delay=-1s"], ["--retry=x"]])
    func otherValuesAreRefused(_ arguments: [String]) {
        #expect(throws: (any Error).self) { try RegistryOptions.parse(arguments) }
    }
}
