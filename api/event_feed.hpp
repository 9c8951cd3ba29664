#pragma once
// Live events for subscribers. Every commit is published once; the newest ones are kept in a ring
// (at most 8,192 events and 16 MiB). A subscriber reads forward by position: from the ring, or from
// the log while it is behind it. So there is no gap between history and live, and a slow subscriber
// costs nothing but its own time.

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "api/route.hpp"
#include "base/slot.hpp"
#include "domain/event.hpp"
#include "persistence/read_ports.hpp"

namespace reeve::api {

struct feed_filter {
  std::optional<uuid> tenant;  // nothing = every tenant
  std::optional<std::string> stream, type;
};

class event_feed {
 public:
  explicit event_feed(persistence::read_port& reads) : reads_(reads) {}

  /// From the journal's thread, in the order of positions.
  void publish(std::span<const domain::event_record> events);
  /// Server-sent events after a position, live for ever; a comment every 15 s of silence.
  std::shared_ptr<body_stream> subscribe(feed_filter filter, domain::position after);
  /// From the I/O thread about once a second: silence becomes a comment.
  void heartbeat();

 private:
  friend class event_subscription;
  struct kept_event {
    domain::event_record record;
    std::size_t bytes = 0;
  };
  static constexpr std::size_t most_events = 8192;
  static constexpr std::size_t most_bytes = 16 << 20;

  /// The ring's events after a position as SSE text, at most `bytes`; moves the position. False if
  /// the ring does not reach back that far.
  bool take(const feed_filter& filter, domain::position& after, std::string& text,
            std::size_t bytes);

  persistence::read_port& reads_;
  std::mutex mutex_;
  std::deque<kept_event> ring_;
  std::size_t bytes_ = 0;
  std::vector<std::weak_ptr<class event_subscription>> subscribers_;
};

}  // namespace reeve::api
