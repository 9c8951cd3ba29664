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
      lines.push_back({one.number, one.at_ns, one.is_err, one.is_ended, std::move(one.text)});
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
  bool has_gap() const override { return of_->has_gap(); }

 private:
  const std::shared_ptr<tasks::live_output> of_;
  const std::shared_ptr<follow_places> places_;
  const uuid token_;
};

using source_slot = reply_slot<std::shared_ptr<api::output_source>>;
using with_rules = std::function<void(outcome<redactor>)>;
using opened = std::shared_ptr<const persistence::opened_secrets>;

rejection no_value() {
  return reject(errc::not_found, "a secret of the attempt is gone");
}

/// With the token that the attempt may have got beside its secrets.
with_rules hiding_token_too(const std::optional<std::string>& token,
                            const api::output_request& what, with_rules go) {
  if (!what.intent.llm) return go;
  return [token, go = std::move(go)](const outcome<redactor>& rules) {
    if (!rules) return go(rules.error());
    if (!token) return go(no_value());
    auto made = tasks::hiding_token(*rules, *token);
    made ? go(std::move(made)) : go(no_value());
  };
}

/// The redactor of an attempt: everybody's, and the secrets that it got.
void find_rules(actors::command_port& commands, persistence::secret_port& secrets,
                const redactor& others, const api::output_request& what, const with_rules& go) {
  if (!what.intent.secrets || what.intent.secrets->empty()) return go(others);
  using found_list = outcome<actors::executed<domain::secret_list_state>>;
  const auto open = [&secrets, &others, tenant = what.tenant, uses = *what.intent.secrets,
                     go](found_list found) {
    if (!found) return go(found.error());
    auto places = tasks::places_of(*found->state, tenant, uses);
    if (!places) return go(no_value());
    secrets.open(std::move(*places),
                 reply_slot<opened>([&others, uses, go](outcome<opened> values) {
                   if (!values) return go(values.error());
                   // What cannot be looked for cannot be hidden.
                   auto made = tasks::hiding(others, uses, **values);
                   made ? go(std::move(made)) : go(no_value());
                 }));
  };
  commands.fetch(what.tenant, what.tenant, actors::state_slot<domain::secret_list_state>(open));
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
    with_rules begin = [this, engine, what, changed = std::move(changed),
                        slot](outcome<redactor> rules) {
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
    };
    const attempt_name whose{what.tenant, what.run, what.intent.job, what.intent.attempt};
    const auto token = what.intent.llm ? token_of(whose) : std::nullopt;
    find_rules(*services_->commands, *secrets_, job_redaction_, what,
               hiding_token_too(token, what, std::move(begin)));
  };
}

}  // namespace reeve::cli
