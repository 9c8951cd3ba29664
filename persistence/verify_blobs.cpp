#include "persistence/verify_blobs.hpp"

#include "base/digest.hpp"
#include "persistence/pg_session.hpp"
#include "persistence/pg_values.hpp"

#include <memory>
#include <vector>

namespace reeve::persistence {
namespace {

constexpr int names_at_once = 1000;
constexpr int chunks_at_once = 4;  // of 256 KiB

struct blob_name {
  std::string tenant, sha256;  // as PostgreSQL writes them
  digest named{};
  std::int64_t bytes = 0;
};

std::string in_words(const std::string& tenant, const std::string& sha256) {
  return "tenant " + tenant + ", SHA-256 " + sha256.substr(2);
}

std::vector<blob_name> names_behind(pqxx::connection& connection, const blob_name& last) {
  pqxx::work tx(connection);
  const auto rows = tx.exec_params(
      "SELECT tenant, sha256, bytes FROM reeve.blobs WHERE (tenant, sha256) > ($1::uuid, $2::bytea)"
      " ORDER BY tenant, sha256 LIMIT $3::int",
      last.tenant, last.sha256, names_at_once);
  std::vector<blob_name> names;
  for (const auto& row : rows) {
    names.push_back({row[0].c_str(), row[1].c_str(), digest_of(row[1]), row[2].as<std::int64_t>()});
  }
  return names;
}

bool is_there(pqxx::connection& connection, const blob_name& of) {
  pqxx::work tx(connection);
  return !tx.exec_params("SELECT 1 FROM reeve.blobs WHERE tenant = $1::uuid AND sha256 = $2::bytea",
                         of.tenant, of.sha256)
              .empty();
}

void read(pqxx::connection& connection, const blob_name& of, blobs_result& all) {
  sha256_hasher hash;
  std::int64_t bytes = 0;
  for (int last = -1;;) {
    pqxx::work tx(connection);
    const auto rows = tx.exec_params(
        "SELECT ordinal, data FROM reeve.blob_chunks WHERE tenant = $1::uuid"
        " AND sha256 = $2::bytea AND ordinal > $3::int ORDER BY ordinal LIMIT $4::int",
        of.tenant, of.sha256, last, chunks_at_once);
    for (const auto& row : rows) {
      const auto data = bytes_of(row[1]);
      hash.update(data);
      bytes += static_cast<std::int64_t>(data.size());
      last = row[0].as<int>();
    }
    if (rows.size() < chunks_at_once) break;
  }
  const bool fits = bytes == of.bytes && hash.finish() == of.named;
  if (!fits && !is_there(connection, of)) return;
  ++all.blobs;
  all.bytes += bytes;
  if (fits) return;
  if (all.good()) all.first = in_words(of.tenant, of.sha256);
  ++all.changed;
}

/// While the read model of what is named is built anew, nobody can tell.
void count_missing(pqxx::connection& connection, blobs_result& all) {
  pqxx::work tx(connection);
  all.knows_names = !tx.exec(
                           "SELECT 1 FROM reeve.projections WHERE name = 'blob_refs'"
                           " AND state = 'live'")
                         .empty();
  if (!all.knows_names) return;
  const auto rows = tx.exec(
      "SELECT DISTINCT r.tenant, r.sha256 FROM reeve_read.blob_refs r WHERE NOT EXISTS (SELECT 1"
      " FROM reeve.blobs b WHERE b.tenant = r.tenant AND b.sha256 = r.sha256)");
  if (!rows.empty() && all.good()) all.first = in_words(rows[0][0].c_str(), rows[0][1].c_str());
  all.missing = static_cast<std::int64_t>(rows.size());
}

}  // namespace

outcome<blobs_result> verify_blobs(const std::string& url) {
  std::unique_ptr<pqxx::connection> connection;
  try {
    connection = connect_session(url, "reeve-verify");
    blobs_result all;
    blob_name last{to_string(uuid{}), "\\x", {}, 0};
    for (auto names = names_behind(*connection, last); !names.empty();
         names = names_behind(*connection, last)) {
      for (const auto& name : names) read(*connection, name, all);
      last = names.back();
    }
    count_missing(*connection, all);
    return all;
  } catch (const std::exception&) {
    if (!connection) return reject(errc::unavailable, "the database cannot be reached");
    return rejection_of(trouble_of_current(*connection));
  }
}

}  // namespace reeve::persistence
