#include "cli/commands.hpp"
#include "cli/database.hpp"
#include "cli/output.hpp"
#include "codec/json_writer.hpp"
#include "persistence/leader_lock.hpp"
#include "persistence/log_rights.hpp"
#include "persistence/migrate.hpp"
#include "persistence/read_models.hpp"

#include <chrono>
#include <cstdio>
#include <thread>

namespace reeve::cli {
namespace {

using namespace std::chrono_literals;

// A leader looks four times a second; one at which nothing is being built for so long builds
// nothing.
constexpr auto patience = 10s;
constexpr auto between_looks = 100ms;

int code_of(const rejection& why) {
  switch (why.code) {
    case errc::not_found:
      return exit_not_found;
    case errc::unavailable:
      return exit_unreachable;
    case errc::internal:
    case errc::timed_out:
      return exit_not_built;
    default:
      return exit_refused;
  }
}

/// What became of those that were asked for; nothing: some are still asked for.
std::optional<outcome<done>> answer_in(const std::vector<persistence::stored_projection>& all,
                                       const std::string& name) {
  std::string failed;
  for (const auto& one : all) {
    if (!name.empty() && one.name != name) continue;
    if (one.is_asked) return std::nullopt;
    if (one.failure.empty()) continue;
    failed += (failed.empty() ? "" : "; ") + one.name + ": " + one.failure;
  }
  if (failed.empty()) return outcome<done>(done{});
  return outcome<done>(reject(errc::internal, failed));
}

/// The server that leads does the work, beside what it serves.
outcome<done> ask_leader(const std::string& url, const std::string& name) {
  if (auto ok = persistence::ask_rebuild(url, name); !ok) return ok;
  auto until = std::chrono::steady_clock::now() + patience;
  for (;;) {
    const auto all = persistence::stored_projections(url);
    if (!all) return all.error();
    if (auto answer = answer_in(*all, name)) return *answer;
    const auto building = persistence::is_building(url);
    const auto now = std::chrono::steady_clock::now();
    if (building && *building) until = now + patience;
    if (now > until) {
      return reject(errc::timed_out,
                    "the server that leads has not begun to build; its log may say why. It stays "
                    "asked for");
    }
    std::this_thread::sleep_for(between_looks);
  }
}

/// The owner builds what the server may not write; without the right it is soon as it was.
outcome<done> check_rights(const std::string& url, const std::string& name,
                           const persistence::given_logins& given) {
  const auto lacks = persistence::look_at_model_rights(url, name, given);
  // Built it is, and of a login that nobody names nothing can be said.
  if (!lacks) return done{};
  std::string missing, mend;
  for (const auto& one : lacks->missing) {
    missing += (missing.empty() ? "" : ", ") + one;
    mend += (mend.empty() ? "" : "; ") + persistence::mend_of(lacks->role, one);
  }
  if (missing.empty()) return done{};
  return reject(errc::internal, "built, but " + lacks->role + ", who keeps it up to date, lacks " +
                                    missing + ": " + mend);
}

outcome<done> build(const std::string& url, const std::string& name) {
  // While nobody leads it is done here, and no server begins before it is.
  const auto lock = persistence::leader_lock::take(url);
  if (!lock && lock.error().code != errc::conflict) return lock.error();
  // With the lock: nobody changes it before the build.
  if (auto ok = persistence::require_schema(url); !ok) return ok;
  if (!lock) return ask_leader(url, name);
  return persistence::build_here(url, name, [&lock] { return lock->holder(); });
}

outcome<done> rebuild(const std::string& url, const std::string& name,
                      const persistence::given_logins& given) {
  if (auto ok = build(url, name); !ok) return ok;
  return check_rights(url, name, given);
}

}  // namespace

int rebuild(const loaded_config& config, const rebuild_options& asked) {
  auto db = open_database(config.values);
  const persistence::given_logins given{config.values.writer_url, config.values.reader_url};
  const auto built = db ? rebuild(db->owner_url, asked.name, given) : outcome<done>(db.error());
  if (!built) {
    complain(built.error().detail);
    return code_of(built.error());
  }
  if (asked.json) {
    codec::json_writer out;
    std::puts(out.begin_object().key("state").value("rebuilt").end_object().take().c_str());
  } else {
    std::puts("rebuilt");
  }
  return exit_ok;
}

}  // namespace reeve::cli
