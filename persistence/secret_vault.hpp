#pragma once
// The values of secrets behind their port, in reeve.secret_values, on a thread and over a
// connection of their own. While this server leads it also sweeps, every ten minutes: what no
// secret names for an hour was left behind by a process that died.

#include "base/leadership.hpp"
#include "base/time.hpp"
#include "persistence/secret_port.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace reeve::persistence {

struct secret_vault_config {
  /// libpq URL or key=value text of the writer's login.
  std::string url;
  /// Where the key lies (base/sealing.hpp). It is made with the first value, if the database holds
  /// none that was sealed with another one. Read when it is needed, and again when the one that was
  /// read does not fit: a standby may get it at any time.
  std::string key_file;
  clock_port* clock = nullptr;  // nullptr = the real one
};

/// The rows and the key, for one thread at a time. Calls block.
class secret_store {
 public:
  explicit secret_store(secret_vault_config config);
  ~secret_store();

  /// As those of secret_port.
  outcome<digest> put(const secret_place& where, const secret_text& value);
  outcome<std::shared_ptr<const opened_secrets>> open(const std::vector<secret_place>& which);
  outcome<done> destroy(const uuid& tenant, const std::vector<uuid>& values);
  /// Makes the key as the first value would, or finds that there is one. Errors as of `put`.
  outcome<done> make_key();
  /// Removes what has been there for `older_than_us` and no secret needs; none while the projection
  /// of secrets cannot be relied on. Gives how many.
  outcome<std::int64_t> sweep(time_us older_than_us = 3600 * us_per_second);

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

class secret_vault final : public secret_port {
 public:
  secret_vault(secret_vault_config config, const leadership& lead);
  ~secret_vault() override;
  /// Ends its thread; whatever is asked from then on is `unavailable`. Before what the answers go
  /// to is gone.
  void close();
  void put(secret_place where, std::shared_ptr<const secret_text> value,
           reply_slot<digest> slot) override;
  void open(std::vector<secret_place> which,
            reply_slot<std::shared_ptr<const opened_secrets>> slot) override;
  void destroy(uuid tenant, std::vector<uuid> values, reply_slot<done> slot) override;
  /// As that of the store: for what else is made with the key (base/attempt_token.hpp).
  void make_key(reply_slot<done> slot);

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

/// Ids of the keys that values of this database are sealed with, for the doctor. `url`: the owner's
/// login. `not_found`: its schema has no secrets yet; `unavailable`.
outcome<std::vector<std::string>> sealing_keys_of(const std::string& url);

}  // namespace reeve::persistence
