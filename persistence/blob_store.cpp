#include "persistence/blob_store.hpp"

#include "persistence/pg_values.hpp"
#include "persistence/projection.hpp"
#include "persistence/repeatable_work.hpp"

#include <functional>
#include <mutex>

namespace reeve::persistence {

struct blob_store::impl {
  explicit impl(blob_store_config given)
      : config(std::move(given)), clock(config.clock != nullptr ? *config.clock : real_clock()) {}

  /// Every operation may be repeated.
  template <class T>
  outcome<T> run(const std::function<T(pqxx::work&)>& work, bool keeps = true);
  void connect();
  void put(pqxx::work& tx, const uuid& tenant, const digest& name, std::string_view bytes);

  blob_store_config config;
  clock_port& clock;
  std::mutex mutex;
  std::unique_ptr<pqxx::connection> connection;
};

void blob_store::impl::connect() {
  connection = connect_session(config.url, "reeve-blobs");
  // Somebody else may store the same bytes; a wait without end would be told to nobody.
  pqxx::nontransaction(*connection)
      .exec0("SET lock_timeout = " + std::to_string(config.lock_wait_ms));
}

template <class T>
outcome<T> blob_store::impl::run(const std::function<T(pqxx::work&)>& work, bool keeps) {
  const std::lock_guard lock(mutex);
  return run_repeatable<T>(
      connection, [this] { connect(); }, work, rejection_of, keeps);
}

void blob_store::impl::put(pqxx::work& tx, const uuid& tenant, const digest& name,
                           std::string_view bytes) {
  const auto id = to_string(tenant);
  const auto digest_text = "\\x" + to_hex(name);
  // The row is taken first, so two uploads of the same bytes wait for each other.
  const auto fresh = tx.exec_params(
      "INSERT INTO reeve.blobs (tenant, sha256, bytes, created_at_us)"
      " VALUES ($1::uuid, $2::bytea, $3::bigint, $4::bigint) ON CONFLICT (tenant, sha256)"
      " DO UPDATE SET created_at_us = excluded.created_at_us RETURNING xmax = 0",
      id, digest_text, static_cast<std::int64_t>(bytes.size()), clock.now_us());
  if (!fresh[0][0].as<bool>()) return;
  int ordinal = 0;
  for (std::size_t at = 0; at < bytes.size(); at += blob_chunk_bytes) {
    const auto chunk = bytes.substr(at, blob_chunk_bytes);
    tx.exec_params(
        "INSERT INTO reeve.blob_chunks (tenant, sha256, ordinal, data)"
        " VALUES ($1::uuid, $2::bytea, $3::int, $4::bytea)",
        id, digest_text, ordinal++, pqxx::binarystring(chunk.data(), chunk.size()));
  }
}

blob_store::blob_store(blob_store_config config)
    : impl_(std::make_unique<impl>(std::move(config))) {}
blob_store::~blob_store() = default;

outcome<digest> blob_store::put(const uuid& tenant, std::string_view bytes) {
  if (bytes.size() > max_blob_bytes) {
    return reject(errc::too_large, "a blob has at most 1 GiB");
  }
  const auto name = sha256(bytes);
  return impl_->run<digest>([&](pqxx::work& tx) {
    impl_->put(tx, tenant, name, bytes);
    return name;
  });
}

outcome<done> blob_store::try_put() {
  // Bytes that nobody has, so that their chunk is written as well.
  const auto bytes = to_string(real_ids().next());
  const auto name = sha256(bytes);
  return impl_->run<done>(
      [&](pqxx::work& tx) {
        impl_->put(tx, uuid{}, name, bytes);
        return done{};
      },
      false);
}

outcome<std::int64_t> blob_store::sweep(time_us older_than_us, std::int64_t limit) {
  const auto before = impl_->clock.now_us() - older_than_us;
  return impl_->run<std::int64_t>([&](pqxx::work& tx) {
    // The rows are locked and looked at again, so one that is put anew at this moment stays. While
    // nobody can say what the log names, nothing goes.
    const auto gone = tx.exec_params(
        "WITH old AS (SELECT tenant, sha256 FROM reeve.blobs b WHERE created_at_us < $1::bigint"
        " AND EXISTS (SELECT 1 FROM reeve.projections WHERE name = 'blob_refs'"
        " AND state = 'live' AND version = $3::int)"
        " AND NOT EXISTS (SELECT 1 FROM reeve_read.blob_refs r"
        " WHERE r.tenant = b.tenant AND r.sha256 = b.sha256)"
        " ORDER BY created_at_us LIMIT $2::bigint FOR UPDATE SKIP LOCKED)"
        " DELETE FROM reeve.blobs b USING old WHERE b.tenant = old.tenant"
        " AND b.sha256 = old.sha256 RETURNING b.tenant, b.sha256",
        before, limit, projection_named("blob_refs").version);
    for (const auto& row : gone) {
      tx.exec_params("DELETE FROM reeve.blob_chunks WHERE tenant = $1::uuid AND sha256 = $2::bytea",
                     row[0].c_str(), row[1].c_str());
    }
    return static_cast<std::int64_t>(gone.size());
  });
}

}  // namespace reeve::persistence
