package import OCI
import Registry
import Store

/// Names without a registry, to which the machine's `registries.conf` may give a meaning.
///
/// A name that the store has by Docker's rules keeps that meaning: the files are read only for others.
extension ImageTransfer {
    /// The images that a name may stand for, in the order in which they are looked for. It is one where `isSettled` says
    /// so, and where the files name no more.
    ///
    /// Throws ``RegistryError`` `.configuration`.
    package func meanings(
        of name: ImageName, isSettled: (ImageReference) throws -> Bool
    ) throws -> [ImageReference] {
        guard name.shortName != nil, name.reference != EmbeddedBase.reference, try !isSettled(name.reference) else {
            return [name.reference]
        }
        let candidates = try registry.candidates(for: name)
        return try candidates.first(where: isSettled).map { [$0] } ?? candidates
    }

    /// The full name of the image of the store that a text stands for; the text itself where the store knows it, and where
    /// there is no such image.
    ///
    /// Throws ``RegistryError`` `.configuration`.
    package func fullName(_ text: String) throws -> String {
        guard let name = try? ImageName(parsing: text), name.shortName != nil, try store.images.lookup(text) == nil
        else { return text }
        let known = try registry.candidates(for: name).first { try store.images.root(named: $0) != nil }
        return known?.description ?? text
    }
}
