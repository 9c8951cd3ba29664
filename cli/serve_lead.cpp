// How a server process comes to lead the log: it waits while another one does, looks whether the
// database is the one that it knows, and only then writes its first word.

#include "base/log.hpp"
#include "base/named_thread.hpp"
#include "cli/bootstrap.hpp"
#include "cli/output.hpp"
#include "cli/serve.hpp"

#include <algorithm>
#include <cstdio>
#include <future>
#include <utility>

namespace reeve::cli {

using namespace std::chrono_literals;

persistence::journal_config server_process::journal_settings() {
  persistence::journal_config c;
  c.url = logins_.writer_url;
  c.server = identity_.id();
  c.key = public_key_;
  c.lead = &lead_;
  c.holder = &lead_holder_;
  c.hold_file = hold_file(config_);
  c.idle_end_ms = c.silent_leader_ms;
  c.is_live = [this](const persistence::projection& of) {
    return board_.of(of).state == persistence::projection_state::live;
  };
  c.on_commit = [this](const persistence::commit_notice& notice) { parts_.on_commit(notice); };
  c.on_barred = [this](const std::string& why, const std::string& sqlstate) {
    if (!why.empty()) {
      log_error("nothing can be appended to the log", {{"why", why}, {"sqlstate", sqlstate}});
    }
    const std::lock_guard lock(barred_mutex_);
    barred_ = why;
  };
  c.prepare = [this](int leader_pid) -> outcome<done> {
    auto ready = migrate_database(database_, logins_, leader_pid);
    // It stood still, and waits as a standby does.
    if (!ready && ready.error().code == errc::fenced) {
      return reject(errc::conflict, "another server writes to this log");
    }
    if (!ready) is_final_ = ready.error().code != errc::unavailable;
    return ready;
  };
  c.admit = [this](const persistence::found_log& found) {
    auto made = persistence::admit(admission_files(), found);
    if (made) {
      if (found.position > std::max(made->signed_to, made->marked_to)) {
        log_info("the log goes further than what is known of it here",
                 {{"head", found.position},
                  {"signed_to", made->signed_to},
                  {"marked_to", made->marked_to}});
      }
      found_ = found;
      found_.holds = nullptr;
      admission_ = *made;
    } else if (made.error().code == errc::conflict) {
      is_final_ = database_refused_ = true;
      // One that led finds its database changed under it.
      if (phase_ == phase::leading) exit_code_ = exit_database;
    }
    return made;
  };
  return c;
}

persistence::admission_files server_process::admission_files() const {
  return {heads_file(config_), known_database_file(config_), accepted_database_file(config_)};
}

void server_process::note_head(const persistence::commit_notice& notice) {
  if (notice.events.empty()) return;
  const auto& last = notice.events.back();
  std::lock_guard lock(newest_mutex_);
  newest_.epoch = last.epoch;
  newest_.position = last.position;
  newest_.hash = last.hash;
}

/// For the next start: what was durable a second ago must be there.
void server_process::mark_progress(const persistence::found_log& led,
                                   const persistence::journal_head& head) {
  const auto marked = persistence::mark_progress(admission_files(), led, head.position, head.hash);
  if (!marked && !std::exchange(is_mark_lost_, true)) {
    log_warn("how far the log is cannot be kept outside of it", {{"why", marked.error().detail}});
  }
}

outcome<bool> server_process::try_to_lead() {
  auto head = journal_->open();
  if (head) {
    head_ = *head;
    return true;
  }
  const auto& why = head.error();
  if (is_final_ || (why.code != errc::conflict && why.code != errc::unavailable)) return why;
  const auto now = why.code == errc::conflict ? phase::standby : phase::log_away;
  if (phase_.exchange(now) == phase::starting) {
    say("reeve: standby on " + url_ + ": " + why.detail);
  }
  return false;
}

/// What a standby keeps of the log: its tokens are those of a moment ago (a revoked one opens
/// nothing 5 s later), and the newest signed head lies outside of the database here too.
void server_process::follow() {
  (void)models_->stand_by();  // what it cannot know it refuses
  (void)persistence::keep_newest_head(logins_.writer_url, heads_file(config_));
}

/// One look at the lead's place. Nothing: a signal came.
outcome<std::optional<bool>> server_process::look(int number) {
  constexpr int looks_per_read = 4;
  auto looked = named_async("lead-look", [this, number] {
    auto leads = try_to_lead();
    if (leads && !*leads && number % looks_per_read == 0) follow();
    return leads;
  });
  if (is_ended_before(looked)) return std::optional<bool>();
  const auto leads = looked.get();
  if (!leads) return leads.error();
  return std::optional<bool>(*leads);
}

/// While another server leads, this one waits: a standby. A signal ends the wait.
outcome<done> server_process::open_journal() {
  journal_ = std::make_shared<persistence::journal>(journal_settings());
  for (int number = 0;; ++number) {
    const auto leads = look(number);
    if (!leads) return leads.error();
    if (*leads && **leads) break;
    if (!*leads || is_ended_within(500ms)) {
      exit_code_ = exit_ok;
      return done{};
    }
    if (!database_.own || database_.own->alive()) continue;
    if (auto ok = database_.own->revive(); !ok) return ok.error();
  }
  if (auto ok = persistence::settle_admission(admission_files(), found_, admission_); !ok)
    return ok;
  reads_->set_head(head_.position);
  {
    std::lock_guard lock(newest_mutex_);
    newest_ = head_;
  }
  return done{};
}

outcome<done> server_process::open_checkpoints() {
  checkpoints_ = std::make_unique<persistence::checkpoint_keeper>(
      persistence::checkpoint_options{logins_.writer_url, heads_file(config_),
                                      signing_key_file(config_),
                                      [this, led = found_](const persistence::journal_head& head) {
                                        mark_progress(led, head);
                                      }},
      [this]() -> persistence::journal_head {
        // Who was overtaken vouches for nothing any more.
        if (exit_code_ == exit_fenced || exit_code_ == exit_database) return {};
        std::lock_guard lock(newest_mutex_);
        return newest_;
      });
  return done{};
}

outcome<done> server_process::lead_read_models() {
  if (auto ok = models_->lead(); !ok) return ok;
  auto rows = persistence::read_startup(logins_.writer_url);
  if (!rows) return rows.error();
  rows_ = std::move(*rows);
  std::vector<api::log_branch> branches;
  for (const auto& one : rows_.accepted) {
    branches.push_back({one.position, to_hex(one.hash).substr(0, 8)});
  }
  feed_->set_branches(std::move(branches));
  return done{};
}

/// A restart would change nothing; a process manager that restarts all the same is waited out.
int server_process::refuse(const rejection& why) {
  refusal_ = why.detail;
  complain(why.detail);
  if (config_.refused_waits) {
    phase_ = phase::refused;
    while (!is_ended_within(1s)) {
    }
  }
  exit_code_ = exit_database;
  drain();
  return exit_database;
}

}  // namespace reeve::cli
