// The door that a server has for jobs which call language models: a socket in a folder of its own,
// which their containers get, and tokens of their attempts.

#include "api/llm_attempt.hpp"
#include "base/log.hpp"
#include "cli/jobs_door.hpp"
#include "cli/serve.hpp"

#include <future>
#include <utility>

namespace reeve::cli {

outcome<done> server_process::prepare_jobs_door() {
  bool has_models = !llm_.upstreams.empty();
  if (has_models) {
    const auto asked = std::make_shared<std::promise<outcome<done>>>();
    auto made = asked->get_future();
    secrets_->make_key(reply_slot<done>([asked](outcome<done> ok) { asked->set_value(ok); }));
    if (const auto ok = made.get(); !ok) {
      log_warn("no job can call language models: there is no key for their tokens",
               {{"why", ok.error().detail}});
      if (ok.error().code == errc::unavailable) return ok.error();
      has_models = false;
    }
  }
  auto key = sealing_key::load(secrets_key_file(config_));
  if (!key) log_warn("tokens of attempts cannot be told", {{"why", key.error().detail}});
  if (key && *key) attempt_key_.emplace(std::move(**key));
  if (!has_models || !attempt_key_) return done{};
  auto folder = jobs_door_of(config_);
  if (!folder) return folder.error();
  if (auto ok = make_jobs_door(*folder); !ok) return ok;
  llm_folder_ = std::move(*folder);
  return done{};
}

outcome<done> server_process::open_jobs_door() {
  if (llm_folder_.empty()) return done{};
  return http_->listen_for_jobs(socket_in(llm_folder_));
}

std::optional<std::string> server_process::token_of(const attempt_name& whose) const {
  if (!attempt_key_) return std::nullopt;
  return attempt_token(*attempt_key_, whose);
}

std::optional<api::caller> server_process::authenticate_attempt(std::string_view token) const {
  const auto whose = attempt_key_ ? attempt_of(*attempt_key_, token) : std::nullopt;
  if (!whose) return std::nullopt;
  return api::caller_of(*whose);
}

}  // namespace reeve::cli
