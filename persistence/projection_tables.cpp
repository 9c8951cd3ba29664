#include "persistence/projection_tables.hpp"

namespace reeve::persistence {
namespace {

constexpr bool key = true;

std::vector<column> allowlist_columns() {
  return {{"tenant", "uuid", key},
          {"id", "uuid", key},
          {"is_active", "boolean"},
          {"created_position", "bigint"},
          {"doc", "text"}};
}

std::vector<column> directive_columns() {
  return {{"tenant", "uuid", key}, {"id", "uuid", key},        {"name", "text"},
          {"version", "bigint"},   {"is_archived", "boolean"}, {"created_position", "bigint"},
          {"doc", "text"}};
}

std::vector<column> directive_version_columns() {
  return {{"tenant", "uuid", key},        {"id", "text", key},
          {"directive_id", "uuid"},       {"version", "bigint"},
          {"created_position", "bigint"}, {"doc", "text"}};
}

std::vector<column> run_columns() {
  return {{"tenant", "uuid", key},      {"id", "uuid", key},
          {"status", "text"},           {"directive_id", "uuid"},
          {"directive_name", "text"},   {"is_simulated", "boolean"},
          {"retry_of", "uuid"},         {"created_position", "bigint"},
          {"created_at_us", "bigint"},  {"started_at_us", "bigint"},
          {"finished_at_us", "bigint"}, {"doc", "text"},
          {"snapshot", "text"}};
}

std::vector<column> job_columns() {
  return {{"tenant", "uuid", key},
          {"id", "uuid", key},
          {"run_id", "uuid"},
          {"ordinal", "int"},
          {"status", "text"},
          {"task", "text"},
          {"created_position", "bigint"},
          {"doc", "text"}};
}

std::vector<column> token_columns() {
  return {{"tenant", "uuid", key}, {"id", "uuid", key},     {"is_active", "boolean"},
          {"role", "text"},        {"secret_hash", "text"}, {"created_position", "bigint"},
          {"doc", "text"}};
}

std::vector<column> llm_call_columns() {
  return {{"tenant", "uuid", key},
          {"id", "uuid", key},
          {"job_id", "uuid"},
          {"created_position", "bigint"},
          {"doc", "text"}};
}

std::vector<column> llm_usage_columns() {
  return {{"tenant", "uuid", key},   {"job_id", "uuid", key},     {"run_id", "uuid"},
          {"calls", "bigint"},       {"prompt_tokens", "bigint"}, {"completion_tokens", "bigint"},
          {"total_tokens", "bigint"}};
}

std::vector<table_definition> make_tables() {
  return {
      {"reeve_read.tenants",
       {{"id", "uuid", key},
        {"name", "text"},
        {"created_position", "bigint"},
        {"default_directive", "uuid"}}},
      {"reeve_read.directives", directive_columns()},
      {"reeve_read.directive_versions", directive_version_columns()},
      {"reeve_read.runs", run_columns()},
      {"reeve_read.run_labels",
       {{"tenant", "uuid", key},
        {"key", "text", key},
        {"value", "text", key},
        {"object", "uuid", key}}},
      {"reeve_read.jobs", job_columns()},
      {"reeve_read.image_allowlist", allowlist_columns()},
      {"reeve_read.container_allowlist", allowlist_columns()},
      {"reeve_read.tokens", token_columns()},
      {"reeve_read.llm_calls", llm_call_columns()},
      {"reeve_read.llm_usage", llm_usage_columns()},
      {"reeve_read.blob_refs",
       {{"tenant", "uuid", key},
        {"job_id", "uuid", key},
        {"name", "text", key},
        {"sha256", "bytea"},
        {"bytes", "bigint"}}},
      {"reeve_read.singletons",
       {{"tenant", "uuid", key},
        {"id", "text", key},
        {"created_position", "bigint"},
        {"doc", "text"}}},
  };
}

}  // namespace

std::span<const table_definition> projection_tables() {
  static const std::vector<table_definition> tables = make_tables();
  return tables;
}

int column_index(table which, std::string_view name) {
  const auto& columns = projection_tables()[static_cast<std::size_t>(which)].columns;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].name == name) return static_cast<int>(i);
  }
  return -1;
}

}  // namespace reeve::persistence
