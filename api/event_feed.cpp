#include "api/event_feed.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>

#include "codec/event_json.hpp"

namespace reeve::api {
namespace {

constexpr std::size_t chunk_bytes = 64 * 1024;
constexpr auto silence = std::chrono::seconds(15);

bool fits(const feed_filter& filter, const domain::event_record& e) {
  return (!filter.tenant || *filter.tenant == e.tenant) &&
         (!filter.stream || *filter.stream == e.stream) && (!filter.type || *filter.type == e.type);
}

void append_sse(std::string& text, domain::position at, std::string_view type,
                std::string_view json) {
  text += "id: " + std::to_string(at) + "\nevent: ";
  text += type;
  text += "\ndata: ";
  text += json;
  text += "\n\n";
}

}  // namespace

/// One client's place in the log. `next` is called by the gateway, `wake` by publishers.
class event_subscription final : public body_stream,
                                 public std::enable_shared_from_this<event_subscription> {
 public:
  event_subscription(event_feed& feed, feed_filter filter, domain::position after)
      : feed_(feed), filter_(std::move(filter)), after_(after) {}

  void next(reply_slot<std::string> slot) override {
    {
      std::lock_guard lock(mutex_);
      if (cancelled_) return slot.answer(std::string());
      waiting_ = slot;
      since_ = std::chrono::steady_clock::now();
    }
    advance();
  }

  void cancel() override {
    reply_slot<std::string> open;
    {
      std::lock_guard lock(mutex_);
      cancelled_ = true;
      open = std::exchange(waiting_, {});
    }
    if (open) open.answer(std::string());
  }

  /// Something was published: answers an open call if there is something for it.
  void wake() { advance(); }

  void beat() {
    reply_slot<std::string> open;
    {
      std::lock_guard lock(mutex_);
      if (!waiting_ || reading_ || std::chrono::steady_clock::now() - since_ < silence) return;
      open = std::exchange(waiting_, {});
    }
    open.answer(std::string(": still here\n\n"));
  }

 private:
  void advance() {
    reply_slot<std::string> open;
    std::string text;
    {
      std::lock_guard lock(mutex_);
      if (!waiting_ || reading_) return;
      if (!feed_.take(filter_, after_, text, chunk_bytes)) {
        reading_ = true;
      } else if (text.empty()) {
        return;
      } else {
        open = std::exchange(waiting_, {});
      }
    }
    if (open) return open.answer(std::move(text));
    read_history();
  }

  void read_history() {
    persistence::event_query query;
    query.tenant = filter_.tenant;
    query.stream = filter_.stream;
    query.type = filter_.type;
    query.after = after_;
    query.limit = 200;
    auto self = shared_from_this();
    feed_.reads_.events(query, reply_slot<persistence::event_page>(
                                   [self](outcome<persistence::event_page> page) {
                                     self->history(std::move(page));
                                   }));
  }

  void history(outcome<persistence::event_page> page) {
    reply_slot<std::string> open;
    std::string text;
    {
      std::lock_guard lock(mutex_);
      reading_ = false;
      if (page) {
        for (const auto& item : page->events) {
          append_sse(text, item.at, item.type, item.json);
          after_ = item.at;
        }
        // Nothing up to the head of this page is missing, whether it fits the filter or not.
        if (!page->more) after_ = std::max(after_, page->head);
      }
      if (!text.empty() || !page) open = std::exchange(waiting_, {});
    }
    if (!page) {
      if (open) open.answer(page.error());
    } else if (open) {
      open.answer(std::move(text));
    } else {
      advance();
    }
  }

  event_feed& feed_;
  const feed_filter filter_;
  std::mutex mutex_;
  domain::position after_;
  reply_slot<std::string> waiting_;
  std::chrono::steady_clock::time_point since_;
  bool reading_ = false;
  bool cancelled_ = false;
};

bool event_feed::take(const feed_filter& filter, domain::position& after, std::string& text,
                      std::size_t bytes) {
  std::lock_guard lock(mutex_);
  // An empty ring says nothing about the log before this process: the head does.
  if (ring_.empty()) return after >= reads_.head();
  const auto first = ring_.front().record.position;
  if (after + 1 < first) return false;
  for (auto i = static_cast<std::size_t>(after + 1 - first); i < ring_.size(); ++i) {
    const auto& e = ring_[i].record;
    if (text.size() >= bytes) return true;
    if (fits(filter, e)) append_sse(text, e.position, e.type, codec::event_json(e));
    after = e.position;
  }
  return true;
}

void event_feed::publish(std::span<const domain::event_record> events) {
  std::vector<std::shared_ptr<event_subscription>> awake;
  {
    std::lock_guard lock(mutex_);
    for (const auto& e : events) {
      const auto size = e.payload.size() + sizeof(domain::event_record) + 128;
      // Positions have no gaps, so an index into the ring is a difference of positions.
      if (!ring_.empty() && ring_.back().record.position + 1 != e.position) {
        ring_.clear();
        bytes_ = 0;
      }
      ring_.push_back({e, size});
      bytes_ += size;
      while (ring_.size() > most_events || bytes_ > most_bytes) {
        bytes_ -= ring_.front().bytes;
        ring_.pop_front();
      }
    }
    std::erase_if(subscribers_, [&](const auto& weak) {
      auto strong = weak.lock();
      if (strong) awake.push_back(std::move(strong));
      return weak.expired();
    });
  }
  for (const auto& subscription : awake) subscription->wake();
}

void event_feed::heartbeat() {
  std::vector<std::shared_ptr<event_subscription>> all;
  {
    std::lock_guard lock(mutex_);
    for (const auto& weak : subscribers_) {
      if (auto strong = weak.lock()) all.push_back(std::move(strong));
    }
  }
  for (const auto& subscription : all) subscription->beat();
}

std::shared_ptr<body_stream> event_feed::subscribe(feed_filter filter, domain::position after) {
  auto made = std::make_shared<event_subscription>(*this, std::move(filter), after);
  std::lock_guard lock(mutex_);
  subscribers_.push_back(made);
  return made;
}

}  // namespace reeve::api
