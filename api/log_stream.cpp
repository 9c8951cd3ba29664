#include "api/log_stream.hpp"

#include "api/routes/common.hpp"
#include "api/services.hpp"
#include "api/stored_lines.hpp"
#include "codec/json_writer.hpp"

#include <algorithm>
#include <utility>

namespace reeve::api {
namespace {

constexpr std::size_t chunk_bytes = std::size_t{16} * 1024;
constexpr std::int64_t piece_bytes = std::int64_t{64} * 1024;
constexpr std::int64_t silence_us = 15 * us_per_second;
/// Between two looks at the job, and before a source that broke is asked for again.
constexpr std::int64_t look_us = us_per_second;
constexpr std::int64_t again_us = 5 * us_per_second;
/// For what the engine still has to say once the attempt has ended.
constexpr std::int64_t grace_us = 5 * us_per_second;

std::string event_of(const output_line& line, std::int64_t attempt) {
  codec::json_writer out;
  out.begin_object().key("attempt").value(attempt).key("line").value(line.number);
  if (line.of && line.of != domain::line_stream::reeve) {
    out.key("stream").value(domain::name_of(*line.of));
  }
  if (line.at_ns > 0) out.key("at").value(format_time(line.at_ns / 1000));
  if (!line.is_ended) out.key("is_ended").value(false);
  out.key("text").value(line.text).end_object();
  std::string text;
  if (line.is_ended)
    text = "id: " + to_string(output_place{attempt, line.number, line.at_ns}) + "\n";
  return text + "event: line\ndata: " + out.take() + "\n\n";
}

/// What is said of an attempt's lines in between.
std::string note_of(const std::string& name, std::int64_t attempt, const std::string& more = {}) {
  return "event: " + name + "\ndata: {\"attempt\":" + std::to_string(attempt) + more + "}\n\n";
}

std::string end_of_job(const domain::job_state& job) {
  codec::json_writer out;
  out.begin_object().key("status").value(domain::name_of(job.status));
  if (job.reason) out.key("reason").value(domain::name_of(*job.reason));
  return "event: end\ndata: " + out.end_object().take() + "\n\n";
}

}  // namespace

std::string to_string(const output_place& place) {
  auto text = std::to_string(place.attempt) + "-" + std::to_string(place.line);
  return place.at_ns > 0 ? text + "-" + std::to_string(place.at_ns) : text;
}

std::optional<output_place> parse_output_place(std::string_view text) {
  const auto first = text.find('-');
  if (first == text.npos) return std::nullopt;
  const auto second = text.find('-', first + 1);
  const auto attempt = parse_number(text.substr(0, first));
  const auto line = parse_number(text.substr(first + 1, second - first - 1));
  const auto at =
      second == text.npos ? std::optional<std::int64_t>(0) : parse_number(text.substr(second + 1));
  if (!attempt || *attempt < 1 || !line || !at) return std::nullopt;
  return output_place{*attempt, *line, *at};
}

/// One client's place in the output of a job. One thing is asked at a time.
class log_stream final : public body_stream, public std::enable_shared_from_this<log_stream> {
 public:
  using one_stream = std::optional<domain::line_stream>;
  log_stream(services& s, uuid tenant, uuid run, uuid job, output_place after, uuid token,
             one_stream only)
      : token(token),
        services_(s),
        tenant_(tenant),
        run_(run),
        job_(job),
        only_(only),
        place_(after) {}

  const uuid token;  // whose stream it is

  void next(reply_slot<std::string> slot) override {
    {
      const std::lock_guard lock(mutex_);
      if (is_cancelled_) return slot.answer(cut_off());
      waiting_ = slot;
      since_us_ = now();
    }
    advance();
  }

  void cancel() override {
    reply_slot<std::string> open;
    std::shared_ptr<output_source> live;
    {
      const std::lock_guard lock(mutex_);
      is_cancelled_ = true;
      open = std::exchange(waiting_, {});
      live = std::exchange(live_, nullptr);
    }
    if (open) open.answer(cut_off());
  }

  void beat() {
    reply_slot<std::string> open;
    {
      const std::lock_guard lock(mutex_);
      if (waiting_ && !is_asking_ && now() - since_us_ >= silence_us) {
        open = std::exchange(waiting_, {});
      }
    }
    if (open) return open.answer(std::string(": still here\n\n"));
    advance();
  }

 private:
  std::int64_t now() const { return services_.clock->mono_us(); }

  /// Answers with what is there, or asks for what is needed next.
  void advance() {
    reply_slot<std::string> open;
    std::string text;
    std::function<void()> ask;
    {
      const std::lock_guard lock(mutex_);
      if (!waiting_ || is_asking_) return;
      text = from_live();
      if (text.empty()) text = from_stored();
      if (text.empty() && !is_over_) {
        ask = next_question();
        if (!ask) return;
        is_asking_ = true;
      } else {
        open = std::exchange(waiting_, {});
      }
    }
    // An empty chunk is the end.
    open ? open.answer(std::move(text)) : ask();
  }

  // All below with the lock, but what is asked.

  std::function<void()> next_question() {
    const auto self = shared_from_this();
    if (stored_) return [self] { self->read_stored(); };
    if (now() < look_at_us_) return {};
    look_at_us_ = now() + look_us;
    return [self] { self->look(); };
  }

  bool is_wanted(const output_line& line) const {
    return !only_ || line.of == only_ || line.of == domain::line_stream::reeve;
  }

  /// Of lines that are not wanted nobody is told that there were any. The heartbeat goes on where
  /// there are many.
  std::string from_live() {
    std::string text;
    constexpr int most_rounds = 16;
    for (int i = 0; i < most_rounds && live_ && text.empty(); ++i) {
      if (!take_live(text)) break;
    }
    return text;
  }

  /// False: there was nothing.
  bool take_live(std::string& text) {
    auto lines = live_->take(chunk_bytes);
    for (auto& line : lines) {
      if (line.is_gap) {
        text += note_of("gap", place_.attempt);
        is_behind_gap_ = true;
        continue;
      }
      line.of = line.is_err ? domain::line_stream::err : domain::line_stream::out;
      if (is_wanted(line)) text += event_of(line, place_.attempt);
      if (line.is_ended) place_ = {place_.attempt, line.number, line.at_ns};
    }
    if (!lines.empty()) return true;
    const auto state = live_->state();
    if (state == output_source::phase::going) return false;
    live_.reset();
    if (state == output_source::phase::broken) live_at_us_ = now() + again_us;
    // A line without an end may be told by what is stored alone.
    if (state == output_source::phase::over) withheld_ = place_.attempt;
    look_at_us_ = 0;
    return false;
  }

  std::string from_stored() {
    std::string text;
    while (stored_ && text.size() < chunk_bytes) {
      auto line = stored_->next();
      if (!line && !stored_->is_over()) break;
      if (!line) {
        stored_.reset();
        told_ = place_.attempt;
        look_at_us_ = 0;
        break;
      }
      if (is_wanted(*line)) text += event_of(*line, place_.attempt);
      if (line->is_ended) place_ = {place_.attempt, line->number, 0};
    }
    return text;
  }

  void read_stored() {
    const auto self = shared_from_this();
    if (const auto marks = stored_->needs_marks()) {
      return services_.reads->blob(tenant_, marks->sha256, marks->offset, marks->bytes,
                                   reply_slot<std::string>([self, marks](auto piece) {
                                     self->take_stored(std::move(piece), marks);
                                   }));
    }
    const auto size = std::min(piece_bytes, stored_->missing());
    services_.reads->blob(tenant_, stored_->sha256(), stored_->offset(), size,
                          reply_slot<std::string>([self](outcome<std::string> piece) {
                            self->take_stored(std::move(piece), {});
                          }));
  }

  void take_stored(outcome<std::string> piece, const std::optional<stored_streams::piece>& marks) {
    reply_slot<std::string> failed;
    {
      const std::lock_guard lock(mutex_);
      is_asking_ = false;
      if (piece && marks) {
        stored_->add_marks(*marks, std::move(*piece));
      } else if (piece) {
        stored_->add(*piece);
      } else if (marks && piece.error().code == errc::not_found) {
        stored_->add_marks(*marks, {});
      } else if (piece.error().code == errc::not_found) {
        stored_->give_up();  // what is gone has no lines
      } else {
        failed = std::exchange(waiting_, {});
      }
    }
    // The connection ends, and the client comes back.
    if (failed) return failed.answer(piece.error());
    advance();
  }

  void look() {
    using slot = actors::state_slot<domain::run_state>;
    services_.commands->fetch(
        tenant_, run_,
        slot([self = shared_from_this()](outcome<actors::executed<domain::run_state>> found) {
          self->seen(found);
        }));
  }

  void seen(const outcome<actors::executed<domain::run_state>>& found) {
    std::optional<output_request> wanted;
    reply_slot<std::string> open;
    std::string text;
    {
      const std::lock_guard lock(mutex_);
      is_asking_ = false;
      const auto* job = found ? found->state->find(job_) : nullptr;
      // A run that cannot be had now is looked at again.
      if (job != nullptr) wanted = go_on(*job, text);
      if (wanted) is_asking_ = true;
      if (!text.empty()) open = std::exchange(waiting_, {});
    }
    if (open) return open.answer(std::move(text));
    wanted ? begin_live(std::move(*wanted)) : advance();
  }

  static const domain::attempt_state* find(const domain::job_state& job, std::int64_t number) {
    for (const auto& one : job.attempts) {
      if (one.number == number) return &one;
    }
    return nullptr;
  }

  /// What comes next; the request for the source of an attempt that runs.
  std::optional<output_request> go_on(const domain::job_state& job, std::string& text) {
    if (place_.attempt == 0 && !job.attempts.empty()) place_ = {job.attempts.back().number, 0, 0};
    if (told_ == place_.attempt && find(job, place_.attempt + 1) != nullptr) {
      place_ = {place_.attempt + 1, 0, 0};
      is_behind_gap_ = false;
    }
    const auto* attempt = find(job, place_.attempt);
    const bool is_told = attempt == nullptr || told_ == attempt->number;
    if (is_told && (attempt == nullptr || !attempt->is_open())) {
      if (!is_terminal(job.status)) return std::nullopt;
      is_over_ = true;
      text = end_of_job(job);
      return std::nullopt;
    }
    if (is_told) return std::nullopt;
    if (attempt->is_open()) return source_of(*attempt);
    if (live_ && ended_at_us_ == 0) ended_at_us_ = now();
    if (live_ && now() - ended_at_us_ < grace_us) return std::nullopt;
    live_.reset();
    ended_at_us_ = 0;
    look_at_us_ = 0;
    const bool is_unknown = attempt->log && only_ && !attempt->log_streams;
    if (is_unknown) text = note_of("streams_unknown", attempt->number, ",\"streams\":\"unknown\"");
    if (attempt->log && !is_unknown) {
      // Numbers are too low there, and no time is stored: some come twice.
      if (std::exchange(is_behind_gap_, false)) text = note_of("gap", attempt->number);
      stored_.emplace(*attempt->log, place_.line, attempt->log_streams);
    } else {
      told_ = attempt->number;
    }
    return std::nullopt;
  }

  std::optional<output_request> source_of(const domain::attempt_state& attempt) {
    const bool is_there = live_ || withheld_ == attempt.number || now() < live_at_us_;
    if (is_there || !attempt.container_id || !attempt.started_at) return std::nullopt;
    return output_request{tenant_, attempt.intent, *attempt.container_id, place_, token, run_};
  }

  void begin_live(output_request wanted) {
    const auto attempt = wanted.after.attempt;
    const auto woken = [weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->advance();
    };
    using answer = std::shared_ptr<output_source>;
    services_.follow_output(
        std::move(wanted), woken,
        reply_slot<answer>([self = shared_from_this(), attempt](outcome<answer> came) {
          self->begun(std::move(came), attempt);
        }));
  }

  void begun(outcome<std::shared_ptr<output_source>> came, std::int64_t attempt) {
    std::shared_ptr<output_source> unwanted;
    {
      const std::lock_guard lock(mutex_);
      is_asking_ = false;
      live_at_us_ = now() + again_us;
      if (came) (is_cancelled_ ? unwanted : live_) = std::move(*came);
      // Without its secrets it cannot be shown; what is stored of it is told at its end.
      const bool is_hidden =
          !came && (came.error().code == errc::not_found || came.error().code == errc::internal);
      if (is_hidden) withheld_ = attempt;
    }
    advance();
  }

  services& services_;
  const uuid tenant_, run_, job_;
  const one_stream only_;
  std::mutex mutex_;
  output_place place_;
  reply_slot<std::string> waiting_;
  std::int64_t since_us_ = 0;  // monotonic; since when the client waits
  bool is_asking_ = false;     // an answer is to come
  bool is_cancelled_ = false;
  bool is_over_ = false;       // the end was told
  std::int64_t told_ = 0;      // of this attempt everything was told
  std::int64_t withheld_ = 0;  // this attempt cannot be followed, or no more
  std::int64_t look_at_us_ = 0;
  std::int64_t live_at_us_ = 0;
  bool is_behind_gap_ = false;    // of the attempt one was told, while it ran
  std::int64_t ended_at_us_ = 0;  // since when a source lasts longer than its attempt
  std::shared_ptr<output_source> live_;
  std::optional<stored_lines> stored_;
};

std::shared_ptr<body_stream> log_streams::open(uuid tenant, uuid run, uuid job, output_place after,
                                               uuid token,
                                               std::optional<domain::line_stream> only) {
  auto made = std::make_shared<log_stream>(services_, tenant, run, job, after, token, only);
  const auto others = present();
  const std::lock_guard lock(mutex_);
  streams_.push_back(made);
  return made;
}

std::vector<std::shared_ptr<log_stream>> log_streams::present() {
  std::vector<std::shared_ptr<log_stream>> all;
  const std::lock_guard lock(mutex_);
  std::erase_if(streams_, [&](const auto& weak) {
    auto strong = weak.lock();
    if (!strong) return true;
    all.push_back(std::move(strong));
    return false;
  });
  return all;
}

void log_streams::heartbeat() {
  for (const auto& one : present()) one->beat();
}

void log_streams::end_of(const uuid& token) {
  for (const auto& one : present()) {
    if (one->token == token) one->cancel();
  }
}

}  // namespace reeve::api
