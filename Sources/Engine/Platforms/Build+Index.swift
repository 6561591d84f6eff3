import Frontend
import OCI
import Requests
import Store
import Trees

/// Writing of what comes of a build for several platforms.
extension Build {
    /// Makes the images of all platforms, and takes their index to where the outputs of the request say.
    func export(_ builds: [PlatformBuild], runner: BuildRunner) async throws -> BuildProduct {
        var products: [BuildProduct] = []
        for build in builds {
            let draft = request.makesImage ? try await draft(build, runner: runner) : nil
            products.append(BuildProduct(stack: build.stack, epoch: build.plan.epoch, draft: draft))
        }
        var product = products[0]
        product.provenances = builds.compactMap(\.provenance)
        if request.outputs.contains(.none) { return product }
        let tools = ExportTools(
            images: images, files: runner.files, layerProgress: runner.layerProgress, progress: progress)
        var export = IndexExport(builds: builds, products: products, tools: tools)
        for output in request.outputs.isEmpty ? [.store(ImageSettings())] : request.outputs {
            try await export.write(output, names: request.tags, to: &product)
        }
        return product
    }
}
