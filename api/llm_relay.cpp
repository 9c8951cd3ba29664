#include "api/llm_relay.hpp"

#include <utility>

namespace reeve::api {
namespace {

constexpr std::string_view last_word = "data: [DONE]\n\n";
/// To a client that has begun to read, an error can be told in no other way.
constexpr std::string_view last_error =
    R"(data: {"error":{"message":"the upstream broke off","type":"server_error",)"
    R"("param":null,"code":"upstream_broke_off"}})"
    "\n\n";

std::string event_of(std::string_view data) {
  std::string text;
  for (;;) {
    const auto end = data.find('\n');
    text.append("data: ").append(data.substr(0, end)).push_back('\n');
    if (end == data.npos) return text + "\n";
    data.remove_prefix(end + 1);
  }
}

constexpr int most_silent_rounds = 1000;
constexpr std::size_t most_silence = 64 << 10;
constexpr const char* silence = ":\n\n";

}  // namespace

llm_relay::llm_relay(std::shared_ptr<adapters::upstream_bytes> from, llm_meter meter,
                     record_fn record)
    : from_(std::move(from)), record_(std::move(record)), meter_(meter) {}

/// Its answer was refused before anybody read it.
llm_relay::~llm_relay() {
  if (is_recorded_) return;
  from_->cancel();
  record_(meter_.sum(), reply_slot<done>([](const outcome<done>&) {}));
}

void llm_relay::next(reply_slot<std::string> slot) {
  {
    const std::lock_guard lock(mutex_);
    if (has_ended_ && !is_whole_) return slot.answer(cut_off());
    if (has_ended_) return slot.answer(std::string());
    waiting_ = std::move(slot);
    silent_rounds_ = 0;
    silent_bytes_ = 0;
  }
  pull();
}

/// What has come is given at once, on this very thread; then it is this loop that goes on.
void llm_relay::pull() {
  do {
    again_ = false;
    puller_ = std::this_thread::get_id();
    from_->next(reply_slot<std::string>([self = shared_from_this()](outcome<std::string> bytes) {
      self->on_bytes(std::move(bytes));
    }));
    puller_ = std::thread::id{};
  } while (again_.exchange(false));
}

bool llm_relay::take_events(std::string& text) {
  while (const auto data = events_.next()) {
    switch (meter_.take(*data)) {
      case llm_meter::step::pass:
        text += event_of(*data);
        break;
      case llm_meter::step::drop:
        break;
      case llm_meter::step::done:
        is_done_ = true;
        return true;
      case llm_meter::step::broken:
        is_broken_ = true;
        return true;
    }
  }
  return is_broken_;
}

void llm_relay::on_bytes(outcome<std::string> bytes) {
  std::string text;
  bool is_over = false;
  {
    const std::lock_guard lock(mutex_);
    if (is_recorded_) return;
    const bool is_sound = bytes && (bytes->empty() ? events_.finish() : events_.feed(*bytes));
    if (!is_sound) is_broken_ = true;
    is_over = take_events(text) || !bytes || bytes->empty();
    // Also what the upstream left unfinished was made.
    if (!is_sound && !is_done_) meter_.take_begun(events_.begun_bytes());
    // An upstream that has much and nothing to pass on must not keep the thread to itself: a
    // comment, which every reader leaves out, gives it back, and tells whether the client is there.
    if (bytes) silent_bytes_ += bytes->size();
    const bool is_long = ++silent_rounds_ >= most_silent_rounds || silent_bytes_ >= most_silence;
    if (text.empty() && is_long && !is_over) text = silence;
  }
  if (is_over) return end(std::move(text), is_done_);
  if (!text.empty()) return give(std::move(text));
  if (puller_ == std::this_thread::get_id()) {
    again_ = true;
  } else {
    pull();
  }
}

/// `text`: what comes before its last word.
void llm_relay::end(std::string text, bool is_whole) {
  llm_metered sum;
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(is_recorded_, true)) return;
    sum = meter_.sum();
  }
  from_->cancel();
  record_(sum, reply_slot<done>([self = shared_from_this(), text = std::move(text),
                                 is_whole](const outcome<done>& ok) mutable {
            {
              const std::lock_guard lock(self->mutex_);
              self->has_ended_ = true;
              self->is_whole_ = is_whole && ok;
            }
            text.append(is_whole && ok ? last_word : last_error);
            self->give(std::move(text));
          }));
}

void llm_relay::give(outcome<std::string> piece) {
  reply_slot<std::string> waiting;
  {
    const std::lock_guard lock(mutex_);
    waiting = std::exchange(waiting_, {});
  }
  if (waiting) waiting.answer(std::move(piece));
}

void llm_relay::cancel() {
  llm_metered sum;
  reply_slot<std::string> waiting;  // dropped behind the lock
  {
    const std::lock_guard lock(mutex_);
    waiting = std::exchange(waiting_, {});
    has_ended_ = true;
    if (std::exchange(is_recorded_, true)) return;
    // Who goes away within a chunk had it made.
    if (!is_done_ && !is_broken_) meter_.take_begun(events_.begun_bytes());
    sum = meter_.sum();
  }
  from_->cancel();
  record_(sum, reply_slot<done>([](const outcome<done>&) {}));
}

}  // namespace reeve::api
