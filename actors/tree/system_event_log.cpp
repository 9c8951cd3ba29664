#include "actors/tree/system_event_log.hpp"

#include "base/metrics.hpp"
#include "persistence/event_codec_port.hpp"
#include "persistence/projections_port.hpp"

namespace reeve::actors {

system_event_log::system_event_log(journal_port& journal, id_source& ids, uuid tenant)
    : journal_(journal), ids_(ids), tenant_(tenant), stream_("system-" + to_string(ids.next())) {}

void system_event_log::record(domain::system_event fact) {
  {
    std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(fact));
    if (waiting_.size() > most_kept) {
      waiting_.pop_front();
      ++dropped_;
      static const metric_counter dropped = process_metrics().counter(
          "reeve_system_events_dropped_total",
          "Supervision events that were never written: the log was away for too long");
      dropped.add();
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
    while (!waiting_.empty() && facts.size() < per_append) {
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
                    appended(facts, r.ok());
                  }));
}

void system_event_log::appended(std::vector<domain::system_event> facts, bool ok) {
  {
    std::lock_guard lock(mutex_);
    busy_ = false;
    if (ok) {
      version_ += static_cast<domain::version>(facts.size());
    } else {
      // Perhaps it was written after all: a new stream never conflicts, and a fact that stands
      // twice is better than one that is lost.
      stream_ = "system-" + to_string(ids_.next());
      version_ = 0;
      waiting_.insert(waiting_.begin(), facts.begin(), facts.end());
      return;  // `resume` goes on
    }
  }
  pump();
}

}  // namespace reeve::actors
