/// How a build shares the machine and the store with others.
package struct HousekeepingRequest: Sendable {
    /// How many steps run at once; `nil` for what suits the machine.
    package var jobs: Int?

    /// How far the store is cleaned up at the end.
    package var collection = CollectionPolicy()

    package init() {}
}
