import Registry

extension ImageTransfer {
    /// Runs `body`, which may use registries, and closes the connections to them.
    package func closingRegistry<Value: Sendable>(_ body: () async throws -> Value) async throws -> Value {
        do {
            let value = try await body()
            try await registry.shutdown()
            return value
        } catch {
            try? await registry.shutdown()
            throw error
        }
    }
}
