BEGIN TRANSACTION;
CREATE TABLE blobs (digest TEXT PRIMARY KEY, size INTEGER NOT NULL, generation INTEGER NOT NULL)
    WITHOUT ROWID;
INSERT INTO "blobs" VALUES('sha256:0ddedce5c7c97c4d6cb14b65ff640b65493909d9a07467f1afacd3a7e844ea5f',555,1);
INSERT INTO "blobs" VALUES('sha256:14a4d3fdce451c65fb2aa8c737a028de66f38953d6d59d44925f891a89a5a1f0',555,3);
INSERT INTO "blobs" VALUES('sha256:441f0b24eaa26f877e86f63cf59edd3932e9c522121044db18f57f3ea1a73880',2048,2);
INSERT INTO "blobs" VALUES('sha256:86d9f4265753748abcf62120aef3572148aac6f32d4ad2bbf89972c813354bcf',534,3);
INSERT INTO "blobs" VALUES('sha256:a4862a92242e89683646f582006a7d441570aac3dbce50cd4562c1d0d9c96e2e',116,4);
INSERT INTO "blobs" VALUES('sha256:de601e97d0c27711fcd6d4bcf452672d09385dea219579abeb148d6b50f7d51e',2048,1);
INSERT INTO "blobs" VALUES('sha256:e5ccf34a1100a11d0344175f021bc431085ad74ea4fca13ca14926f48359f655',555,2);
CREATE TABLE build_keys (key TEXT PRIMARY KEY, ingredients TEXT NOT NULL, build INTEGER NOT NULL)
    WITHOUT ROWID;
CREATE TABLE build_lists (digest TEXT PRIMARY KEY, build INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE builds (number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,
    started TEXT NOT NULL, finished TEXT NOT NULL, name TEXT NOT NULL, target TEXT NOT NULL,
    status TEXT NOT NULL, cached_steps INTEGER NOT NULL, total_steps INTEGER NOT NULL, image TEXT,
    tags TEXT NOT NULL, error TEXT, log_size INTEGER NOT NULL, details TEXT NOT NULL);
CREATE TABLE cache (key TEXT PRIMARY KEY, kind TEXT NOT NULL, description TEXT NOT NULL,
    result TEXT NOT NULL, diff_ids TEXT NOT NULL, blobs TEXT NOT NULL,
    created TEXT NOT NULL, last_used TEXT NOT NULL, generation INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO "cache" VALUES('sha256:3735e3136597866ab730f63018b903f2e9aad4868b63adc30bea7d579f4b2976','copy','[1/1] COPY a /a','[{"diffID":"sha256:de601e97d0c27711fcd6d4bcf452672d09385dea219579abeb148d6b50f7d51e","created":"1970-01-01T00:16:40Z"}]','sha256:de601e97d0c27711fcd6d4bcf452672d09385dea219579abeb148d6b50f7d51e','','2026-11-30T07:09:11.562939418Z','2026-11-30T07:09:11.562939418Z',1);
INSERT INTO "cache" VALUES('sha256:83cddaa0f2504b7c7fd6a8801e2cae6d92501e8f9463a5bcf2bb77a604fe8c99','copy','[1/1] COPY a /a','[{"diffID":"sha256:441f0b24eaa26f877e86f63cf59edd3932e9c522121044db18f57f3ea1a73880","created":"1970-01-01T00:16:40Z"}]','sha256:441f0b24eaa26f877e86f63cf59edd3932e9c522121044db18f57f3ea1a73880','','2026-11-30T07:09:11.741930288Z','2026-11-30T07:09:11.741930288Z',2);
INSERT INTO "cache" VALUES('sha256:91ebd9c44269ad6360bd7c719f8bdbf0e4283f47a5668ff589fe5b75bef7fe74','copy','[1/1] COPY a /a','[{"diffID":"sha256:de601e97d0c27711fcd6d4bcf452672d09385dea219579abeb148d6b50f7d51e","created":"1970-01-01T00:16:40Z"}]','sha256:de601e97d0c27711fcd6d4bcf452672d09385dea219579abeb148d6b50f7d51e','','2026-11-30T07:09:11.562939418Z','2026-11-30T07:09:11.562939418Z',1);
INSERT INTO "cache" VALUES('sha256:cefd6ce0b79ee6ed8203df34e2f988b10c4439952ee6b7793ecd187ca7ce106c','copy','[1/1] COPY a /a','[{"diffID":"sha256:441f0b24eaa26f877e86f63cf59edd3932e9c522121044db18f57f3ea1a73880","created":"1970-01-01T00:16:40Z"}]','sha256:441f0b24eaa26f877e86f63cf59edd3932e9c522121044db18f57f3ea1a73880','','2026-11-30T07:09:11.741930288Z','2026-11-30T07:09:11.741930288Z',2);
CREATE TABLE images (id TEXT PRIMARY KEY, platform TEXT NOT NULL, created TEXT, diff_ids TEXT NOT NULL,
    size INTEGER NOT NULL, manifest TEXT, layers TEXT NOT NULL, annotations TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO "images" VALUES('sha256:0ddedce5c7c97c4d6cb14b65ff640b65493909d9a07467f1afacd3a7e844ea5f','{"architecture":"amd64","os":"linux"}','1970-01-01T00:16:40.000000000Z','sha256:de601e97d0c27711fcd6d4bcf452672d09385dea219579abeb148d6b50f7d51e',6,NULL,'[]','{"dev.lamina.version":"0.1.0"}');
INSERT INTO "images" VALUES('sha256:14a4d3fdce451c65fb2aa8c737a028de66f38953d6d59d44925f891a89a5a1f0','{"architecture":"amd64","os":"linux"}','1970-01-01T00:16:40.000000000Z','sha256:f547ee4729269b4cedd5515c16ed36f1fdb4c4cfb0abe611c6a637b170c26aaa',6,'{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:86d9f4265753748abcf62120aef3572148aac6f32d4ad2bbf89972c813354bcf","size":534}','[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"sha256:a4862a92242e89683646f582006a7d441570aac3dbce50cd4562c1d0d9c96e2e","size":116}]','{}');
INSERT INTO "images" VALUES('sha256:e5ccf34a1100a11d0344175f021bc431085ad74ea4fca13ca14926f48359f655','{"architecture":"amd64","os":"linux"}','1970-01-01T00:16:40.000000000Z','sha256:441f0b24eaa26f877e86f63cf59edd3932e9c522121044db18f57f3ea1a73880',6,NULL,'[]','{"dev.lamina.version":"0.1.0"}');
CREATE TABLE layer_blobs (digest TEXT PRIMARY KEY, diff_id TEXT NOT NULL, media_type TEXT NOT NULL,
    size INTEGER NOT NULL, generation INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO "layer_blobs" VALUES('sha256:441f0b24eaa26f877e86f63cf59edd3932e9c522121044db18f57f3ea1a73880','sha256:441f0b24eaa26f877e86f63cf59edd3932e9c522121044db18f57f3ea1a73880','application/vnd.oci.image.layer.v1.tar',2048,2);
INSERT INTO "layer_blobs" VALUES('sha256:a4862a92242e89683646f582006a7d441570aac3dbce50cd4562c1d0d9c96e2e','sha256:f547ee4729269b4cedd5515c16ed36f1fdb4c4cfb0abe611c6a637b170c26aaa','application/vnd.oci.image.layer.v1.tar+gzip',116,4);
INSERT INTO "layer_blobs" VALUES('sha256:de601e97d0c27711fcd6d4bcf452672d09385dea219579abeb148d6b50f7d51e','sha256:de601e97d0c27711fcd6d4bcf452672d09385dea219579abeb148d6b50f7d51e','application/vnd.oci.image.layer.v1.tar',2048,1);
CREATE TABLE layer_sources (number INTEGER PRIMARY KEY AUTOINCREMENT, diff_id TEXT NOT NULL,
    digest TEXT NOT NULL, location TEXT NOT NULL, media_type TEXT NOT NULL, size INTEGER NOT NULL,
    generation INTEGER NOT NULL, UNIQUE (diff_id, digest, location));
INSERT INTO "layer_sources" VALUES(1,'sha256:f547ee4729269b4cedd5515c16ed36f1fdb4c4cfb0abe611c6a637b170c26aaa','sha256:a4862a92242e89683646f582006a7d441570aac3dbce50cd4562c1d0d9c96e2e','registry localhost:5077 pulled','application/vnd.oci.image.layer.v1.tar+gzip',116,3);
CREATE TABLE layers (diff_id TEXT PRIMARY KEY, content_size INTEGER NOT NULL,
    file_count INTEGER NOT NULL, generation INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO "layers" VALUES('sha256:441f0b24eaa26f877e86f63cf59edd3932e9c522121044db18f57f3ea1a73880',6,1,2);
INSERT INTO "layers" VALUES('sha256:de601e97d0c27711fcd6d4bcf452672d09385dea219579abeb148d6b50f7d51e',6,1,1);
INSERT INTO "layers" VALUES('sha256:f547ee4729269b4cedd5515c16ed36f1fdb4c4cfb0abe611c6a637b170c26aaa',6,1,4);
CREATE TABLE names (reference TEXT PRIMARY KEY, image TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO "names" VALUES('docker.io/library/built:1','sha256:0ddedce5c7c97c4d6cb14b65ff640b65493909d9a07467f1afacd3a7e844ea5f');
INSERT INTO "names" VALUES('docker.io/library/built:2','sha256:0ddedce5c7c97c4d6cb14b65ff640b65493909d9a07467f1afacd3a7e844ea5f');
INSERT INTO "names" VALUES('localhost:5077/pulled:1','sha256:14a4d3fdce451c65fb2aa8c737a028de66f38953d6d59d44925f891a89a5a1f0');
CREATE TABLE snapshots (number INTEGER PRIMARY KEY AUTOINCREMENT, chain_id TEXT NOT NULL,
    form TEXT NOT NULL, parent TEXT, generation INTEGER NOT NULL, UNIQUE (chain_id, form));
CREATE TABLE state (boot TEXT NOT NULL, current INTEGER NOT NULL, written INTEGER NOT NULL,
    durable INTEGER NOT NULL);
INSERT INTO "state" VALUES('v3',5,4,4);
CREATE INDEX layer_blobs_by_layer ON layer_blobs (diff_id);
CREATE INDEX names_by_image ON names (image);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('layer_sources',1);
COMMIT;
PRAGMA user_version = 3;
