// The tables of a store, and how those of an earlier version become those of this one.
//
//   STEPWISE_RETURN_IF_ERROR(Migrate(connection));
//
// A change of the tables is one more row of kMigrations; rows that were released are never changed.
// Errors: kFailedPrecondition when the tables are of a later version. Thread-safety: as the connection.
#ifndef STEPWISE_CDS_HOOKS_STORE_SQL_SCHEMA_H_
#define STEPWISE_CDS_HOOKS_STORE_SQL_SCHEMA_H_

#include "cds_hooks/store/sql.h"

namespace stepwise::cds_hooks {

Status Migrate(SqlConnection& connection);

}  // namespace stepwise::cds_hooks

#endif  // STEPWISE_CDS_HOOKS_STORE_SQL_SCHEMA_H_
