#include "persistence/verify_blobs.hpp"

#include "base/digest.hpp"
#include "persistence/journal_sql.hpp"
#include "persistence/named_blobs.hpp"
#include "persistence/pg_session.hpp"
#include "persistence/pg_values.hpp"

#include <map>
#include <set>
#include <utility>
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
  if (all.changed == 0) all.first = in_words(of.tenant, of.sha256);
  ++all.changed;
}

/// What an event names, and where it has to be.
struct wanted_blob {
  uuid tenant;
  digest job_and_name{};
  digest named{};
};

/// Names of a job that a long log gives are many, and some are long.
digest name_key(const uuid& job, const std::string& name) {
  return sha256(to_string(job) + name);
}

/// Places in `all` of those that are not there, in their order.
std::vector<std::size_t> missing_of(pqxx::connection& connection,
                                    const std::vector<wanted_blob>& all) {
  array_text tenants, names;
  for (const auto& one : all) {
    tenants.id(one.tenant);
    names.text("\\x" + to_hex(one.named));
  }
  pqxx::work tx(connection);
  const auto rows = tx.exec_params(
      "SELECT n.place FROM unnest($1::uuid[], $2::bytea[]) WITH ORDINALITY AS n"
      " (tenant, sha256, place) WHERE NOT EXISTS (SELECT 1 FROM reeve.blobs b"
      " WHERE b.tenant = n.tenant AND b.sha256 = n.sha256) ORDER BY n.place",
      tenants.take(), names.take());
  std::vector<std::size_t> places;
  for (const auto& row : rows) places.push_back(row[0].as<std::size_t>() - 1);
  return places;
}

}  // namespace

struct blob_check::impl {
  template <class Work>
  outcome<done> run(const Work& work) {
    try {
      work();
      return done{};
    } catch (const std::exception&) {
      return rejection_of(trouble_of_current(*connection));
    }
  }
  void ask();
  void count_missing();
  void read_all();

  std::unique_ptr<pqxx::connection> connection;
  std::vector<wanted_blob> batch;
  std::map<std::pair<uuid, digest>, digest> missing;  // by tenant, job and name
  std::int64_t not_kept = 0;
  blobs_result all;
};

/// A blob is stored before the event that names it, so what is not there now is gone.
void blob_check::impl::ask() {
  const auto gone = missing_of(*connection, batch);
  auto next = gone.begin();
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const auto& one = batch[i];
    const bool is_gone = next != gone.end() && *next == i;
    const std::pair key{one.tenant, one.job_and_name};
    if (!missing.empty()) missing.erase(key);
    if (!is_gone) continue;
    ++next;
    if (missing.size() < most_missing_kept) {
      missing.emplace(key, one.named);
    } else {
      ++not_kept;
    }
  }
  batch.clear();
}

void blob_check::impl::count_missing() {
  std::set<std::pair<uuid, digest>> gone;
  for (const auto& [key, named] : missing) gone.emplace(key.first, named);
  all.missing = static_cast<std::int64_t>(gone.size()) + not_kept;
  if (gone.empty() || all.changed > 0) return;
  all.first = in_words(to_string(gone.begin()->first), "\\x" + to_hex(gone.begin()->second));
}

void blob_check::impl::read_all() {
  blob_name last{to_string(uuid{}), "\\x", {}, 0};
  for (auto names = names_behind(*connection, last); !names.empty();
       names = names_behind(*connection, last)) {
    for (const auto& name : names) read(*connection, name, all);
    last = names.back();
  }
}

blob_check::blob_check(std::unique_ptr<impl> made) : impl_(std::move(made)) {}
blob_check::blob_check(blob_check&&) noexcept = default;
blob_check& blob_check::operator=(blob_check&&) noexcept = default;
blob_check::~blob_check() = default;

outcome<blob_check> blob_check::open(const std::string& url) {
  auto made = std::make_unique<impl>();
  try {
    made->connection = connect_session(url, "reeve-verify");
    // It waits while the log is read, and nobody may take that for idleness.
    constexpr int with_idle_timeout = 140'000;
    if (made->connection->server_version() >= with_idle_timeout) {
      pqxx::work tx(*made->connection);
      tx.exec0("SET idle_session_timeout = 0");
      tx.commit();
    }
  } catch (const std::exception&) {
    return reject(errc::unavailable, "the database cannot be reached");
  }
  return blob_check(std::move(made));
}

outcome<done> blob_check::add(const domain::event_record& e) {
  auto& its = *impl_;
  const auto named = blobs_of(e);
  if (!named) {
    if (!its.all.unread) its.all.unread = e.position;
    return done{};
  }
  for (const auto& one : *named) {
    its.batch.push_back({e.tenant, name_key(one.job, one.name), one.content.sha256});
    ++its.all.named;
  }
  if (its.batch.size() < blob_names_at_once) return done{};
  return its.run([&] { its.ask(); });
}

outcome<blobs_result> blob_check::finish() {
  auto& its = *impl_;
  const auto ok = its.run([&] {
    its.ask();
    its.read_all();
    its.count_missing();
  });
  if (!ok) return ok.error();
  return its.all;
}

}  // namespace reeve::persistence
