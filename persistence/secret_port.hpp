#pragma once
// Values of named secrets, sealed at rest, without blocking the caller. Which secrets there are is
// told by the log (domain/access/secrets.hpp); what is kept here is neither event nor projection. A
// value is there before the event that names it, and is destroyed when an event has left no use for
// it; what a process that died left behind is swept.

#include "base/digest.hpp"
#include "base/ids.hpp"
#include "base/secret.hpp"
#include "base/slot.hpp"

#include <memory>
#include <string>
#include <vector>

namespace reeve::persistence {

/// Where a value lies, and what it is bound to: it cannot be opened as anything else.
struct secret_place {
  uuid tenant;
  std::string name;  // of the secret
  uuid value;        // of one version of it
};

/// In the order in which they were asked for.
using opened_secrets = std::vector<secret_text>;

class secret_port {
 public:
  virtual ~secret_port() = default;

  /// Seals a value. Answers when it is durable, with a digest of tenant, name and value, which is
  /// the same for the same, and made with a key that is not in the database. Errors: `conflict`,
  /// the secrets of this database are sealed with a key that this server does not have, and the
  /// text says what to do; `internal`, the key cannot be read or made; `unavailable`; `overloaded`
  /// (256 questions wait).
  virtual void put(secret_place where, std::shared_ptr<const secret_text> value,
                   reply_slot<digest> slot) = 0;

  /// `not_found`: one of them is not there (any more); `internal`: one cannot be opened with this
  /// server's key, or there is none. `unavailable` and `overloaded` pass.
  virtual void open(std::vector<secret_place> which,
                    reply_slot<std::shared_ptr<const opened_secrets>> slot) = 0;

  /// One that is not there is destroyed. Errors: `unavailable`, `overloaded`.
  virtual void destroy(uuid tenant, std::vector<uuid> values, reply_slot<done> slot) = 0;
};

}  // namespace reeve::persistence
