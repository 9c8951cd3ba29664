#include "persistence/pg_values.hpp"

namespace reeve::persistence {

domain::event_record event_of(const pqxx::row& row) {
  domain::event_record e;
  e.position = row[0].as<domain::position>();
  e.epoch = row[1].as<std::int64_t>();
  e.stream = view_of(row[2]);
  e.version = row[3].as<domain::version>();
  e.type = view_of(row[4]);
  e.schema_version = row[5].as<int>();
  e.tenant = uuid_of(row[6]);
  e.payload = view_of(row[7]);
  e.payload_format = row[8].as<int>();
  if (!row[9].is_null()) e.key_id = uuid_of(row[9]);
  e.meta.principal = view_of(row[10]);
  e.meta.command_id = uuid_of(row[11]);
  if (!row[12].is_null()) e.meta.request_digest = digest_of(row[12]);
  e.meta.correlation_id = uuid_of(row[13]);
  if (!row[14].is_null()) e.meta.causation_id = row[14].as<domain::position>();
  e.meta.traceparent = view_of(row[15]);
  e.recorded_at_us = row[16].as<time_us>();
  e.leaf = digest_of(row[17]);
  e.hash = digest_of(row[18]);
  return e;
}

}  // namespace reeve::persistence
