import Layers
import Linux
import OCI
import Store
import Trees

extension BuildHistory {
    /// Explains a build by the nearest of those before it.
    package func explain(_ build: PastBuild) throws -> Explanation {
        let older = try store.builds.list().drop { $0.id != build.record.id }.dropFirst()
        // Of one that was killed no keys are known.
        let former = Self.nearest(to: build, among: older.filter { $0.status != .lost }.compactMap(PastBuild.init))
        return Explanation(of: build.subject, former: former, keys: keys)
    }

    /// The builds of the same Dockerfile, the nearest first.
    ///
    /// It is the same when its path or its text is, or half of its steps are. Of those a build of the same target and
    /// platform is nearer than others, then one of the same path or text, then one with the same arguments, then the
    /// newer one.
    static func nearest(to build: PastBuild, among older: [PastBuild]) -> [Explanation.Subject] {
        let labels = Set(build.details.work.map { StepTitle($0.label).text })
        let ranked = older.compactMap { other -> (rank: Int, other: PastBuild)? in
            let (new, old) = (build.details, other.details)
            let isSameFile = old.dockerfile == new.dockerfile || old.dockerfileDigest == new.dockerfileDigest
            let equal = old.work.count { labels.contains(StepTitle($0.label).text) }
            guard isSameFile || (equal > 0 && equal * 2 >= labels.count) else { return nil }
            let isSameTarget = other.record.target == build.record.target && old.platform == new.platform
            let hasSameArguments = old.arguments == new.arguments
            return ((isSameTarget ? 4 : 0) + (isSameFile ? 2 : 0) + (hasSameArguments ? 1 : 0), other)
        }
        // Equal ranks stay in their order, the newest first.
        return ranked.enumerated().sorted { ($1.element.rank, $0.offset) < ($0.element.rank, $1.offset) }
            .map(\.element.other.subject)
    }

    private var keys: KeySource {
        var source = KeySource { [store] key in
            (try? store.builds.ingredients(of: key))?.flatMap { KeyIngredients(decoding: $0) }
        }
        source.files = { [store] digest in
            guard let file = try? store.builds.openList(digest),
                let list = try? DecompressedStream(DescriptorStream(file)).readAll()
            else { return nil }
            return FileListing.decode(list)
        }
        return source
    }
}

extension PastBuild {
    fileprivate var subject: Explanation.Subject {
        Explanation.Subject(id: record.id, started: record.started, details: details)
    }
}
