#pragma once
// Verification of a whole log, offline: from the database or from an export. Nothing but the log,
// the signed heads and the published format is needed (docs/log-format.md).

#include "base/outcome.hpp"
#include "persistence/export.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace reeve::persistence {

struct verify_result {
  uuid origin;
  std::int64_t events = 0;
  domain::position head = 0;
  digest hash{};
  std::int64_t checkpoints = 0;
  /// What was not seen: events of which only the leaf is known (an export for one tenant has those
  /// of others so) are in the chain, but nobody can tell whether one of them is the tenant's own
  /// and was hidden.
  std::int64_t leaves = 0;
  std::optional<uuid> tenant;  // the only one whose events the export has; nothing = everybody's
  /// The last position that a checked head signs; 0 = none. Behind it the log may have been cut or
  /// written anew by whoever can write all of it.
  domain::position signed_to = 0;
  /// The last position that the server of this data folder knew; 0 = unknown. Nobody signed it, but
  /// the log holds it.
  domain::position marked_to = 0;
  /// The first event that does not fit, and why; nothing = all is well.
  std::optional<domain::position> first_bad;
  std::string what;
  bool good() const { return !first_bad.has_value(); }
};

struct verify_options {
  std::string heads_file;       // signed heads outside of the database; may be missing
  std::string public_key;       // base64url; empty = any key whose signatures are right
  std::string known_file = {};  // how far the log was known (admission.hpp); may be missing
  /// Told each event of a database's log that fits, in its order; its error ends the verification.
  std::function<outcome<done>(const domain::event_record&)> on_event = {};
};

/// `url`: the owner's login. Also the checkpoints in the database are checked, and that none is
/// missing there which was signed outside: rows of checkpoints are as final as events. Only the
/// newest head may be outside alone, because a crash may come between file and database.
outcome<verify_result> verify_database(const std::string& url, const verify_options& options);

/// `invalid`: the input is no export.
outcome<verify_result> verify_export(const line_source& lines, const verify_options& options);

}  // namespace reeve::persistence
