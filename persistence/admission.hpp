#pragma once
// Whether the database that is there may be led: before the first word of a new leader it is
// compared with what was kept outside of it. A restored backup or a stale primary lies behind heads
// that were signed, and writing to it would make a second history under the same name.
//
// Kept outside, below the data folder: the file of signed heads (checkpoint.hpp), and which cluster
// and timeline was led last and how far its log was then, a second ago at most. That mark is not
// signed: it proves nothing to anybody else, but this host need not be told twice what it wrote.

#include "base/outcome.hpp"
#include "persistence/checkpoint.hpp"
#include "persistence/database_identity.hpp"

#include <functional>
#include <optional>
#include <string>
#include <tuple>

namespace reeve::persistence {

/// What a server finds that holds the writer's lock and has not written yet.
struct found_log {
  uuid origin;
  domain::position position = 0;  // of the last event; 0: the log is new
  digest hash{};
  database_identity database;
  /// Whether the log has this event; may throw as libpqxx does. Good during the call only.
  std::function<bool(domain::position, const digest&)> holds;
  /// Whether the event behind a position is an election that accepted the log as it ended there.
  /// As `holds`.
  std::function<bool(domain::position)> was_accepted;
};

/// Gives a row if so; $1 is the position.
inline constexpr const char* was_accepted_sql =
    "SELECT 1 FROM reeve.events WHERE position = $1::bigint + 1 AND type = 'leader_elected'"
    " AND payload::jsonb ->> 'accepted' = 'asked'";

/// What goes into `leader_elected` (domain/log_events.hpp).
struct admission {
  std::optional<std::string> accepted;
  std::optional<domain::position> signed_position;
  // How far what lies outside vouches for the log; 0: nothing does. Not in the event.
  domain::position signed_to = 0;
  domain::position marked_to = 0;
};

struct admission_files {
  std::string heads;     // signed heads
  std::string known;     // what was led last
  std::string accepted;  // a state that an operator accepted, once
};

/// `conflict`: the database lies behind what is known, and nobody accepted that; the text says what
/// to do. `invalid`: one of the files cannot be read.
outcome<admission> admit(const admission_files& files, const found_log& found);

/// The same of the log behind an owner's login, as it is now, for who looks and leads nothing; the
/// election would make one where there is none yet. Also `unavailable`.
outcome<admission> look_at_admission(const admission_files& files, const std::string& owner_url);

/// After the election: remembers the database; where a state was accepted that lies behind, the
/// file of heads is put aside under another name and a new one begins. An acceptance is gone
/// afterwards, whether it was needed or not.
outcome<done> settle_admission(const admission_files& files, const found_log& found,
                               const admission& made);

/// For a server that waits: keeps the newest checkpoint of the database outside of it too, so that
/// a second host knows later what was signed. Nothing is kept that does not continue the file.
outcome<done> keep_newest_head(const std::string& url, const std::string& heads_file);

/// What a leader's mark and an operator's acceptance are: one line of JSON.
struct known_database {
  std::string origin;
  std::string system_identifier;
  std::int64_t timeline = 0;
  domain::position position = 0;
  digest hash{};
  static constexpr auto fields() {
    using domain::field;
    return std::tuple{field("origin", &known_database::origin),
                      field("system_identifier", &known_database::system_identifier),
                      field("timeline", &known_database::timeline),
                      field("position", &known_database::position),
                      field("hash", &known_database::hash)};
  }
};

/// A log that would be refused, behind an owner's login, as an operator may accept it: this state
/// and no other, at the next election. `conflict`: it would not be refused.
outcome<known_database> look_at_refused(const admission_files& files, const std::string& owner_url);
/// The whole file is there afterwards, or the one before.
outcome<done> write_known(const std::string& path, const known_database& database);
/// Nothing: there is no such file. `invalid`: nobody of ours has written it.
outcome<std::optional<known_database>> read_known(const std::string& path);

/// While a server leads: how far the log is now.
outcome<done> mark_progress(const admission_files& files, const found_log& led,
                            domain::position position, const digest& hash);

}  // namespace reeve::persistence
