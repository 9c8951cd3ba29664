#pragma once
// Live events for subscribers. Every commit is published once; the newest ones are kept in a ring
// (at most 8,192 events and 16 MiB). A subscriber reads forward by position: from the ring, or from
// the log while it is behind it. So there is no gap between history and live, and a slow subscriber
// costs nothing but its own time.
//
// The journal's thread only puts events into the ring. They are rendered, once each, where they are
// read: on the gateway's thread, outside of the lock that the journal takes. Measured at -O2: with
// 200 subscribers a batch of 64 events cost the journal 2.9 ms when it woke them itself, and costs
// it 0.03 ms now.

#include "api/route.hpp"
#include "base/slot.hpp"
#include "base/time.hpp"
#include "domain/event.hpp"
#include "domain/event_readers.hpp"
#include "persistence/read_port.hpp"

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace reeve::api {

struct feed_filter {
  std::optional<uuid> tenant;  // nothing = every tenant
  domain::event_reader reader = domain::event_reader::member;
  std::optional<std::string> stream, type;
};

/// Where an operator accepted a log that lacks events (`reeve accept-database`): from this position
/// on clients may have seen another history under the same numbers. Ids of events from there to the
/// next such place carry its tag, "120-9f86d081"; a log that lacks nothing has plain ones. A
/// database that had gone its own way before it was accepted shares ids of that stretch with the
/// one that was given up.
struct log_branch {
  domain::position from = 0;
  std::string tag;
};

class event_feed {
 public:
  /// Both outlive the feed; the feed outlives its subscriptions' calls.
  explicit event_feed(persistence::read_port& reads, clock_port& clock = real_clock())
      : reads_(reads), clock_(clock) {}

  /// Where subscribers are woken: `run` hands work over to the gateway's thread, and may drop it
  /// only when the gateway is gone. Nothing (as at first): within `publish`. When this returns the
  /// former one is not called any more.
  void wake_on(std::function<void(std::function<void()>)> run);

  /// Who else has streams of tokens that are revoked; called from the journal's thread. Before the
  /// first event.
  void tell_revoked(std::function<void(const uuid& token)> told) {
    told_revoked_ = std::move(told);
  }
  /// Before the first subscriber.
  void set_branches(std::vector<log_branch> branches) { branches_ = std::move(branches); }
  /// Of an event's id in a stream, as a client gives it back. `invalid`: it is none;
  /// `position_given_up`: the event that the client has is not the one that is here.
  outcome<domain::position> position_of(std::string_view id) const;

  /// From the journal's thread, in the order of positions. A revoked token's streams end.
  void publish(std::span<const domain::event_record> events);
  /// Server-sent events after a position, live for ever; a comment after 15 s of silence. A chunk
  /// is at most 16 KiB and one event.
  std::shared_ptr<body_stream> subscribe(feed_filter filter, domain::position after,
                                         uuid token = {});
  /// About once a second, from any thread: silence becomes a comment.
  void heartbeat();
  /// Subscriptions that are remembered; those that ended are forgotten with the next call above.
  std::size_t places() const;

 private:
  friend class event_subscription;
  struct kept_event {
    domain::event_record record;
    std::size_t bytes = 0;
    /// By event_reader; rendered when the first subscriber asks for it. What all are shown alike
    /// stands in the last place.
    std::array<std::once_flag, 3> once;
    std::array<std::string, 3> json;
  };
  using subscriptions = std::vector<std::shared_ptr<class event_subscription>>;
  static const std::string& rendered(kept_event& one, domain::event_reader reader);
  static constexpr std::size_t most_events = 8192;
  static constexpr std::size_t most_bytes = 16 << 20;

  /// The ring's events after a position as SSE text, until it has `bytes`; moves the position.
  /// False if the ring does not reach back that far.
  bool take(const feed_filter& filter, domain::position& after, std::string& text,
            std::size_t bytes);
  /// The next events of the ring that fit, a handful, and how far was looked.
  bool pick(const feed_filter& filter, domain::position& after,
            std::vector<std::shared_ptr<kept_event>>& picked);
  /// Of the ids there; null: they are plain.
  const log_branch* branch_at(domain::position at) const;
  void append_sse(std::string& text, domain::position at, std::string_view type,
                  std::string_view json) const;
  void wake_all();
  void keep(const domain::event_record& event);
  /// Those who are there; forgets the others. With the mutex held.
  subscriptions present();
  /// Those of a token alone: it is asked in the journal's thread, of every token that ends.
  void add_those_of(const uuid& token, subscriptions& to) const;

  persistence::read_port& reads_;
  clock_port& clock_;
  std::vector<log_branch> branches_;  // ascending
  std::function<void(const uuid&)> told_revoked_;
  mutable std::mutex mutex_;
  std::function<void(std::function<void()>)> run_;
  bool woken_ = false;  // the work was handed over and has not begun
  std::deque<std::shared_ptr<kept_event>> ring_;
  std::size_t bytes_ = 0;
  std::unordered_multimap<uuid, std::weak_ptr<class event_subscription>> subscribers_;  // by token
};

}  // namespace reeve::api
