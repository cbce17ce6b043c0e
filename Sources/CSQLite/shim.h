// Apus, federated learning in Swift.
// SPDX-License-Identifier: Apache-2.0

#include <sqlite3.h>

// SQLITE_TRANSIENT is a cast, which Swift does not import: these copy what they are given. Nothing is bound as
// null because its pointer is.
static inline int apus_sqlite_bind_text(sqlite3_stmt *statement, int index, const void *bytes, sqlite3_uint64 count) {
  return sqlite3_bind_text64(statement, index, count ? (const char *)bytes : "", count, SQLITE_TRANSIENT, SQLITE_UTF8);
}

static inline int apus_sqlite_bind_blob(sqlite3_stmt *statement, int index, const void *bytes, sqlite3_uint64 count) {
  return sqlite3_bind_blob64(statement, index, count ? bytes : "", count, SQLITE_TRANSIENT);
}

// sqlite3_db_config takes any number of arguments, which Swift does not call: no schema that came with a file may
// run functions or write to SQLite's own tables.
static inline void apus_sqlite_defend(sqlite3 *database) {
  sqlite3_db_config(database, SQLITE_DBCONFIG_DEFENSIVE, 1, (int *)0);
  sqlite3_db_config(database, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, (int *)0);
  sqlite3_db_config(database, SQLITE_DBCONFIG_ENABLE_TRIGGER, 1, (int *)0);
}
