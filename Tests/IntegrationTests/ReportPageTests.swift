import SystemPackage
import Testing

/// The pages of `analyze` and `diff` in a browser.
@Suite(
    "Pages in a browser", .enabled(if: Machine.isRoot, Machine.needsRoot),
    .enabled(if: Machine.has("chromium"), "needs chromium"))
struct ReportPageTests {
    private let scratch: Scratch
    private let lamina: Lamina

    init() throws {
        scratch = try Scratch()
        lamina = Lamina(root: scratch.path.appending("store"))
        let context = try scratch.context(
            #"""
            FROM lamina/base
            COPY data /data
            RUN rm /data/gone; head -c 300000 /dev/zero > /data/changed; \
                mkdir "/data/<"; head -c 90000 /dev/zero > "/data/</script><script>document.body.dataset.hacked=1<"; \
                head -c 80000 /dev/zero > "/data/\"><img src=x onerror=document.body.dataset.hacked=1>"
            LABEL x="</script><script>document.body.dataset.hacked=1</script>"

            """#)
        try scratch.write(String(repeating: "x", count: 200_000), to: "context/data/gone")
        try scratch.write(String(repeating: "y", count: 100_000), to: "context/data/changed")
        try scratch.write(String(repeating: "z", count: 400_000), to: "context/data/deep/er/file.txt")
        try lamina.build(context, "-t", "paged")
    }

    /// The document after the scripts of a page have run, with one more at its end.
    private func document(_ page: String, running script: String? = nil) throws -> String {
        var text = page
        if let script {
            // The page's policy keeps other scripts out, which another test proves.
            let policy = try #require(text.firstRange(of: #"<meta http-equiv="Content-Security-Policy""#))
            let end = try #require(text[policy.lowerBound...].firstIndex(of: ">"))
            text.removeSubrange(policy.lowerBound...end)
            let driver = """
                (async () => {
                  const until = async (isDone) => { while (!isDone()) await new Promise((next) => setTimeout(next, 20)); };
                  const click = (element) => element.click();
                  const key = (name) => document.activeElement.dispatchEvent(
                    new KeyboardEvent("keydown", { key: name, bubbles: true, cancelable: true }));
                  const cell = (start) => [...document.querySelectorAll("#map > button")]
                    .find((one) => one.title.startsWith(start));
                  const found = {};
                  try {
                    await until(() => document.body.dataset.ready);
                    \(script)
                  } catch (error) { found.error = String(error); }
                  document.body.dataset.found = JSON.stringify(found);
                })();
                """
            text = text.replacing("</body>", with: "<script>\(driver)</script></body>")
        }
        let file = try scratch.write(text, to: "page.html")
        let finished = try run(
            "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--user-data-dir=\(scratch.path)/profile",
            "--window-size=1280,1000", "--virtual-time-budget=30000", "--dump-dom", "file://\(file)")
        #expect(finished.status == 0)
        return finished.outputText
    }

    /// The facts that a script has found, as JSON.
    private func found(_ page: String, _ script: String) throws -> JSONValue {
        let text = try document(page, running: script)
        let start = try #require(text.firstRange(of: "data-found=\"")?.upperBound)
        let value = String(text[start...].prefix { $0 != "\"" })
        return try JSONValue(
            parsing: value.replacing("&quot;", with: "\"").replacing("&lt;", with: "<").replacing("&gt;", with: ">")
                .replacing("&amp;", with: "&"))
    }

    private func page() throws -> String {
        let file = scratch.path.appending("report.html")
        let finished = try lamina.succeeding("analyze", "--format", "html", "-o", file.string, "paged")
        #expect(finished.outputText.isEmpty)
        return try text(of: file)
    }

    @Test func thePageDrawsUnderItsPolicyAndRunsNothingElse() throws {
        let page = try page()
        let drawn = try document(
            page.replacing("</body>", with: "<script>document.body.dataset.hacked = 1</script></body>"))
        #expect(drawn.contains("data-ready=\"true\"") && !drawn.contains("data-hacked"))
        #expect(drawn.contains("class=\"cell folder\"") && drawn.contains("data/, 870 kB"))
        #expect(drawn.contains("&lt;img src=x onerror"))
    }

    @Test func thePageDrillsByMouseAndKeys() throws {
        let found = try found(
            page(),
            """
            click(cell("data/"));
            found.crumbs = document.getElementById("crumbs").textContent;
            found.address = location.hash;
            cell("deep/").focus(); key("Enter");
            found.deeper = document.getElementById("crumbs").textContent;
            found.focused = document.activeElement.title;
            key("Backspace"); key("Escape");
            found.top = document.getElementById("crumbs").textContent;
            click(document.getElementById("mode-useless"));
            found.useless = cell("data/").title;
            click(document.getElementById("mode-layers"));
            found.layers = document.querySelectorAll("#map > button").length;
            click(cell("Layer 2")); click(cell("data/"));
            found.layer = [...document.querySelectorAll("#map > button")].map((one) => one.title.split(",")[0]).sort().join();
            found.hatched = cell("gone").classList.contains("useless");
            found.strip = document.querySelectorAll("#strip button").length;
            found.images = document.images.length;
            const theme = document.documentElement.dataset.theme; key("t");
            found.theme = theme !== document.documentElement.dataset.theme;
            """)
        #expect(found["error"] == nil)
        #expect(found["crumbs"]?.string?.hasPrefix("Image/data") == true)
        #expect(found["address"]?.string == "#view=image&path=%2Fdata")
        #expect(found["deeper"]?.string?.hasPrefix("Image/data/deep") == true)
        #expect(found["focused"]?.string?.hasPrefix("er/, 400 kB") == true)
        #expect(found["top"]?.string?.hasPrefix("Image ") == true)
        #expect(found["useless"]?.string == "data/, 300 kB, 100.0 %")
        #expect(found["layers"]?.number == 3 && found["strip"]?.number == 3)
        #expect(found["layer"]?.string == "changed,deep/,gone" && found["hatched"] == .bool(true))
        #expect(found["images"]?.number == 0)
        #expect(found["theme"] == .bool(true))
    }

    @Test func tablesSortAndTheSearchFinds() throws {
        let found = try found(
            page(),
            """
            const rows = (name) => [...document.querySelectorAll(`#${name} tbody tr`)].map((row) => row.lastChild.textContent);
            const search = async (text) => {
              const before = document.getElementById("found").textContent;
              document.getElementById("search").value = text;
              document.getElementById("search").dispatchEvent(new Event("input"));
              await until(() => document.getElementById("found").textContent !== before);
            };
            key("/");
            found.isSearching = document.activeElement.id;
            await search("DATA/");
            found.files = rows("files").slice(0, 2).join();
            found.useless = rows("useless").join();
            click(document.querySelectorAll("#files th button")[0]);
            found.ascending = document.querySelector("#files th").getAttribute("aria-sort");
            found.smallest = rows("files")[0];
            await search("/deep.*txt$/");
            found.pattern = rows("files").join();
            found.dimmed = document.querySelectorAll("#map > .dim").length > 0 && !cell("data/").classList.contains("dim");
            await search("/(/");
            found.broken = document.getElementById("search").getAttribute("aria-invalid");
            """)
        #expect(found["error"] == nil)
        #expect(found["isSearching"]?.string == "search")
        #expect(found["files"]?.string == "/data/deep/er/file.txt,/data/changed")
        #expect(found["useless"]?.string == "/data/gone,/data/changed")
        #expect(found["ascending"]?.string == "ascending")
        #expect(found["smallest"]?.string?.contains("<img src=x onerror") == true)
        #expect(found["pattern"]?.string == "/data/deep/er/file.txt")
        #expect(found["dimmed"] == .bool(true) && found["broken"]?.string == "true")
    }

    @Test func theDifferenceHasTables() throws {
        let page = try lamina.succeeding("diff", "--format", "html", "lamina/base", "paged").outputText
        let found = try found(
            page,
            """
            found.tabs = [...document.querySelectorAll("#tabs button")].map((tab) => tab.textContent).join();
            document.getElementById("search").value = "deep/er/";
            document.getElementById("search").dispatchEvent(new Event("input"));
            found.row = document.querySelector("#tables tbody tr").textContent;
            """)
        #expect(found["error"] == nil)
        #expect(found["tabs"]?.string?.hasPrefix("Files ") == true)
        #expect(found["row"]?.string?.contains("/data/deep/er") == true)
        #expect(try !document(page).contains("data-hacked"))
    }

    @Test func theBuildHasATimeLine() throws {
        let context = try scratch.context(
            "FROM lamina/base AS one\nRUN sleep 1; echo '<img src=x onerror=document.body.dataset.hacked=1>'\n"
                + "FROM lamina/base\nCOPY --from=one /bin /copied\n", named: "timed")
        try lamina.build(context)
        try lamina.build(
            scratch.context(
                "FROM lamina/base AS one\nRUN sleep 1; echo changed '<img src=x onerror=document.body.dataset.hacked=1>'\n"
                    + "FROM lamina/base\nCOPY --from=one /bin /copied\n", named: "timed"))
        let page = try lamina.succeeding("explain", "--format", "html").outputText
        let found = try found(
            page,
            """
            const rows = () => [...document.querySelectorAll("#line button")];
            found.slowest = document.querySelector("#step").textContent;
            click(document.getElementById("show-critical"));
            found.critical = rows().length > 0 && rows().every((row) => row.querySelector(".critical"));
            click(document.getElementById("show-all"));
            found.all = rows().length;
            rows()[0].focus(); click(rows()[0]); key("ArrowDown");
            found.moved = rows()[1].getAttribute("aria-selected");
            document.getElementById("search").value = "sleep";
            document.getElementById("search").dispatchEvent(new Event("input"));
            found.rows = document.querySelectorAll("#steps tbody tr").length;
            found.images = document.images.length;
            """)
        #expect(found["error"] == nil)
        let slowest = found["slowest"]?.string ?? ""
        #expect(slowest.contains("RUN sleep 1") && slowest.contains("Dockerfile line 2") && slowest.contains("changed"))
        #expect(found["critical"] == .bool(true) && found["moved"]?.string == "true")
        #expect((found["all"]?.number ?? 0) >= 3 && found["rows"]?.number == 1 && found["images"]?.number == 0)
        #expect(try !document(page).contains("data-hacked"))
    }
}
