#include "persistence/stored_heads.hpp"

#include "persistence/pg_session.hpp"
#include "persistence/pg_values.hpp"

#include <algorithm>

namespace reeve::persistence {
namespace {

/// In the database the key is named by its public half.
outcome<std::vector<signed_head>> heads_in_database(const std::string& url) {
  try {
    auto connection = connect_session(url, "reeve_heads");
    pqxx::nontransaction tx(*connection);
    std::vector<signed_head> heads;
    for (const auto& r : tx.exec("SELECT position, origin, epoch, hash, key_id, signature"
                                 " FROM reeve.checkpoints ORDER BY position")) {
      signed_head h;
      h.position = r[0].as<std::int64_t>();
      h.origin = uuid_of(r[1]);
      h.epoch = r[2].as<std::int64_t>();
      h.hash = digest_of(r[3]);
      h.public_key = r[4].as<std::string>();
      h.signature = to_base64url(bytes_of(r[5]));
      if (const auto key = ed25519_public_key::parse(h.public_key)) h.key_id = key->id();
      heads.push_back(std::move(h));
    }
    return heads;
  } catch (const std::exception&) {
    return reject(errc::unavailable, "the checkpoints cannot be read");
  }
}

}  // namespace

outcome<std::vector<signed_head>> all_heads(const std::string& url, const std::string& heads_file) {
  auto heads = heads_in_database(url);
  if (!heads) return heads;
  auto outside = read_heads(heads_file);
  if (!outside) return outside;
  for (auto& head : *outside) {
    if (std::find(heads->begin(), heads->end(), head) == heads->end()) {
      heads->push_back(std::move(head));
    }
  }
  std::stable_sort(heads->begin(), heads->end(),
                   [](const auto& a, const auto& b) { return a.position < b.position; });
  return heads;
}

}  // namespace reeve::persistence
