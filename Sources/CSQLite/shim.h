#pragma once
#include <sqlite3.h>
#include <stdint.h>

// SQLITE_TRANSIENT is a cast that Swift does not import: SQLite copies the bytes before these return.

static inline int sqlite_bind_text_copy(sqlite3_stmt *statement, int position, const char *text, int64_t count) {
    return sqlite3_bind_text64(statement, position, text, (sqlite3_uint64)count, SQLITE_TRANSIENT, SQLITE_UTF8);
}

static inline int sqlite_bind_blob_copy(sqlite3_stmt *statement, int position, const void *bytes, int64_t count) {
    return sqlite3_bind_blob64(statement, position, bytes, (sqlite3_uint64)count, SQLITE_TRANSIENT);
}
