#include "api/event_feed.hpp"

#include "api/header_values.hpp"
#include "codec/codec.hpp"
#include "codec/event_json.hpp"
#include "domain/event_sight.hpp"

#include <algorithm>
#include <utility>

namespace reeve::api {
namespace {

/// Each of some hundreds of subscribers that do not read holds a chunk.
constexpr std::size_t page_bytes = std::size_t{16} * 1024;
constexpr std::int64_t comment_after_us = 15 * us_per_second;
/// Of history, which is read in pieces of a chunk.
constexpr int history_page = 50;
/// Events that are taken out of the ring under its lock at one time, to be rendered without it.
constexpr std::size_t most_picked = 64;

bool fits(const feed_filter& filter, const domain::event_record& e) {
  return (!filter.tenant || *filter.tenant == e.tenant) &&
         (!filter.stream || *filter.stream == e.stream) && (!filter.type || *filter.type == e.type);
}

std::optional<uuid> revoked_token(const domain::event_record& e) {
  if (e.type != domain::token_revoked::type || e.payload_format != domain::payload_json) return {};
  const auto event = codec::decode_text<domain::token_revoked>(e.payload);
  return event ? std::optional(event->id) : std::nullopt;
}

/// "-0a1b2c3d", or nothing: what an id of this log or of another one may end with.
bool is_tag_of_branch(std::string_view text) {
  constexpr std::size_t digits = 8;
  return text.empty() || (text.size() == 1 + digits && text.front() == '-' &&
                          text.find_first_not_of("0123456789abcdef", 1) == text.npos);
}

}  // namespace

/// One client's place in the log. `next` is called by the gateway, `wake` by publishers.
class event_subscription final : public body_stream,
                                 public std::enable_shared_from_this<event_subscription> {
 public:
  event_subscription(event_feed& feed, feed_filter filter, domain::position after, uuid token)
      : token(token), feed_(feed), filter_(std::move(filter)), after_(after) {}

  const uuid token;  // whose stream it is

  void next(reply_slot<std::string> slot) override {
    {
      std::lock_guard lock(mutex_);
      if (cancelled_) return slot.answer(cut_off());
      waiting_ = slot;
      since_us_ = feed_.clock_.mono_us();
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
    if (open) open.answer(cut_off());
  }

  /// Something was published: answers an open call if there is something for it.
  void wake() { advance(); }

  void beat() {
    reply_slot<std::string> open;
    {
      std::lock_guard lock(mutex_);
      if (!waiting_ || reading_ || feed_.clock_.mono_us() - since_us_ < comment_after_us) return;
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
      if (!feed_.take(filter_, after_, text, page_bytes)) {
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
    query.reader = filter_.reader;
    query.stream = filter_.stream;
    query.type = filter_.type;
    query.after = after_;
    query.limit = history_page;
    query.most_bytes = page_bytes;
    query.asked_by = token;
    auto self = shared_from_this();
    feed_.reads_.events(
        query, reply_slot<persistence::event_page>([self](outcome<persistence::event_page> page) {
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
        bool all = true;
        for (const auto& item : page->events) {
          // What does not fit is read again with the next chunk.
          if (text.size() >= page_bytes) {
            all = false;
            break;
          }
          feed_.append_sse(text, item.at, item.type, item.json);
          after_ = item.at;
        }
        // Nothing up to there is missing, whether it fits the filter or not.
        if (all) after_ = std::max(after_, page->next.value_or(page->head));
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
  std::int64_t since_us_ = 0;  // monotonic; since when the client waits
  bool reading_ = false;
  bool cancelled_ = false;
};

const log_branch* event_feed::branch_at(domain::position at) const {
  const auto behind = std::find_if(branches_.rbegin(), branches_.rend(),
                                   [at](const log_branch& one) { return one.from <= at; });
  return behind == branches_.rend() ? nullptr : &*behind;
}

void event_feed::append_sse(std::string& text, domain::position at, std::string_view type,
                            std::string_view json) const {
  text += "id: " + std::to_string(at);
  if (const auto* branch = branch_at(at)) text += "-" + branch->tag;
  text += "\nevent: ";
  text += type;
  text += "\ndata: ";
  text += json;
  text += "\n\n";
}

outcome<domain::position> event_feed::position_of(std::string_view id) const {
  const auto sign = std::min(id.find('-'), id.size());
  const auto at = parse_position(id.substr(0, sign));
  if (!at) return reject(errc::invalid, "the id of an event is a position");
  const auto* branch = branch_at(*at);
  const auto tag = branch == nullptr ? std::string() : "-" + branch->tag;
  const auto given = id.substr(sign);
  if (given == tag) return *at;
  if (!is_tag_of_branch(given)) return reject(errc::invalid, "the id of an event is a position");
  return reject(errc::position_given_up,
                "an older database was accepted, and the event that had this id is not in the log "
                "any more: read what you keep anew");
}

bool event_feed::pick(const feed_filter& filter, domain::position& after,
                      std::vector<std::shared_ptr<kept_event>>& picked) {
  const std::lock_guard lock(mutex_);
  // An empty ring says nothing about the log before this process: the head does.
  if (ring_.empty()) return after >= reads_.head();
  const auto first = ring_.front()->record.position;
  if (after + 1 < first) return false;
  for (auto i = static_cast<std::size_t>(after + 1 - first); i < ring_.size(); ++i) {
    if (picked.size() >= most_picked) return true;
    if (fits(filter, ring_[i]->record)) picked.push_back(ring_[i]);
    after = ring_[i]->record.position;
  }
  return true;
}

const std::string& event_feed::rendered(kept_event& one, domain::event_reader reader) {
  if (!domain::members_seen(one.record.type, reader)) reader = domain::event_reader::auditor;
  const auto at = static_cast<std::size_t>(reader);
  std::call_once(one.once[at], [&] { one.json[at] = codec::event_json(one.record, reader); });
  return one.json[at];
}

bool event_feed::take(const feed_filter& filter, domain::position& after, std::string& text,
                      std::size_t bytes) {
  for (;;) {
    std::vector<std::shared_ptr<kept_event>> picked;
    auto seen = after;
    // What was taken before the ring went on is a chunk; the rest is read as history.
    if (!pick(filter, seen, picked)) return !text.empty();
    for (const auto& one : picked) {
      if (text.size() >= bytes) return true;
      append_sse(text, one->record.position, one->record.type, rendered(*one, filter.reader));
      after = one->record.position;
    }
    const bool more = picked.size() >= most_picked;
    if (text.size() >= bytes && more) return true;
    after = seen;
    if (!more) return true;
  }
}

void event_feed::keep(const domain::event_record& e) {
  // The record, and room for its text.
  const auto size = 2 * e.payload.size() + sizeof(kept_event) + 1024;
  // Positions have no gaps, so an index into the ring is a difference of positions.
  if (!ring_.empty() && ring_.back()->record.position + 1 != e.position) {
    ring_.clear();
    bytes_ = 0;
  }
  auto kept = std::make_shared<kept_event>();
  kept->record = e;
  kept->bytes = size;
  ring_.push_back(std::move(kept));
  bytes_ += size;
  while (ring_.size() > most_events || bytes_ > most_bytes) {
    bytes_ -= ring_.front()->bytes;
    ring_.pop_front();
  }
}

event_feed::subscriptions event_feed::present() {
  subscriptions all;
  std::erase_if(subscribers_, [&](const auto& one) {
    auto strong = one.second.lock();
    if (!strong) return true;
    all.push_back(std::move(strong));
    return false;
  });
  return all;
}

void event_feed::add_those_of(const uuid& token, subscriptions& to) const {
  const auto [first, last] = subscribers_.equal_range(token);
  for (auto at = first; at != last; ++at) {
    if (auto strong = at->second.lock()) to.push_back(std::move(strong));
  }
}

void event_feed::wake_on(std::function<void(std::function<void()>)> run) {
  const std::lock_guard lock(mutex_);
  run_ = std::move(run);
  woken_ = false;
}

void event_feed::publish(std::span<const domain::event_record> events) {
  std::vector<uuid> revoked;
  subscriptions those;
  bool here = false;
  {
    const std::lock_guard lock(mutex_);
    here = !run_;
    for (const auto& e : events) {
      keep(e);
      if (const auto token = revoked_token(e)) revoked.push_back(*token);
    }
    for (const auto& token : revoked) add_those_of(token, those);
    if (run_ && !woken_ && !subscribers_.empty()) {
      woken_ = true;
      run_([this] { wake_all(); });
    }
  }
  for (const auto& one : those) one->cancel();
  for (const auto& token : revoked) {
    if (told_revoked_) told_revoked_(token);
  }
  if (here) wake_all();
}

void event_feed::wake_all() {
  subscriptions awake;
  {
    const std::lock_guard lock(mutex_);
    // First, so that what is published from here on wakes again.
    woken_ = false;
    awake = present();
  }
  for (const auto& one : awake) one->wake();
}

void event_feed::heartbeat() {
  subscriptions all;
  {
    const std::lock_guard lock(mutex_);
    all = present();
  }
  for (const auto& one : all) one->beat();
}

std::size_t event_feed::places() const {
  const std::lock_guard lock(mutex_);
  return subscribers_.size();
}

std::shared_ptr<body_stream> event_feed::subscribe(feed_filter filter, domain::position after,
                                                   uuid token) {
  auto made = std::make_shared<event_subscription>(*this, std::move(filter), after, token);
  subscriptions others;  // let go of without the mutex
  const std::lock_guard lock(mutex_);
  // Also here, so that clients that come and go while nothing is published leave nothing behind.
  others = present();
  subscribers_.emplace(token, made);
  return made;
}

}  // namespace reeve::api
