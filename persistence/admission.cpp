#include "persistence/admission.hpp"

#include "base/files.hpp"
#include "codec/codec.hpp"
#include "persistence/leaf.hpp"
#include "persistence/pg_session.hpp"
#include "persistence/pg_values.hpp"

#include <cstdio>
#include <unistd.h>
#include <utility>

namespace reeve::persistence {
namespace {

/// In what the log differs from the last signed head; nothing: it continues it.
outcome<std::optional<std::string>> gap_to_head(const std::optional<signed_head>& last,
                                                const found_log& found) {
  if (!last) return std::optional<std::string>();
  if (!is_genuine(*last)) {
    return reject(errc::invalid, "the last line of the file of heads has a wrong signature");
  }
  const auto at = "position " + std::to_string(last->position);
  if (last->origin != found.origin) {
    return std::optional<std::string>("a head of another log was signed here, at " + at);
  }
  if (last->position > found.position) {
    return std::optional<std::string>("a head at " + at + " was signed, and the log ends at " +
                                      std::to_string(found.position));
  }
  if (!found.holds(last->position, last->hash)) {
    return std::optional<std::string>("the event at " + at + " is not the one that was signed");
  }
  return std::optional<std::string>();
}

std::optional<std::string> gap_in_time(const std::optional<known_database>& known,
                                       const found_log& found) {
  if (!known || known->origin != to_string(found.origin)) return std::nullopt;
  if (known->system_identifier != found.database.system_identifier) return std::nullopt;
  if (found.database.timeline >= known->timeline) return std::nullopt;
  return "timeline " + std::to_string(known->timeline) +
         " of this cluster was written, and it is " + std::to_string(found.database.timeline) +
         " now";
}

/// The mark is this host's own, whichever cluster the log lies on now.
std::optional<std::string> gap_to_mark(const std::optional<known_database>& known,
                                       const found_log& found) {
  if (!known || known->origin != to_string(found.origin) || known->position == 0) {
    return std::nullopt;
  }
  const auto at = "position " + std::to_string(known->position);
  if (known->position > found.position) {
    return "this server knew it up to " + at + ", and it ends at " + std::to_string(found.position);
  }
  if (found.holds(known->position, known->hash)) return std::nullopt;
  return "the event at " + at + " is not the one that this server knew";
}

/// Exactly that state; or one that goes on from it with the election that accepted it, after a
/// death between that and `settle_admission`.
bool is_accepted(const known_database& accepted, const found_log& found) {
  const bool is_it = accepted.origin == to_string(found.origin) &&
                     accepted.system_identifier == found.database.system_identifier &&
                     accepted.timeline == found.database.timeline;
  if (!is_it) return false;
  if (accepted.position == found.position) return accepted.hash == found.hash;
  return accepted.position < found.position && found.holds(accepted.position, accepted.hash) &&
         found.was_accepted(accepted.position);
}

}  // namespace

outcome<std::optional<known_database>> read_known(const std::string& path) {
  const auto text = read_small_file(path);
  if (!text) return text.error();
  if (!*text) return std::optional<known_database>();
  auto known = codec::decode_text<known_database>((*text)->substr(0, (*text)->find('\n')));
  if (!known) return reject(errc::invalid, path + " is not what a server writes there");
  return std::optional<known_database>(std::move(*known));
}

namespace {

/// What lies outside of the database, read before the log is looked at: a log that goes on
/// meanwhile is never behind it.
struct kept_outside {
  std::optional<signed_head> last;
  std::optional<known_database> known;
};

outcome<kept_outside> read_kept(const admission_files& files) {
  auto last = read_last_head(files.heads);
  if (!last) return last.error();
  auto known = read_known(files.known);
  if (!known) return known.error();
  return kept_outside{std::move(*last), std::move(*known)};
}

outcome<admission> judge(const kept_outside& kept, const std::string& accepted_file,
                         const found_log& found) {
  const auto& [last, known] = kept;
  auto gap = gap_to_head(last, found);
  if (!gap) return gap.error();
  auto why = *gap ? *gap : gap_in_time(known, found);
  if (!why) why = gap_to_mark(known, found);
  if (!why) {
    admission made;
    if (known && known->system_identifier != found.database.system_identifier) {
      made.accepted = "other_identifier";
    }
    if (last) made.signed_to = last->position;
    if (known && known->origin == to_string(found.origin)) made.marked_to = known->position;
    return made;
  }
  const auto accepted = read_known(accepted_file);
  if (!accepted) return accepted.error();
  if (!*accepted || !is_accepted(**accepted, found)) {
    return reject(errc::conflict,
                  "the database is refused, because it is older than what is known of it: " + *why +
                      ". It is a restored backup, a stale primary or another database. Bring the "
                      "newer one back, or run `reeve accept-database` to go on from this one and "
                      "give up what it lacks");
  }
  admission made;
  made.accepted = "asked";
  if (last) made.signed_position = last->position;
  return made;
}

/// Calls with the log behind an owner's login, of the nil origin where there is none yet.
template <class Call>
auto with_log(const std::string& owner_url, Call call)
    -> decltype(call(std::declval<const found_log&>())) {
  try {
    auto connection = connect_session(owner_url, "reeve_accept");
    found_log found;
    found.database = identity_of(*connection);
    pqxx::nontransaction tx(*connection);
    found.holds = [&tx](domain::position at, const digest& hash) {
      const auto row =
          tx.exec("SELECT hash FROM reeve.events WHERE position = " + std::to_string(at));
      return !row.empty() && digest_of(row[0][0]) == hash;
    };
    found.was_accepted = [&tx](domain::position at) {
      return !tx.exec_params(was_accepted_sql, at).empty();
    };
    if (tx.exec1("SELECT to_regclass('reeve.log') IS NULL")[0].as<bool>()) return call(found);
    const auto origin = tx.exec("SELECT origin FROM reeve.log");
    if (origin.empty()) return call(found);
    found.origin = uuid_of(origin[0][0]);
    const auto tail =
        tx.exec("SELECT position, hash FROM reeve.events ORDER BY position DESC LIMIT 1");
    if (!tail.empty()) {
      found.position = tail[0][0].as<std::int64_t>();
      found.hash = digest_of(tail[0][1]);
    }
    return call(found);
  } catch (const std::exception&) {
    return reject(errc::unavailable, "the log cannot be read");
  }
}

}  // namespace

outcome<admission> admit(const admission_files& files, const found_log& found) {
  const auto kept = read_kept(files);
  if (!kept) return kept.error();
  return judge(*kept, files.accepted, found);
}

outcome<admission> look_at_admission(const admission_files& files, const std::string& owner_url) {
  const auto kept = read_kept(files);
  if (!kept) return kept.error();
  return with_log(owner_url, [&](const found_log& found) -> outcome<admission> {
    return judge(*kept, files.accepted, found);
  });
}

outcome<done> settle_admission(const admission_files& files, const found_log& found,
                               const admission& made) {
  if (made.accepted == "asked") {
    const auto aside = files.heads + ".before-" + std::to_string(found.position);
    if (::access(files.heads.c_str(), F_OK) == 0 &&
        std::rename(files.heads.c_str(), aside.c_str()) != 0) {
      return reject(errc::unavailable, files.heads + " cannot be put aside");
    }
  }
  if (auto ok = mark_progress(files, found, found.position, found.hash); !ok) return ok;
  // Needed or not: what was accepted once is not accepted a second time.
  if (!is_missing(files.accepted) && ::unlink(files.accepted.c_str()) != 0) {
    return reject(errc::unavailable, files.accepted + " cannot be removed");
  }
  return done{};
}

outcome<done> keep_newest_head(const std::string& url, const std::string& heads_file) {
  auto last = read_last_head(heads_file);
  if (!last) return last.error();
  signed_head newest;
  try {
    auto connection = connect_session(url, "reeve_heads");
    pqxx::nontransaction tx(*connection);
    const auto rows = tx.exec(
        "SELECT c.position, c.origin, c.epoch, c.hash, c.key_id, c.signature"
        " FROM reeve.checkpoints c JOIN reeve.events e ON e.position = c.position"
        " AND e.hash = c.hash ORDER BY c.position DESC LIMIT 1");
    if (rows.empty()) return done{};
    const auto& r = rows[0];
    newest.position = r[0].as<std::int64_t>();
    newest.origin = uuid_of(r[1]);
    newest.epoch = r[2].as<std::int64_t>();
    newest.hash = digest_of(r[3]);
    newest.public_key = r[4].as<std::string>();
    newest.signature = to_base64url(bytes_of(r[5]));
  } catch (const std::exception&) {
    return reject(errc::unavailable, "the checkpoints cannot be read");
  }
  if (const auto key = ed25519_public_key::parse(newest.public_key)) newest.key_id = key->id();
  if (!is_genuine(newest)) return reject(errc::conflict, "a checkpoint has a wrong signature");
  const bool continues =
      !*last || ((*last)->origin == newest.origin && (*last)->position < newest.position);
  return continues ? append_head(heads_file, newest) : done{};
}

outcome<known_database> look_at_refused(const admission_files& files,
                                        const std::string& owner_url) {
  const auto kept = read_kept(files);
  if (!kept) return kept.error();
  return with_log(owner_url, [&](const found_log& found) -> outcome<known_database> {
    if (found.origin == uuid{}) return reject(errc::not_found, "the database has no log yet");
    const auto admitted = judge(*kept, {}, found);
    if (admitted) {
      return reject(errc::conflict, "this database is not refused: there is nothing to accept");
    }
    if (admitted.error().code != errc::conflict) return admitted.error();
    return known_database{to_string(found.origin), found.database.system_identifier,
                          found.database.timeline, found.position, found.hash};
  });
}

outcome<done> write_known(const std::string& path, const known_database& database) {
  return write_small_file(path, codec::encode(database) + "\n");
}

outcome<done> mark_progress(const admission_files& files, const found_log& led,
                            domain::position position, const digest& hash) {
  return write_known(files.known, {to_string(led.origin), led.database.system_identifier,
                                   led.database.timeline, position, hash});
}

}  // namespace reeve::persistence
