import SystemPackage
import Testing

/// `fsck` on the records of builds: each case damages one thing.
@Suite("Checks of the history", .enabled(if: Machine.isRoot, Machine.needsRoot))
struct HistoryCheckTests {
    struct Damage: Sendable, CustomTestStringConvertible {
        let name: String
        /// Python, with `db` and `path`, the path of the store.
        let script: String
        let problem: String
        var testDescription: String { name }
    }

    static let damages: [Damage] = [
        .init(name: "an image", script: "db.execute(\"UPDATE builds SET image = 'x'\")", problem: "' cannot be read"),
        .init(
            name: "a time", script: "db.execute(\"UPDATE builds SET started = 'then'\")", problem: "' cannot be read"),
        .init(
            name: "a number", script: "db.execute(\"UPDATE builds SET total_steps = x'ff'\")",
            problem: "' cannot be read"),
        .init(
            name: "a status", script: "db.execute(\"UPDATE builds SET status = 'fine'\")", problem: "' cannot be read"),
        .init(
            name: "details", script: "db.execute(\"UPDATE builds SET details = '{}'\")",
            problem: "details that cannot be"),
        .init(name: "a lost log", script: "os.remove(one('logs'))", problem: "log of build"),
        .init(name: "a cut log", script: "os.truncate(one('logs'), 30)", problem: "has 30 bytes, not"),
        .init(name: "another log", script: "scribble(one('logs'))", problem: "cannot be read to its end"),
        .init(
            name: "ingredients", script: "db.execute(\"UPDATE build_keys SET ingredients = '['\")",
            problem: "into the key"),
        .init(
            name: "a key", script: "db.execute(\"UPDATE build_keys SET key = 'k' || key\")", problem: "into the key 'k"),
        .init(name: "a lost list", script: "os.remove(one('files'))", problem: "' is missing"),
        .init(name: "another list", script: "scribble(one('files'))", problem: "list of copied files"),
        .init(
            name: "a digest", script: "db.execute(\"UPDATE build_lists SET digest = 'd'\")",
            problem: "name that is no digest"),
    ]

    private let scratch: Scratch
    private let lamina: Lamina

    init() throws {
        scratch = try Scratch()
        lamina = Lamina(root: scratch.path.appending("store"))
        try scratch.write("file", to: "context/file")
        try lamina.build(scratch.context("FROM lamina/base\nCOPY file /file\nRUN echo hello\n"))
    }

    private func damage(_ script: String) throws {
        let beginning = """
            import glob, os, sqlite3, sys
            path = sys.argv[1]
            db = sqlite3.connect(path + '/db.sqlite', isolation_level=None)
            def one(folder): return glob.glob(path + '/builds/' + folder + '/*')[0]
            def scribble(name):
                size = os.path.getsize(name)
                os.chmod(name, 0o600)
                open(name, 'wb').write(b'\\xff' * size)

            """
        try expectSuccess("python3", "-c", beginning + script, lamina.root.string)
    }

    @Test(arguments: damages) func isFoundAndRepaired(_ damage: Damage) throws {
        #expect(try lamina.succeeding("fsck").outputText.hasSuffix("1 builds.\nThe store is whole.\n"))
        try self.damage(damage.script)
        // What cannot be read is in nobody's way.
        try lamina.succeeding("builds")
        let found = try lamina("fsck")
        #expect(found.status == 1 && found.outputText.contains(damage.problem), "\(found.outputText)")
        let repaired = try lamina("fsck", "--repair")
        #expect(repaired.status == 0 && repaired.outputText.contains("[repaired: "), "\(repaired.outputText)")
        #expect(try lamina.succeeding("fsck").outputText.hasSuffix("The store is whole.\n"))
        try lamina.build(scratch.path.appending("context"))
        #expect(try lamina.succeeding("fsck").outputText.hasSuffix("The store is whole.\n"))
    }

    @Test func whatKilledBuildsLeaveIsNoDefectAndGoes() throws {
        try damage("open(path + '/builds/logs/orphan', 'w'); open(path + '/builds/files/orphan', 'w')")
        #expect(try lamina.succeeding("fsck").outputText.hasSuffix("The store is whole.\n"))
        try lamina.succeeding("fsck", "--repair")
        try damage("assert len(glob.glob(path + '/builds/*/orphan')) == 0; one('logs'); one('files')")
    }
}
