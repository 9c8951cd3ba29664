// The part of a server process that lets clients follow what attempts print.

#include "cli/serve.hpp"
#include "tasks/container/attempt_secrets.hpp"
#include "tasks/container/live_output.hpp"

#include <utility>

namespace reeve::cli {
namespace {

/// Stops with its reader.
class followed_output final : public api::output_source {
 public:
  followed_output(std::shared_ptr<tasks::live_output> of, std::shared_ptr<follow_places> places,
                  const uuid& token)
      : of_(std::move(of)), places_(std::move(places)), token_(token) {}
  ~followed_output() override {
    of_->stop();
    places_->let_go(token_);
  }
  followed_output(const followed_output&) = delete;
  followed_output& operator=(const followed_output&) = delete;

  std::vector<api::output_line> take(std::size_t most_bytes) override {
    std::vector<api::output_line> lines;
    for (auto& one : of_->take(most_bytes)) {
      lines.push_back(
          {one.number, one.at_ns, one.is_err, one.is_ended, std::move(one.text), {}, one.is_gap});
    }
    return lines;
  }
  phase state() const override {
    switch (of_->state()) {
      case tasks::live_output::phase::going:
        return phase::going;
      case tasks::live_output::phase::over:
        return phase::over;
      case tasks::live_output::phase::broken:
        return phase::broken;
    }
    return phase::broken;
  }

 private:
  const std::shared_ptr<tasks::live_output> of_;
  const std::shared_ptr<follow_places> places_;
  const uuid token_;
};

using source_slot = reply_slot<std::shared_ptr<api::output_source>>;

/// With the token that the attempt may have got beside its secrets.
outcome<redactor> hiding_token_too(outcome<redactor> rules, bool has_one,
                                   const std::optional<std::string>& token) {
  if (!rules || !has_one) return rules;
  if (!token) return reject(errc::not_found, "the token of the attempt cannot be made again");
  return tasks::hiding_token(*rules, *token);
}

/// As the log has them, whoever asks.
tasks::secret_sources sources_of(actors::command_port& commands, persistence::secret_port& values) {
  using list = domain::secret_list_state;
  return {[&commands](uuid tenant, reply_slot<std::shared_ptr<const list>> slot) {
            commands.fetch(tenant, tenant,
                           actors::state_slot<list>([slot](outcome<actors::executed<list>> found) {
                             if (!found) return slot.answer(found.error());
                             slot.answer(found->state);
                           }));
          },
          &values};
}

}  // namespace

void server_process::fill_logs() {
  log_streams_ = std::make_unique<api::log_streams>(*services_);
  services_->logs = log_streams_.get();
  feed_->tell_revoked([this](const uuid& token) {
    log_streams_->end_of(token);
    llm_places_.end_of(token);
  });
  services_->follow_output = [this](api::output_request what, std::function<void()> changed,
                                    source_slot slot) {
    auto* engine = engines_.find(what.intent.engine);
    if (engine == nullptr) {
      return slot.answer(reject(errc::engine_unavailable, "this server does not have the engine"));
    }
    const attempt_name whose{what.tenant, what.run, what.intent.job, what.intent.attempt};
    const bool has_token = what.intent.llm.has_value();
    const bool has_key = attempt_key_ && what.intent.llm_key == attempt_key_->id();
    const auto token = has_token && has_key ? token_of(whose) : std::nullopt;
    tasks::find_rules(
        sources_of(*services_->commands, *secrets_), what.tenant, job_redaction_, what.intent,
        reply_slot<redactor>([this, engine, what, has_token, token, changed = std::move(changed),
                              slot](outcome<redactor> found) {
          auto rules = hiding_token_too(std::move(found), has_token, token);
          if (!rules) return slot.answer(rules.error());
          if (!followed_->take(what.token)) {
            return slot.answer(reject(errc::overloaded, "too many outputs are followed"));
          }
          auto of = tasks::live_output::begin({*engine,
                                               *texts_,
                                               {what.tenant, what.intent.job},
                                               std::move(*rules),
                                               what.execution,
                                               {what.after.line, what.after.at_ns},
                                               changed});
          slot.answer(std::shared_ptr<api::output_source>(
              std::make_shared<followed_output>(std::move(of), followed_, what.token)));
        }));
  };
}

}  // namespace reeve::cli
