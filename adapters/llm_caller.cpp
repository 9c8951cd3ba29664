#include "adapters/llm_caller.hpp"

#include "adapters/upstream_request.hpp"
#include "base/named_thread.hpp"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

namespace reeve::adapters {
namespace {

constexpr std::size_t refusal_bytes = 64 << 10;

rejection broke_off() {
  return reject(errc::invalid, "the upstream broke off");
}

/// Of `retry-after-ms`, which some upstreams say instead; 0: they do not, or not in whole numbers.
curl_off_t told_ms(CURL* easy) {
  curl_header* field = nullptr;
  if (curl_easy_header(easy, "retry-after-ms", 0, CURLH_HEADER, -1, &field) != CURLHE_OK) return 0;
  const std::string_view text = field->value;
  curl_off_t ms = 0;
  const auto* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, ms);
  return error == std::errc{} && stop == end ? ms : 0;
}

/// Seconds or a date of Retry-After, which libcurl reads, else the milliseconds, rounded up.
std::optional<int> told_wait(CURL* easy) {
  curl_off_t wait_s = 0;
  curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &wait_s);
  if (wait_s == 0) {
    const auto ms = told_ms(easy);
    wait_s = ms / 1000 + (ms % 1000 > 0 ? 1 : 0);
  }
  if (wait_s < 1) return std::nullopt;
  return static_cast<int>(std::min<curl_off_t>(wait_s, most_retry_after_s));
}

}  // namespace

/// What other threads hand over to the one that calls.
struct llm_caller::hub {
  using flights = std::vector<std::shared_ptr<flight>>;

  std::mutex mutex;
  CURLM* multi = nullptr;  // null: closed
  flights begun, changed;  // guarded, as the handle is
  bool is_closing = false;
  llm_caller_limits limits;
  std::size_t held_bytes = 0;  // in answers that are not whole; of the calling thread

  /// False: it is closed, and nobody will look.
  bool hand_over(flights hub::*where, std::shared_ptr<flight> one) {
    const std::lock_guard lock(mutex);
    if (multi == nullptr || is_closing) return false;
    (this->*where).push_back(std::move(one));
    curl_multi_wakeup(multi);
    return true;
  }
};

/// One call. Its request belongs to the calling thread from `begun` on.
class llm_caller::flight : public std::enable_shared_from_this<flight> {
 public:
  flight(std::shared_ptr<hub> of, upstream_call what, std::shared_ptr<call_stopper> stopper,
         reply_slot<upstream_answer> slot)
      : hub_(std::move(of)),
        what_(std::move(what)),
        stopper_(std::move(stopper)),
        slot_(std::move(slot)) {}

  /// On the thread of the names.
  void make_request(const outcome<pinned_address>& where) {
    if (!where) return fail(reject(errc::unavailable, where.error().detail));
    if (stopper_->is_stopped()) return fail(reject(errc::unavailable, "it was stopped"));
    auto made = make_upstream_request(what_.to, *where, what_.path, hub_->limits.may_send_plain);
    if (!made) return fail(reject(errc::unavailable, made.error().detail));
    request_ = std::move(*made);
    set_options();
    auto self = shared_from_this();
    if (!hub_->hand_over(&hub::begun, self)) {
      return fail(reject(errc::unavailable, "the server is stopping"));
    }
  }

  CURL* handle() const { return request_->easy.get(); }
  bool is_stopped() const { return is_stopped_; }

  /// On the calling thread, once it is one of those that are under way.
  void arm() {
    stopper_->arm([weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->stop();
    });
  }
  /// Any thread.
  void stop() {
    is_stopped_ = true;
    hub_->hand_over(&hub::changed, shared_from_this());
  }

  void next(reply_slot<std::string> slot);
  void go_on();
  void finish(CURLcode code);
  void fail(rejection why);

 private:
  void set_options();
  static std::size_t on_bytes(char* bytes, std::size_t size, std::size_t count, void* user);
  std::size_t take(std::string_view bytes);
  std::size_t take_whole(std::string_view bytes);
  std::size_t take_piece(std::string_view bytes);
  bool begin_stream();
  void end_stream(outcome<std::string> how);
  rejection failure_of(CURLcode code) const;
  void forget_bytes() { hub_->held_bytes -= answer_.body.size(); }

  const std::shared_ptr<hub> hub_;
  upstream_call what_;
  const std::shared_ptr<call_stopper> stopper_;
  reply_slot<upstream_answer> slot_;
  std::unique_ptr<upstream_request> request_;
  std::atomic<bool> is_stopped_{false};

  // Of the calling thread.
  upstream_answer answer_;
  bool has_begun_ = false, is_stream_ = false, is_too_large_ = false;

  std::mutex mutex_;  // for all below: the stream's
  std::string unread_;
  reply_slot<std::string> waiting_;
  std::optional<outcome<std::string>> end_;
  bool is_paused_ = false;
};

class llm_caller::stream final : public upstream_bytes {
 public:
  explicit stream(std::shared_ptr<flight> of) : flight_(std::move(of)) {}
  ~stream() override { flight_->stop(); }
  void next(reply_slot<std::string> slot) override { flight_->next(std::move(slot)); }
  void cancel() override { flight_->stop(); }

 private:
  std::shared_ptr<flight> flight_;
};

void llm_caller::flight::set_options() {
  CURL* easy = handle();
  add_field(*request_, "Content-Type: application/json");
  add_field(*request_, what_.streams ? "Accept: text/event-stream" : "Accept: application/json");
  add_field(*request_, "Expect:");
  const auto& limits = hub_->limits;
  curl_easy_setopt(easy, CURLOPT_POST, 1L);
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(what_.body->size()));
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, what_.body->data());
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, limits.connect_within_s);
  curl_easy_setopt(easy, CURLOPT_TIMEOUT,
                   what_.streams ? limits.stream_within_s : limits.answer_within_s);
  if (what_.streams) {
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, limits.silent_s);
  }
  curl_easy_setopt(easy, CURLOPT_PRIVATE, this);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_bytes);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, this);
}

std::size_t llm_caller::flight::on_bytes(char* bytes, std::size_t size, std::size_t count,
                                         void* user) {
  return static_cast<flight*>(user)->take({bytes, size * count});
}

/// Another number than there are bytes ends the call.
std::size_t llm_caller::flight::take(std::string_view bytes) {
  if (is_stopped_) return 0;
  if (!has_begun_) {
    has_begun_ = true;
    is_stream_ = begin_stream();
  }
  return is_stream_ ? take_piece(bytes) : take_whole(bytes);
}

bool llm_caller::flight::begin_stream() {
  long status = 0;
  const char* type = nullptr;
  curl_easy_getinfo(handle(), CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(handle(), CURLINFO_CONTENT_TYPE, &type);
  answer_.status = static_cast<int>(status);
  answer_.retry_after_s = told_wait(handle());
  const bool is_success = status >= 200 && status < 300;
  const bool is_events = type != nullptr && std::string_view(type).starts_with("text/event-stream");
  const bool streams = what_.streams && is_success && is_events;
  // A stream may last an hour, and nothing sends its question again.
  curl_off_t sent = 0;
  curl_easy_getinfo(handle(), CURLINFO_SIZE_UPLOAD_T, &sent);
  if (streams && sent >= static_cast<curl_off_t>(what_.body->size())) what_.body.reset();
  return streams;
}

std::size_t llm_caller::flight::take_whole(std::string_view bytes) {
  const bool is_success = answer_.status >= 200 && answer_.status < 300;
  const auto& limits = hub_->limits;
  const bool fits =
      answer_.body.size() + bytes.size() <= (is_success ? limits.answer_bytes : refusal_bytes) &&
      hub_->held_bytes + bytes.size() <= limits.answers_bytes;
  if (!fits) {
    is_too_large_ = true;
    return 0;
  }
  hub_->held_bytes += bytes.size();
  answer_.body.append(bytes);
  return bytes.size();
}

std::size_t llm_caller::flight::take_piece(std::string_view bytes) {
  reply_slot<std::string> waiting;
  {
    const std::lock_guard lock(mutex_);
    if (unread_.size() >= hub_->limits.unread_bytes) {
      is_paused_ = true;
      return CURL_WRITEFUNC_PAUSE;
    }
    waiting = std::exchange(waiting_, {});
    if (!waiting) unread_.append(bytes);
  }
  if (waiting) waiting.answer(std::string(bytes));
  if (slot_) {
    upstream_answer head;
    head.status = answer_.status;
    head.rest = std::make_shared<stream>(shared_from_this());
    std::exchange(slot_, {}).answer(std::move(head));
  }
  return bytes.size();
}

void llm_caller::flight::next(reply_slot<std::string> slot) {
  std::string piece;
  std::optional<outcome<std::string>> end;
  bool goes_on = false;
  {
    const std::lock_guard lock(mutex_);
    piece = std::exchange(unread_, {});
    if (piece.empty()) end = end_;
    if (piece.empty() && !end) waiting_ = slot;
    goes_on = !piece.empty() && is_paused_;
  }
  if (goes_on) hub_->hand_over(&hub::changed, shared_from_this());
  if (end) return slot.answer(std::move(*end));
  if (!piece.empty()) slot.answer(std::move(piece));
}

/// On the calling thread, after `next` made room.
void llm_caller::flight::go_on() {
  {
    const std::lock_guard lock(mutex_);
    if (!std::exchange(is_paused_, false)) return;
  }
  curl_easy_pause(handle(), CURLPAUSE_CONT);
}

rejection llm_caller::flight::failure_of(CURLcode code) const {
  if (is_too_large_) return reject(errc::invalid, "its answer is too large");
  curl_off_t sent_us = 0;
  curl_easy_getinfo(handle(), CURLINFO_PRETRANSFER_TIME_T, &sent_us);
  if (sent_us == 0) return reject(errc::unavailable, "it cannot be reached");
  if (is_stopped_) return reject(errc::invalid, "it was stopped");
  if (code == CURLE_OPERATION_TIMEDOUT) {
    return reject(errc::timed_out, "it does not answer in time");
  }
  return broke_off();
}

void llm_caller::flight::finish(CURLcode code) {
  stopper_->arm({});
  if (is_stream_) {
    return end_stream(code == CURLE_OK && !is_stopped_ ? outcome<std::string>(std::string())
                                                       : outcome<std::string>(failure_of(code)));
  }
  forget_bytes();
  answer_.is_cut = is_too_large_ && !is_stopped_ && answer_.status >= 200 && answer_.status < 300;
  if (!answer_.is_cut && (code != CURLE_OK || is_stopped_)) return fail(failure_of(code));
  if (!has_begun_) begin_stream();
  std::exchange(slot_, {}).answer(std::move(answer_));
}

void llm_caller::flight::end_stream(outcome<std::string> how) {
  reply_slot<std::string> waiting;
  {
    const std::lock_guard lock(mutex_);
    if (end_) return;
    end_ = how;
    waiting = std::exchange(waiting_, {});
  }
  if (waiting) waiting.answer(std::move(how));
}

void llm_caller::flight::fail(rejection why) {
  if (auto slot = std::exchange(slot_, {})) slot.answer(std::move(why));
}

llm_caller::llm_caller(llm_caller_limits limits, std::shared_ptr<name_lanes> names)
    : hub_(std::make_shared<hub>()), names_(std::move(names)) {
  hub_->limits = limits;
  hub_->multi = is_curl_ready() ? curl_multi_init() : nullptr;
  thread_ = named_thread("llm-calls", [this] { work(); });
}

llm_caller::~llm_caller() {
  names_->stop();
  {
    const std::lock_guard lock(hub_->mutex);
    hub_->is_closing = true;
    if (hub_->multi != nullptr) curl_multi_wakeup(hub_->multi);
  }
  thread_.join();
}

void llm_caller::call(upstream_call what, std::shared_ptr<call_stopper> stopper,
                      reply_slot<upstream_answer> slot) {
  const auto url = domain::parse_url(what.to.url);
  if (!url) return slot.answer(reject(errc::unavailable, "its URL is none"));
  auto one = std::make_shared<flight>(hub_, std::move(what), std::move(stopper), std::move(slot));
  const auto by = name_lanes::steady::now() + std::chrono::seconds(hub_->limits.connect_within_s);
  names_->find(url->host, url->port, by,
               reply_slot<pinned_address>([one](const auto& where) { one->make_request(where); }));
}

void llm_caller::work() {
  CURLM* multi = hub_->multi;
  if (multi == nullptr) return;
  std::map<CURL*, std::shared_ptr<flight>> all;
  const auto end = [&](const std::shared_ptr<flight>& one, CURLcode code) {
    curl_multi_remove_handle(multi, one->handle());
    one->finish(code);
  };
  for (;;) {
    hub::flights begun, changed;
    {
      const std::lock_guard lock(hub_->mutex);
      if (hub_->is_closing) break;
      begun.swap(hub_->begun);
      changed.swap(hub_->changed);
    }
    for (const auto& one : begun) {
      all[one->handle()] = one;
      curl_multi_add_handle(multi, one->handle());
      one->arm();
    }
    for (const auto& one : changed) {
      const auto found = all.find(one->handle());
      if (found == all.end()) continue;
      if (!one->is_stopped()) {
        one->go_on();
        continue;
      }
      all.erase(found);
      end(one, CURLE_ABORTED_BY_CALLBACK);
    }
    int running = 0, left = 0;
    curl_multi_perform(multi, &running);
    while (const CURLMsg* message = curl_multi_info_read(multi, &left)) {
      const auto found = all.find(message->easy_handle);
      if (message->msg != CURLMSG_DONE || found == all.end()) continue;
      const auto one = found->second;
      const auto code = message->data.result;
      all.erase(found);
      end(one, code);
    }
    curl_multi_poll(multi, nullptr, 0, 1000, nullptr);
  }
  hub::flights late;
  {
    const std::lock_guard lock(hub_->mutex);
    hub_->multi = nullptr;
    late.swap(hub_->begun);
    hub_->changed.clear();
  }
  for (const auto& one : late) one->fail(reject(errc::unavailable, "the server is stopping"));
  for (const auto& [handle, one] : all) end(one, CURLE_ABORTED_BY_CALLBACK);
  curl_multi_cleanup(multi);
}

}  // namespace reeve::adapters
