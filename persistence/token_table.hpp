#pragma once
// Access tokens in memory, so that a request is authenticated without a query, and whose the server
// is. Filled at start, kept current by every commit before its caller is answered: a revoked token
// is refused from the next request on. Thread-safe.

#include "persistence/append_port.hpp"
#include "persistence/startup.hpp"

#include <mutex>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace reeve::persistence {

class token_table {
 public:
  /// Of a snapshot that may be older than what on_commit has told since begin_load(): the newer
  /// one of each token stays.
  void begin_load();
  /// The first tenant stays as it was if none is given.
  void load(const std::vector<token_row>& rows, std::optional<uuid> first_tenant = {});
  void on_commit(const commit_notice& notice);
  /// The active token of this text; the secret is compared by its SHA-256 in constant time.
  std::optional<token_row> find(std::string_view text) const;
  /// first_tenant_of the log; false as long as it has none.
  bool is_first_tenant(const uuid& tenant) const;

 private:
  void note_tenant(std::optional<uuid> tenant);

  mutable std::mutex mutex_;
  std::unordered_map<uuid, token_row> tokens_;
  std::optional<uuid> first_tenant_;
  std::unordered_map<uuid, token_row> told_while_loading_;  // by on_commit
  bool is_loading_ = false;                                 // between begin_load() and load()
};

}  // namespace reeve::persistence
