#pragma once
// Access tokens in memory, so that a request is authenticated without a query. Filled at start,
// kept current by every commit before its caller is answered: a revoked token is refused from the
// next request on. Thread-safe. Text form of a token: "rv_<32 hex digits of the id>_<secret>".

#include "persistence/append_port.hpp"
#include "persistence/startup.hpp"

#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace reeve::persistence {

class token_table {
 public:
  /// Of a snapshot that may be older than what on_commit has told since begin_load(): the newer
  /// one of each token stays.
  void begin_load();
  void load(const std::vector<token_row>& rows);
  void on_commit(const commit_notice& notice);
  /// The active token of this text; the secret is compared by its SHA-256 in constant time.
  std::optional<token_row> find(std::string_view text) const;

 private:
  mutable std::mutex mutex_;
  std::unordered_map<uuid, token_row> tokens_;
  std::unordered_map<uuid, token_row> told_while_loading_;  // by on_commit, since begin_load()
};

/// The text of a token, shown once.
std::string token_text(const uuid& id, std::string_view secret);

}  // namespace reeve::persistence
