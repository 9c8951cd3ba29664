#include "api/llm_pass.hpp"

#include "api/llm_attempt.hpp"
#include "api/llm_meter.hpp"
#include "api/llm_relay.hpp"
#include "api/llm_spending.hpp"
#include "api/openai_error.hpp"
#include "api/services.hpp"
#include "base/log.hpp"
#include "codec/llm_json.hpp"
#include "domain/runs/llm_router.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

namespace reeve::api {
namespace {

using adapters::upstream_answer;

/// What upstreams say of a request that they refuse, of which only these words go on: they are none
/// of the request's.
constexpr std::array known_codes{std::string_view("context_length_exceeded"),
                                 std::string_view("content_filter"),
                                 std::string_view("content_policy_violation"),
                                 std::string_view("invalid_type"),
                                 std::string_view("invalid_value"),
                                 std::string_view("missing_required_parameter"),
                                 std::string_view("string_above_max_length"),
                                 std::string_view("unknown_parameter"),
                                 std::string_view("unsupported_parameter"),
                                 std::string_view("unsupported_value")};

std::string_view known_code(const std::string& body) {
  const auto said = codec::read_llm_answer(body);
  if (!said) return "upstream_refused";
  const auto found = std::find(known_codes.begin(), known_codes.end(), said->error_code);
  return found == known_codes.end() ? "upstream_refused" : *found;
}

response refused_by_upstream(const upstream_answer& got) {
  switch (got.status) {
    case 400:
    case 413:
    case 422:
      return openai_error(got.status == 422 ? 400 : got.status, known_code(got.body),
                          "the upstream refuses the request");
    case 429:
      return openai_error(429, "upstream_rate_limited", "the upstream has too many requests",
                          got.retry_after_s.value_or(retry_after_s));
    default:
      return openai_error(502, "upstream_failed", "the upstream failed");
  }
}

bool may_go_elsewhere(const outcome<upstream_answer>& got) {
  return got ? got->status == 503 : got.error().code == errc::unavailable;
}

class llm_pass : public std::enable_shared_from_this<llm_pass> {
 public:
  llm_pass(services& s, request r, const llm_endpoint& to, responder answer)
      : s_(s), r_(std::move(r)), to_(to), answer_(std::move(answer)) {
    if (!r_.stopper) r_.stopper = std::make_shared<call_stopper>();
  }

  void begin() {
    auto read = codec::read_llm_request(r_.body);
    if (!read) return refuse(400, "invalid_request", field_of(read.error()) + read.error().detail);
    if (!domain::is_model_name(read->model)) {
      return refuse(404, "model_not_found", "no upstream has this model");
    }
    if (read->streams && !to_.streams) {
      return refuse(400, "invalid_request", "/stream: this is answered at once only");
    }
    // Before it costs anything.
    if (read->streams && !r_.takes_streams) {
      return refuse(400, "invalid_request", "/stream: is sent here to clients of HTTP/1.1 only");
    }
    model_ = read->model;
    streams_ = read->streams;
    wants_usage_ = read->wants_usage;
    began_us_ = s_.clock->mono_us();
    sent_bytes_ = r_.body.size();
    const bool asks = streams_ && !wants_usage_;
    body_ = std::make_shared<const std::string>(asks ? codec::asking_for_usage(r_.body, *read)
                                                     : std::move(r_.body));
    r_.body = wiped_text();
    if (!s_.may_record()) return refuse_unrecorded();
    as_who_may([](llm_pass& self) { self.find_budgets(); });
  }

 private:
  static std::string field_of(const rejection& why) {
    return why.field.empty() ? std::string() : why.field + ": ";
  }
  void refuse(int status, std::string_view code, std::string_view message) const {
    answer_.answer(openai_error(status, code, message));
  }

  /// What could not be recorded would be paid for by nobody.
  void refuse_unrecorded() const {
    refuse(503, "log_unavailable", "calls cannot be recorded now, so none is made");
  }

  /// Goes on at once, or for an attempt when it is known to run.
  void as_who_may(std::function<void(llm_pass&)> then) {
    if (!r_.who.attempt) return then(*this);
    find_calling_job(s_, *r_.who.attempt,
                     reply_slot<calling_job>([self = shared_from_this(),
                                              then = std::move(then)](outcome<calling_job> found) {
                       if (found) {
                         self->job_ = *found;
                         return then(*self);
                       }
                       self->place_.reset();
                       if (found.error().code != errc::unauthenticated) {
                         return self->answer_.answer(found.error());
                       }
                       self->refuse(401, "unauthenticated", found.error().detail);
                     }));
  }

  void find_budgets() {
    auto fits = [model = model_, directive = job_.directive](const auto& one) {
      return domain::counts_to(one, directive, model);
    };
    using found = outcome<std::vector<budget_use>>;
    auto go = [self = shared_from_this()](found uses) {
      if (!uses) return self->answer_.answer(uses.error());
      self->is_spent_ = std::any_of(uses->begin(), uses->end(), [](const auto& one) {
        return domain::is_spent(one.what, one.spent);
      });
      self->try_next();
    };
    find_budget_uses(s_, r_.who.tenant, std::move(fits),
                     reply_slot<std::vector<budget_use>>(std::move(go)));
  }

  /// To the best one of those that have not failed yet.
  void try_next() {
    if (r_.stopper->is_stopped()) return refuse(503, "stopped", "the client has gone");
    auto views = s_.upstreams();
    std::erase_if(views, [this](const auto& one) { return tried_.contains(one.what.name); });
    const auto routing = domain::route_of(views, model_, is_spent_);
    if (!routing.chosen) return refuse_for(routing.reason);
    const auto& name = routing.candidates[*routing.chosen].upstream;
    const auto chosen = std::find_if(views.begin(), views.end(),
                                     [&name](const auto& one) { return one.what.name == name; });
    auto place =
        s_.places->take({name, r_.who.token_id, r_.stopper, r_.who.tenant}, chosen->what.max_calls);
    tried_.insert(name);
    if (!place) {
      (place.error().code == errc::rate_limited ? has_its_share_ : is_full_) = true;
      return try_next();
    }
    place_ = std::move(*place);
    upstream_ = name;
    reason_ = has_failed_ ? std::string("others_failed") : std::string(routing.reason);
    // Its attempt may have ended meanwhile.
    as_who_may([to = chosen->what](llm_pass& self) { self.call(to); });
  }

  void call(const domain::llm_upstream& to) {
    if (r_.stopper->is_stopped() || !s_.may_record()) {
      place_.reset();
      return r_.stopper->is_stopped() ? refuse(503, "stopped", "the client has gone")
                                      : refuse_unrecorded();
    }
    s_.call_upstream(
        {to, to_.path, body_, streams_}, r_.stopper,
        reply_slot<upstream_answer>([self = shared_from_this()](outcome<upstream_answer> got) {
          self->take(std::move(got));
        }));
  }

  void refuse_for(std::string_view reason) const {
    if (reason == "budget_spent") {
      auto made = openai_error(429, "insufficient_quota", "a budget for calls is spent");
      made.headers.emplace_back("X-Should-Retry", "false");
      return answer_.answer(std::move(made));
    }
    if (reason == "no_upstream" && tried_.empty()) {
      return refuse(404, "model_not_found", "no upstream has this model");
    }
    if (has_its_share_ && !is_full_ && !has_failed_) {
      return refuse(429, "rate_limited", "this token has its share of the calls at a time");
    }
    if (reason == "all_full" || is_full_) {
      return refuse(503, "overloaded", "all upstreams of this model are busy");
    }
    answer_.answer(openai_error(503, "upstream_unavailable", "no upstream of this model answers",
                                wait_s_.value_or(retry_after_s)));
  }

  void take(outcome<upstream_answer> got) {
    if (may_go_elsewhere(got)) {
      place_.reset();
      has_failed_ = true;
      if (got && got->retry_after_s) {
        wait_s_ = std::min(wait_s_.value_or(*got->retry_after_s), *got->retry_after_s);
      }
      return try_next();
    }
    body_.reset();  // a stream may last an hour
    if (!got) return take_failure(got.error());
    if (got->is_cut) return take_useless(tokens_of(got->body.size()));
    if (got->status < 200 || got->status > 299) {
      return answer_.answer(refused_by_upstream(*got));
    }
    if (got->rest) return relay(std::move(got->rest));
    take_whole(std::move(got->body));
  }

  /// It may have worked, and its work counts.
  void take_failure(const rejection& why) {
    if (why.code != errc::timed_out) return take_useless(0);
    record(estimate_of(sent_bytes_, 0), [self = shared_from_this()](const auto&) {
      self->refuse(504, "upstream_timed_out", "the upstream does not answer in time");
    });
  }

  /// What came is no answer for the client.
  void take_useless(std::int64_t completion_tokens) {
    take_useless(estimate_of(sent_bytes_, to_.completes ? completion_tokens : 0));
  }
  void take_useless(const llm_metered& what) {
    record(what, [self = shared_from_this()](const auto&) {
      self->refuse(502, "upstream_failed", "the upstream broke off");
    });
  }

  void take_whole(std::string body) {
    const auto read = codec::read_llm_answer(body);
    const bool is_error = read && read->has_error;
    auto told = read ? read->told : codec::llm_told_counts{};
    if (!to_.completes && !told.completion) told.completion = 0;  // which need not be told
    const auto what =
        metered_as(told, estimate_of(sent_bytes_, is_error ? 0 : tokens_of(body.size())));
    if (!read || is_error || streams_) return take_useless(what);
    auto go = [self = shared_from_this(),
               body = std::move(body)](const outcome<domain::position>& at) mutable {
      if (!at) return self->answer_.answer(at.error());
      response made;
      made.body = std::make_shared<const std::string>(std::move(body));
      made.headers.emplace_back("Reeve-Position", std::to_string(*at));
      self->answer_.answer(std::move(made));
    };
    record(what, std::move(go));
  }

  void relay(std::shared_ptr<adapters::upstream_bytes> from) {
    response made;
    made.content_type = "text/event-stream";
    made.headers.emplace_back("Cache-Control", "no-cache");
    made.stream = std::make_shared<llm_relay>(
        std::move(from), llm_meter(sent_bytes_, wants_usage_),
        [self = shared_from_this()](llm_metered what, reply_slot<done> slot) {
          self->record(what, [slot](const outcome<domain::position>& at) {
            at ? slot.answer(done{}) : slot.answer(at.error());
          });
        });
    answer_.answer(std::move(made));
  }

  using recorded_fn = std::function<void(const outcome<domain::position>&)>;

  void record(llm_metered what, recorded_fn then) {
    place_.reset();
    domain::record_llm_call call;
    call.call = s_.ids->next();
    call.job = domain::no_job_of(r_.who.tenant, domain::day_of(s_.clock->now_us()));
    if (r_.who.attempt) {
      call.job = job_.job;
      call.run = job_.run;
      call.directive = job_.directive;
    }
    call.counts.model_name = model_;
    call.counts.prompt_tokens = what.prompt;
    call.counts.completion_tokens = what.completion;
    call.counts.latency_ms = std::max<std::int64_t>((s_.clock->mono_us() - began_us_) / 1000, 0);
    call.price = s_.llm->price_of(model_);
    call.upstream = upstream_;
    call.reason = reason_;
    call.is_estimate = what.is_estimate;
    // Whether it exceeds a budget may stay unknown; that it was made may not.
    auto go = [self = shared_from_this(), then, call](outcome<domain::record_llm_call> marked) {
      self->write(marked ? *marked : call, then);
    };
    mark_over_budget(s_, r_.who.tenant, std::move(call),
                     reply_slot<domain::record_llm_call>(std::move(go)));
  }

  /// Without a digest of the request, which could be held against a text that somebody guesses.
  void write(domain::record_llm_call call, const recorded_fn& then) {
    actors::command_context context;
    context.tenant = r_.who.tenant;
    context.meta.principal = r_.who.principal;
    context.meta.command_id = s_.ids->next();
    context.meta.correlation_id = r_.correlation_id;
    context.meta.traceparent = r_.traceparent;
    using written = outcome<actors::executed<domain::llm_usage_state>>;
    s_.commands->execute(std::move(context), std::move(call),
                         actors::state_slot<domain::llm_usage_state>(
                             [self = shared_from_this(), then](const written& c) {
                               if (!c) return self->not_recorded(c.error(), then);
                               then(c->at);
                             }));
  }
  void not_recorded(const rejection& why, const recorded_fn& then) const {
    log_warn("a call of a language model could not be recorded",
             {{"request_id", r_.request_id}, {"why", name_of(why.code)}});
    then(why);
  }

  services& s_;
  request r_;
  const llm_endpoint to_;
  const responder answer_;
  calling_job job_;  // of an attempt
  std::string model_, upstream_, reason_;
  std::shared_ptr<const std::string> body_;
  std::size_t sent_bytes_ = 0;
  std::int64_t began_us_ = 0;
  bool streams_ = false, wants_usage_ = false, is_spent_ = false;
  bool is_full_ = false, has_its_share_ = false, has_failed_ = false;  // of what was tried
  std::set<std::string> tried_;
  std::optional<int> wait_s_;  // until the first of them may take calls again, as they say
  llm_places::place place_;
};

}  // namespace

void pass_llm_call(services& s, request r, const llm_endpoint& to, const responder& answer) {
  std::make_shared<llm_pass>(s, std::move(r), to, answer)->begin();
}

}  // namespace reeve::api
