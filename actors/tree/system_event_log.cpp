#include "actors/tree/system_event_log.hpp"

#include "base/log.hpp"
#include "base/metrics.hpp"
#include "persistence/event_codec_port.hpp"
#include "persistence/projections_port.hpp"

namespace reeve::actors {
namespace {

void count_dropped() {
  static const metric_counter dropped =
      process_metrics().counter("reeve_system_events_dropped_total",
                                "Supervision events that were never written: the log was away for "
                                "too long, or refused them");
  dropped.add();
}

/// The same append may be taken later.
bool is_passing(errc code) {
  return code == errc::unavailable || code == errc::fenced || code == errc::overloaded;
}

}  // namespace

system_event_log::system_event_log(journal_port& journal, id_source& ids, uuid tenant)
    : journal_(journal), ids_(ids), tenant_(tenant), stream_("system-" + to_string(ids.next())) {}

void system_event_log::record(domain::system_event fact) {
  {
    std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(fact));
    if (waiting_.size() > most_kept) {
      waiting_.pop_front();
      ++dropped_;
      count_dropped();
    }
  }
  pump();
}

void system_event_log::resume() {
  pump();
}

std::int64_t system_event_log::dropped() const {
  std::lock_guard lock(mutex_);
  return dropped_;
}

bool system_event_log::is_written() const {
  std::lock_guard lock(mutex_);
  return !busy_ && waiting_.empty();
}

void system_event_log::pump() {
  std::vector<domain::system_event> facts;
  persistence::append_request request;
  {
    std::lock_guard lock(mutex_);
    if (busy_ || waiting_.empty()) return;
    busy_ = true;
    const auto most = singly_ > 0 ? 1 : per_append;
    while (!waiting_.empty() && facts.size() < most) {
      facts.push_back(std::move(waiting_.front()));
      waiting_.pop_front();
    }
    request.expect.push_back({stream_, version_});
    for (const auto& fact : facts) {
      auto e = persistence::to_new_event<domain::system_state>(fact);
      e.stream = stream_;
      e.tenant = tenant_;
      e.meta.principal = "system";
      e.meta.command_id = ids_.next();
      e.meta.correlation_id = e.meta.command_id;
      request.events.push_back(std::move(e));
    }
  }
  request.project = [facts, tenant = tenant_](std::span<const domain::event_stamp> stamps,
                                              persistence::row_sink& rows) {
    const domain::system_state after{tenant, stamps.back().version_in_stream};
    project(persistence::happened<domain::system_state>{after, facts, stamps}, rows);
  };
  using result = persistence::append_result;
  journal_.append(std::move(request), lane::internal,
                  reply_slot<result>([this, facts = std::move(facts)](outcome<result> r) {
                    appended(facts, r ? std::nullopt : std::optional(r.error().code));
                  }));
}

void system_event_log::appended(std::vector<domain::system_event> facts,
                                const std::optional<errc>& failed) {
  {
    std::lock_guard lock(mutex_);
    busy_ = false;
    const bool is_refused = failed && !is_passing(*failed);
    if (failed) {
      // Perhaps it was written after all: a new stream never conflicts, and a fact that stands
      // twice is better than one that is lost.
      stream_ = "system-" + to_string(ids_.next());
      version_ = 0;
    } else {
      version_ += static_cast<domain::version>(facts.size());
    }
    if (is_refused && facts.size() == 1) {
      drop(facts.front(), *failed);
    } else if (failed) {
      waiting_.insert(waiting_.begin(), facts.begin(), facts.end());
      if (!is_refused) return;  // `resume` goes on
      singly_ = facts.size() + 1;
    }
    if (singly_ > 0) --singly_;
  }
  pump();
}

/// Tried again it would be refused again, and nothing behind it would ever be written.
void system_event_log::drop(const domain::system_event& fact, errc why) {
  ++dropped_;
  count_dropped();
  const auto type = std::visit([](const auto& e) { return e.type; }, fact);
  log_error("a fact about the server was refused by the log and dropped",
            {{"type", std::string(type)}, {"why", std::string(name_of(why))}});
}

}  // namespace reeve::actors
