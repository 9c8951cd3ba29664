#include "persistence/reader_rights.hpp"

#include "base/log.hpp"
#include "persistence/log_rights.hpp"
#include "persistence/login_refusal.hpp"

#include <utility>

namespace reeve::persistence {
namespace {

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
  pool.submit<std::string>(slot, look_in);
}

void reader_rights::conclude(const outcome<std::string>& found) {
  if (found) return note(*found);
  // The pool was full, or ends, or a statement took too long: nothing of the login's.
  if (stopping_ || found.error().code != errc::unavailable) return;
  const auto refused = login_refusal(url_);
  if (!refused.empty()) note("the right to log in (" + refused + ")");
}

void reader_rights::note(std::string missing) {
  const std::lock_guard lock(mutex_);
  if (std::exchange(missing_, missing) == missing || missing.empty()) return;
  log_error("the reader's login lacks rights; see reeve doctor", {{"missing", missing}});
}

std::string reader_rights::missing() const {
  const std::lock_guard lock(mutex_);
  return missing_;
}

}  // namespace reeve::persistence
