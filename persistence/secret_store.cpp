#include "base/sealing.hpp"
#include "persistence/pg_values.hpp"
#include "persistence/projection.hpp"
#include "persistence/repeatable_work.hpp"
#include "persistence/secret_vault.hpp"

#include <functional>
#include <optional>

namespace reeve::persistence {
namespace {

constexpr std::int64_t lock_wait_ms = 5'000;

/// What a value is bound to. No part holds a newline.
std::string about(const secret_place& where) {
  return "reeve secret\n" + to_string(where.tenant) + "\n" + where.name + "\n" +
         to_string(where.value);
}

digest digest_for(const sealing_key& key, const secret_place& where, const secret_text& value) {
  auto text = to_string(where.tenant) + "\n" + where.name + "\n";
  // At once, so that no copy stays behind where it grew.
  text.reserve(text.size() + value.view().size());
  text += value.view();
  const auto made = key.digest_of(text);
  wipe(text);
  return made;
}

std::string array_of(const std::vector<uuid>& ids) {
  std::string text = "{";
  for (const auto& id : ids) text += (text.size() > 1 ? "," : "") + to_string(id);
  return text + "}";
}

/// For clients, who are told of no path.
rejection sealed_by_another() {
  return reject(errc::conflict,
                "other secrets of this database are sealed with a key that this server does not "
                "have: see reeve doctor");
}

}  // namespace

struct secret_store::impl {
  explicit impl(secret_vault_config given)
      : config(std::move(given)), clock(config.clock != nullptr ? *config.clock : real_clock()) {}

  /// Every operation may be repeated.
  template <class T>
  outcome<T> run(const std::function<T(pqxx::work&)>& work);
  void connect();
  /// As it was loaded; nothing if there is no file. Throws `refused_work`.
  const sealing_key* load_key();
  /// The one of this id, if the file has it by now; else the one that there is.
  const sealing_key* load_key(std::string_view id);
  /// True: the file has a key that is wanted, which is in the place of the one in memory now.
  bool look_again(const std::function<bool(const sealing_key&)>& is_wanted);
  /// Whether values lie there that this key does not open.
  static bool has_others(pqxx::work& tx, const sealing_key* than);
  /// For a new value. Throws `refused_work`.
  const sealing_key& key_to_seal(pqxx::work& tx);

  secret_vault_config config;
  clock_port& clock;
  std::optional<sealing_key> key;
  std::unique_ptr<pqxx::connection> connection;
};

void secret_store::impl::connect() {
  connection = connect_session(config.url, "reeve-secrets");
  pqxx::nontransaction(*connection).exec0("SET lock_timeout = " + std::to_string(lock_wait_ms));
}

template <class T>
outcome<T> secret_store::impl::run(const std::function<T(pqxx::work&)>& work) {
  return run_repeatable<T>(
      connection, [this] { connect(); }, work, answer_of);
}

const sealing_key* secret_store::impl::load_key() {
  if (!key) {
    auto loaded = sealing_key::load(config.key_file);
    if (!loaded) throw refused_work{loaded.error()};
    key = std::move(*loaded);
  }
  return key ? &*key : nullptr;
}

/// A file that is away or unfit by now, or has a key that is not wanted, takes nothing from who has
/// read it.
bool secret_store::impl::look_again(const std::function<bool(const sealing_key&)>& is_wanted) {
  auto loaded = sealing_key::load(config.key_file);
  if (!loaded || !*loaded || !is_wanted(**loaded)) return false;
  key = std::move(*loaded);
  return true;
}

const sealing_key* secret_store::impl::load_key(std::string_view id) {
  if (const auto* has = load_key(); has == nullptr || has->id() == id) return has;
  look_again([id](const sealing_key& other) { return other.id() == id; });
  return &*key;
}

bool secret_store::impl::has_others(pqxx::work& tx, const sealing_key* than) {
  return !tx.exec_params("SELECT 1 FROM reeve.secret_values WHERE key_id <> $1 LIMIT 1",
                         than == nullptr ? std::string() : than->id())
              .empty();
}

const sealing_key& secret_store::impl::key_to_seal(pqxx::work& tx) {
  const auto* has = load_key();
  const auto opens_all = [&tx](const sealing_key& other) { return !has_others(tx, &other); };
  if (has_others(tx, has) && !look_again(opens_all)) throw refused_work{sealed_by_another()};
  if (key) return *key;
  auto made = sealing_key::generate();
  if (auto saved = made.save(config.key_file); !saved) {
    throw refused_work{reject(errc::internal, saved.error().detail)};
  }
  return key.emplace(std::move(made));
}

secret_store::secret_store(secret_vault_config config)
    : impl_(std::make_unique<impl>(std::move(config))) {}
secret_store::~secret_store() = default;

outcome<digest> secret_store::put(const secret_place& where, const secret_text& value) {
  return impl_->run<digest>([&](pqxx::work& tx) {
    const auto& key = impl_->key_to_seal(tx);
    const auto sealed = key.seal(value.view(), about(where));
    tx.exec_params(
        "INSERT INTO reeve.secret_values (tenant, id, name, key_id, sealed, created_at_us)"
        " VALUES ($1::uuid, $2::uuid, $3, $4, $5::bytea, $6::bigint)"
        " ON CONFLICT (tenant, id) DO NOTHING",
        to_string(where.tenant), to_string(where.value), where.name, key.id(),
        pqxx::binarystring(sealed.data(), sealed.size()), impl_->clock.now_us());
    return digest_for(key, where, value);
  });
}

outcome<std::shared_ptr<const opened_secrets>> secret_store::open(
    const std::vector<secret_place>& which) {
  using answer = std::shared_ptr<const opened_secrets>;
  return impl_->run<answer>([&](pqxx::work& tx) -> answer {
    auto all = std::make_shared<opened_secrets>();
    for (const auto& where : which) {
      const auto rows = tx.exec_params(
          "SELECT sealed, key_id FROM reeve.secret_values WHERE tenant = $1::uuid AND id = "
          "$2::uuid",
          to_string(where.tenant), to_string(where.value));
      if (rows.empty()) {
        throw refused_work{reject(
            errc::not_found, "the value of the secret " + where.name + " is not there (any more)")};
      }
      const auto* key = impl_->load_key(rows[0][1].c_str());
      if (key == nullptr) {
        throw refused_work{reject(
            errc::internal, "the key of the secrets is not there: " + impl_->config.key_file)};
      }
      auto opened = key->open(bytes_of(rows[0][0]), about(where));
      if (!opened) {
        throw refused_work{
            reject(errc::internal, "the value of the secret " + where.name +
                                       " cannot be opened: " + opened.error().detail)};
      }
      all->push_back(std::move(*opened));
    }
    return all;
  });
}

outcome<done> secret_store::make_key() {
  return impl_->run<done>([&](pqxx::work& tx) {
    impl_->key_to_seal(tx);
    return done{};
  });
}

outcome<done> secret_store::destroy(const uuid& tenant, const std::vector<uuid>& values) {
  if (values.empty()) return done{};
  return impl_->run<done>([&](pqxx::work& tx) {
    tx.exec_params(
        "DELETE FROM reeve.secret_values WHERE tenant = $1::uuid AND id = ANY ($2::uuid[])",
        to_string(tenant), array_of(values));
    return done{};
  });
}

outcome<std::int64_t> secret_store::sweep(time_us older_than_us) {
  return impl_->run<std::int64_t>([&](pqxx::work& tx) {
    const auto gone = tx.exec_params(
        "DELETE FROM reeve.secret_values v WHERE created_at_us < $1::bigint"
        " AND EXISTS (SELECT 1 FROM reeve.projections WHERE name = 'secrets'"
        " AND state = 'live' AND version = $2::int)"
        " AND NOT EXISTS (SELECT 1 FROM reeve_read.secrets s WHERE s.tenant = v.tenant"
        " AND s.id = v.name AND v.id::text = ANY (string_to_array(s.kept, ' ')))",
        impl_->clock.now_us() - older_than_us, projection_named("secrets").version);
    return static_cast<std::int64_t>(gone.affected_rows());
  });
}

outcome<std::vector<std::string>> sealing_keys_of(const std::string& url) {
  try {
    auto connection = connect_session(url, "reeve_secret_keys");
    pqxx::nontransaction tx(*connection);
    if (tx.exec1("SELECT to_regclass('reeve.secret_values') IS NULL")[0].as<bool>()) {
      return reject(errc::not_found, "no server that has secrets has led here");
    }
    std::vector<std::string> ids;
    for (const auto& row : tx.exec("SELECT DISTINCT key_id FROM reeve.secret_values ORDER BY 1")) {
      ids.emplace_back(row[0].c_str());
    }
    return ids;
  } catch (const std::exception&) {
    return reject(errc::unavailable, "the keys of the secrets cannot be looked at");
  }
}

}  // namespace reeve::persistence
