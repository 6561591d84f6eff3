import SQLite

/// The tables of the database.
enum StoreSchema {
    /// The version that this program reads and writes.
    static let version = 5
    /// The oldest version that is migrated; see ``StoreMigration`` and ``StackMigration``.
    static let oldestVersion = 3

    /// Creates all tables.
    ///
    /// Digests are text as in `sha256:...`, lists of them are joined by spaces, times are text that sorts, descriptors
    /// are JSON.
    static func create(_ db: SQLiteConnection) throws {
        try db.executeScript(
            """
            CREATE TABLE state (boot TEXT NOT NULL, current INTEGER NOT NULL, written INTEGER NOT NULL,
                durable INTEGER NOT NULL);
            INSERT INTO state VALUES ('', 0, 0, 0);
            CREATE TABLE blobs (digest TEXT PRIMARY KEY, size INTEGER NOT NULL, generation INTEGER NOT NULL)
                WITHOUT ROWID;
            CREATE TABLE layers (diff_id TEXT PRIMARY KEY, content_size INTEGER NOT NULL,
                file_count INTEGER NOT NULL, generation INTEGER NOT NULL, tar_size INTEGER NOT NULL DEFAULT 0)
                WITHOUT ROWID;
            CREATE TABLE layer_blobs (digest TEXT PRIMARY KEY, diff_id TEXT NOT NULL, media_type TEXT NOT NULL,
                size INTEGER NOT NULL, generation INTEGER NOT NULL) WITHOUT ROWID;
            CREATE INDEX layer_blobs_by_layer ON layer_blobs (diff_id);
            CREATE TABLE layer_sources (number INTEGER PRIMARY KEY AUTOINCREMENT, diff_id TEXT NOT NULL,
                digest TEXT NOT NULL, location TEXT NOT NULL, media_type TEXT NOT NULL, size INTEGER NOT NULL,
                generation INTEGER NOT NULL, UNIQUE (diff_id, digest, location));
            CREATE TABLE snapshots (number INTEGER PRIMARY KEY AUTOINCREMENT, chain_id TEXT NOT NULL,
                form TEXT NOT NULL, parent TEXT, generation INTEGER NOT NULL, UNIQUE (chain_id, form));
            \(cache)
            \(images)
            CREATE TABLE builds (number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,
                started TEXT NOT NULL, finished TEXT NOT NULL, name TEXT NOT NULL, target TEXT NOT NULL,
                status TEXT NOT NULL, cached_steps INTEGER NOT NULL, total_steps INTEGER NOT NULL, image TEXT,
                tags TEXT NOT NULL, error TEXT, log_size INTEGER NOT NULL, details TEXT NOT NULL);
            CREATE TABLE build_keys (key TEXT PRIMARY KEY, ingredients TEXT NOT NULL, build INTEGER NOT NULL)
                WITHOUT ROWID;
            CREATE TABLE build_lists (digest TEXT PRIMARY KEY, build INTEGER NOT NULL) WITHOUT ROWID;
            PRAGMA user_version = \(version);
            """)
    }

    /// The tables of cache records and the stacks of layers that they have; see ``StackTable``.
    static let cache = """
        CREATE TABLE cache (key TEXT PRIMARY KEY, kind TEXT NOT NULL, description TEXT NOT NULL,
            result TEXT NOT NULL, stack INTEGER NOT NULL, blobs TEXT NOT NULL,
            created TEXT NOT NULL, last_used TEXT NOT NULL, generation INTEGER NOT NULL) WITHOUT ROWID;
        CREATE TABLE stacks (number INTEGER PRIMARY KEY AUTOINCREMENT, parent INTEGER NOT NULL,
            diff_id TEXT NOT NULL, created TEXT NOT NULL, UNIQUE (parent, diff_id, created));
        """

    /// The tables of images, their roots and their names.
    ///
    /// `root_manifests` has the manifests below a root whose configs are in the store, in the order of the index;
    /// `root_blobs` everything else that belongs to the root, in the store or not; `pushed` the digests under which an
    /// image made here was pushed.
    static let images = """
        CREATE TABLE images (id TEXT PRIMARY KEY, platform TEXT NOT NULL, created TEXT, diff_ids TEXT NOT NULL,
            size INTEGER NOT NULL) WITHOUT ROWID;
        CREATE TABLE roots (number INTEGER PRIMARY KEY AUTOINCREMENT, digest TEXT NOT NULL UNIQUE,
            descriptor TEXT NOT NULL, origin TEXT NOT NULL, location TEXT);
        CREATE TABLE root_manifests (root TEXT NOT NULL, position INTEGER NOT NULL, digest TEXT NOT NULL,
            image TEXT NOT NULL, descriptor TEXT NOT NULL, layers TEXT NOT NULL, annotations TEXT NOT NULL,
            PRIMARY KEY (root, digest)) WITHOUT ROWID;
        CREATE INDEX root_manifests_by_image ON root_manifests (image);
        CREATE TABLE root_blobs (root TEXT NOT NULL, digest TEXT NOT NULL, PRIMARY KEY (root, digest)) WITHOUT ROWID;
        CREATE TABLE names (reference TEXT PRIMARY KEY, root TEXT NOT NULL) WITHOUT ROWID;
        CREATE INDEX names_by_root ON names (root);
        CREATE TABLE pushed (root TEXT NOT NULL, reference TEXT NOT NULL, PRIMARY KEY (root, reference))
            WITHOUT ROWID;
        """
}
