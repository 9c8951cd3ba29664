#include "persistence/reader_rights.hpp"

#include "base/log.hpp"
#include "persistence/log_rights.hpp"
#include "persistence/login_refusal.hpp"

#include <utility>

namespace reeve::persistence {
namespace {

// Longer than a burst of sessions, and well within the few seconds after which a probe gives up.
constexpr std::int64_t told_after_us = 2 * us_per_second;

outcome<std::string> missing_here(read_session& session) {
  std::string missing;
  for (const auto& sql : {missing_to_login_sql(false), missing_reads_sql()}) {
    for (const auto& row : session.query(std::nullopt, {sql, {std::string()}})) {
      missing += (missing.empty() ? "" : ", ") + row[0].as<std::string>();
    }
  }
  return missing;
}

/// What may not even be asked is an answer; everything else is the pool's to judge.
outcome<std::string> look_in(read_session& session) {
  try {
    return missing_here(session);
  } catch (const std::exception&) {
    if (!trouble_of_current(session.connection()).is_forbidden()) throw;
    return std::string("what rights are asked with");
  }
}

}  // namespace

void reader_rights::look(read_pool& pool) {
  if (looking_.exchange(true)) return;
  reply_slot<std::string> slot([this](outcome<std::string> found) {
    conclude(found);
    looking_ = false;
  });
  pool.submit<std::string>({system_tenant}, slot, look_in);
}

void reader_rights::conclude(const outcome<std::string>& found) {
  if (found) {
    refused_since_us_.reset();
    return note(*found);
  }
  // The pool was full, or ends, or a statement took too long: nothing of the login's.
  if (stopping_ || found.error().code != errc::unavailable) return;
  conclude_refusal(login_refusal(url_));
}

void reader_rights::conclude_refusal(const std::string& sqlstate) {
  if (is_lasting_refusal(sqlstate)) return note("the right to log in (" + sqlstate + ")");
  if (sqlstate.empty()) return refused_since_us_.reset();
  const auto now = clock_.mono_us();
  if (!refused_since_us_) refused_since_us_ = now;
  if (now - *refused_since_us_ >= told_after_us) note({}, sqlstate);
}

void reader_rights::note(std::string missing, std::string refused) {
  const std::lock_guard lock(mutex_);
  if (std::exchange(missing_, missing) != missing && !missing.empty()) {
    log_error("the reader's login lacks rights; see reeve doctor", {{"missing", missing}});
  }
  if (std::exchange(refused_, refused) != refused && !refused.empty()) {
    log_error("the database does not let the reader's login in; see reeve doctor",
              {{"sqlstate", refused}});
  }
}

std::string reader_rights::missing() const {
  const std::lock_guard lock(mutex_);
  return missing_;
}

std::string reader_rights::refused() const {
  const std::lock_guard lock(mutex_);
  return refused_;
}

}  // namespace reeve::persistence
