import Frontend
import OCI
import Requests
import Store
import Trees

/// Writing of what comes of a build for several platforms.
extension Build {
    /// Makes the index, and takes it to where the outputs of the request say.
    func export(_ builds: [PlatformBuild], runner: BuildRunner) async throws -> BuildProduct {
        var product = BuildProduct(stack: builds[0].stack, names: request.tags, epoch: builds[0].plan.epoch)
        if request.outputs.contains(.none) { return product }
        let tools = ExportTools(
            images: images, files: runner.files, layerProgress: runner.layerProgress, progress: progress)
        let export = IndexExport(builds: builds, names: request.tags, tools: tools)
        if request.makesImage {
            var drafts: [IndexExport.Draft] = []
            for build in builds {
                var config = try ImageAssembly.config(build.plan, build.stack)
                if request.options.changes.omitsHistory { config.history = [] }
                let annotations = try await annotations(build.plan, build.stack, runner: runner)
                drafts.append(IndexExport.Draft(config: config, annotations: annotations))
            }
            product.index = try await export.record(drafts)
            product.image = product.index?.defaultImage
        }
        for output in request.outputs {
            guard let manifest = try await export.write(product.index, to: output) else { continue }
            product.manifest = manifest
        }
        return product
    }
}
