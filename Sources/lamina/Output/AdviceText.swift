import Advice
import Console
import GoCompat
import Inspector
import Linux
import OCI

/// Advice for people: sentences that say what to change, and where.
struct AdviceText {
    private let image: InspectedImage
    private let origins: [LayerOrigin?]

    init(_ image: InspectedImage, _ origins: [LayerOrigin?]) {
        self.image = image
        self.origins = origins
    }

    /// A table of all advice, with some of the files of each, and the sum.
    func lines(_ all: [Advice]) -> [String] {
        let size = image.analysis.size
        guard !all.isEmpty else { return ["Nothing to advise: \(HumanSize.short(size)) are used well."] }
        var table = Table(headers: ["SAVES", "LINE", "LAYER", "ADVICE"], minimumWidth: 5)
        for advice in all {
            let origin = origin(advice.layer)
            table.append([
                HumanSize.short(advice.files.bytes), origin?.lineText ?? "-", "\(advice.layer + 1)", sentence(advice),
            ])
            for path in advice.examples { table.append(["", "", "", "  /" + VisibleText.escaped(path.bytes)]) }
            let more = advice.files.count - advice.examples.count
            if more > 0, advice.kind != .manifestFirst {
                table.append(["", "", "", "  … \(advice.files.count) files"])
            }
        }
        let sum = all.filter(\.shrinksImage).reduce(0) { $0 &+ $1.files.bytes }
        return table.lines() + ["", "All of it saves \(HumanSize.short(sum)) of \(HumanSize.short(size))."]
    }

    /// The document of an advice, with its place in the Dockerfile and its sentence.
    func json(_ advice: Advice) -> JSON {
        guard case .object(var object) = advice.json else { return .null }
        object["lines"] = origin(advice.layer).map { .string($0.lineText) } ?? .null
        object["causeLines"] = advice.cause.flatMap(origin).map { .string($0.lineText) } ?? .null
        object["text"] = .string(sentence(advice))
        return .object(object)
    }

    private func origin(_ layer: Int) -> LayerOrigin? { origins.indices.contains(layer) ? origins[layer] : nil }

    /// `line 7`, or `layer 3` where no line is known.
    private func place(_ layer: Int?) -> String {
        guard let layer else { return "a later step" }
        return origin(layer).map { "line \($0.lineText)" } ?? "layer \(layer + 1)"
    }

    /// The change that the advice is about.
    func sentence(_ advice: Advice) -> String {
        let isCopy = LayerStep(image.analysis.layers[advice.layer], origin(advice.layer)) == .copy
        let cause = place(advice.cause)
        switch advice.kind {
        case .packageCache(let cache):
            return isCopy
                ? "leave the cache of \(cache.manager) out with .dockerignore"
                : "remove the cache of \(cache.manager) at the end of this RUN (\(cache.cleaning)), "
                    + "or keep it in a RUN --mount=type=cache"
        case .deletedLater:
            return isCopy
                ? "\(cause) removes what this step copies: leave it out with .dockerignore, or use RUN --mount=type=bind"
                : "\(cause) removes these files: remove them in the RUN that makes them"
        case .replacedLater: return "\(cause) puts other files in their place: make them once"
        case .copiedTwice: return "\(cause) copies the same files again: copy them once"
        case .metadataCopy:
            return "\(cause) changes only owner, mode or times, and stores the files again: "
                + (isCopy ? "use --chown and --chmod of COPY" : "change them in the RUN that makes the files")
        case .baseContent:
            return "later steps remove or replace files of the base image: copy the result into a last stage "
                + "(FROM scratch, COPY --from=… / /), or choose another base"
        case .duplicates: return "the same contents are at other paths, too: use links, or make them once"
        case .versionControl:
            return isCopy
                ? "leave the repository out with .dockerignore" : "remove the repository in the RUN that makes it"
        case .buildArtefacts: return "leave what tools and compilers make out with .dockerignore"
        case .unstripped:
            return "strip these programs and libraries (strip --strip-unneeded) "
                + (isCopy ? "before they are copied" : "in the RUN that makes them")
        case .order:
            return "move this step above \(cause): it is run again, and its layer pushed and pulled again, "
                + "whenever the files copied there change"
        case .manifestFirst:
            return "copy the files below by themselves before this step, and all others after it (\(cause)): it is run "
                + "again, and its layer pushed and pulled again, whenever any file copied there changes"
        case .debugSymbols: return "leave debug symbols out: strip programs, and install no debug packages"
        }
    }
}
