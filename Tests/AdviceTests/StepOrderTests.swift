import Testing

@testable import Advice

@Suite struct StepOrderTests {
    @Test(arguments: [
        "RUN apt-get update && apt-get install -y --no-install-recommends curl=7.88 git && rm -rf /var/lib/apt/lists/*",
        "run apk add --no-cache python3", "RUN set -eux; apt-get update; apt-get -y install gcc",
        "RUN dnf install -y gcc \\\n    make && dnf clean all", "RUN pip install --no-cache-dir flask==3.0",
        "RUN --mount=type=cache,target=/var/cache/apt,sharing=locked apt-get install -y gcc",
    ])
    func packagesByTheirNamesNeedNoFiles(_ text: String) { #expect(StepOrder.isInstallation(text)) }

    @Test(arguments: [
        "RUN make", "RUN apt-get update", "RUN pip install -r requirements.txt", "RUN pip install .",
        "RUN apt-get install -y ./local.deb", "RUN apk add --no-cache $PACKAGES",
        "RUN --mount=type=bind,target=/x apk add x", "RUN --mount=type=cache,from=x,target=/x apk add x",
        "RUN --network=none apk add x",
        "RUN apk add x && ./configure", "RUN apt-get install -y x | tee log", "RUN apk add x && rm -rf /app",
        "RUN rm -rf /var/lib/apt/../../app; apk add x", "COPY . /app", "RUN apk add x & make", "RUN [\"apk\", \"add\"]",
        "RUN gem install --requirement=x y", "RUN",
    ])
    func otherCommandsMayNeedFiles(_ text: String) { #expect(!StepOrder.isInstallation(text)) }
}
