/** Raised when tables change; a database of another version is made anew by `db update` or `db import`. */
export const SCHEMA_VERSION = 1;
/** "BLWK", in the header of the SQLite file. */
export const APPLICATION_ID = 0x42_4c_57_4b;

/**
 * A record's details lie compressed in blocks together with others; its location is `block * BLOCK_SIZE + slot`. Rows that
 * matching reads (package → affected) are plain, details are only unpacked for what matched.
 */
export const BLOCK_SIZE = 64;

export const SCHEMA = `
PRAGMA page_size = 4096;
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE ecosystem (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, records INTEGER NOT NULL) STRICT;
CREATE TABLE package (ecosystem INTEGER NOT NULL, name TEXT NOT NULL, id INTEGER NOT NULL,
  PRIMARY KEY (ecosystem, name)) STRICT, WITHOUT ROWID;
CREATE TABLE affected (package INTEGER NOT NULL, location INTEGER NOT NULL, seq INTEGER NOT NULL, detail ANY NOT NULL,
  PRIMARY KEY (package, location, seq)) STRICT, WITHOUT ROWID;
CREATE TABLE record (id TEXT PRIMARY KEY, location INTEGER NOT NULL, modified INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE block (id INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT;
CREATE TABLE flaw (cve INTEGER NOT NULL, location INTEGER NOT NULL, PRIMARY KEY (cve, location)) STRICT, WITHOUT ROWID;
CREATE TABLE kev (cve INTEGER PRIMARY KEY, added TEXT NOT NULL, due TEXT NOT NULL, ransomware INTEGER NOT NULL) STRICT;
CREATE TABLE epss (cve INTEGER PRIMARY KEY, score INTEGER NOT NULL, percentile INTEGER NOT NULL) STRICT;
CREATE TABLE source (name TEXT PRIMARY KEY, updated TEXT NOT NULL, newest TEXT NOT NULL) STRICT, WITHOUT ROWID;
PRAGMA application_id = ${APPLICATION_ID};
PRAGMA user_version = ${SCHEMA_VERSION};
`;

/** EPSS gives five decimals. */
export const EPSS_SCALE = 100_000;
