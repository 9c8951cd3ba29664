#include "cli/token_reset.hpp"

#include "adapters/rest_client.hpp"
#include "base/digest.hpp"
#include "base/files.hpp"
#include "base/log.hpp"
#include "base/secret.hpp"
#include "cli/act_as.hpp"
#include "cli/client.hpp"
#include "cli/commands.hpp"
#include "cli/config_file.hpp"
#include "cli/database.hpp"
#include "cli/output.hpp"
#include "cli/server_identity.hpp"
#include "codec/codec.hpp"
#include "codec/json_writer.hpp"
#include "domain/access/token_text.hpp"

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <mutex>
#include <optional>
#include <thread>
#include <unistd.h>
#include <utility>

namespace reeve::cli {

using namespace std::chrono_literals;

struct token_resets::letter_box {
  std::mutex mutex;
  std::optional<outcome<access>> answer;

  std::optional<outcome<access>> take() {
    const std::lock_guard lock(mutex);
    return std::exchange(answer, std::nullopt);
  }
};

token_resets::token_resets(std::string file, clock_port& clock)
    : file_(std::move(file)), clock_(clock), box_(std::make_shared<letter_box>()) {}

void token_resets::look(actors::command_port& commands, id_source& ids,
                        std::span<const persistence::tenant_row> tenants) {
  if (step_ != step::idle) {
    if (auto answer = box_->take()) hear(commands, std::move(*answer));
    return;
  }
  if (clock_.mono_us() >= quiet_until_us_) take(commands, ids, tenants);
}

void token_resets::take(actors::command_port& commands, id_source& ids,
                        std::span<const persistence::tenant_row> tenants) {
  const auto text = read_own_file(file_);
  if (!text) return refused(text.error().detail);
  if (!*text) return told_.clear();
  text_ = **text;
  const auto asked = codec::decode_text<asked_token>((*text)->substr(0, (*text)->find('\n')));
  if (!asked) return refused(file_ + " is not what `reeve token reset` writes there");
  asked_ = *asked;
  // The first start makes both.
  const auto first = persistence::first_tenant_of(tenants);
  if (!first) return refused("there is no tenant yet");
  tenant_ = asked_.is_system ? system_tenant : *first;
  actors::command_context c;
  c.tenant = tenant_;
  c.meta.principal = "system:token-reset";
  c.meta.command_id = ids.next();
  c.meta.correlation_id = c.meta.command_id;
  domain::token_created token;
  token.id = asked_.id;
  token.name = "reset";
  token.role = domain::token_role::admin;
  token.secret_hash = asked_.secret_hash;
  step_ = step::making;
  commands.execute(std::move(c), domain::create_token{token}, slot());
}

/// A conflict may be that of a token that was made just before the process died.
void token_resets::hear(actors::command_port& commands, outcome<access> answer) {
  const auto was = std::exchange(step_, step::idle);
  if (!answer && answer.error().code == errc::conflict && was == step::making) {
    conflict_ = answer.error().detail;
    step_ = step::comparing;
    return commands.fetch(tenant_, tenant_, slot());
  }
  if (!answer) return refused(answer.error().detail);
  const auto* made = answer->state->find(asked_.id);
  if (made == nullptr || made->what.secret_hash != asked_.secret_hash) {
    return refused(conflict_);
  }
  if (std::exchange(made_, asked_.id) != asked_.id) {
    log_warn("an admin token was made by `reeve token reset`",
             {{"id", to_string(asked_.id)}, {"tenant", to_string(tenant_)}});
  }
  // Another one may be asked for by now.
  const auto now = read_own_file(file_);
  if (now && *now == text_ && ::unlink(file_.c_str()) != 0) {
    return refused(file_ + " cannot be removed");
  }
  told_.clear();
}

void token_resets::refused(const std::string& why) {
  quiet_until_us_ = clock_.mono_us() + us_per_second;
  if (std::exchange(told_, why) == why) return;
  log_error("the token of `reeve token reset` cannot be made", {{"why", why}});
}

actors::state_slot<domain::access_state> token_resets::slot() {
  return actors::state_slot<domain::access_state>([box = box_](outcome<access> answer) {
    const std::lock_guard lock(box->mutex);
    box->answer = std::move(answer);
  });
}

namespace {

// A leader looks five times a second; one that has not taken it after so long does not lead.
constexpr auto taken_within = 10s;

int fail(const std::string& why, int code = exit_refused) {
  complain(why);
  return code;
}

/// At once: a token that stays in a buffer is lost with this process. False: nobody can have it.
bool show(const asked_token& asked, const std::string& token, bool json) {
  std::string line = token;
  if (json) {
    codec::json_writer out;
    out.begin_object().key("id").value(to_string(asked.id)).key("token").value(token);
    line = out.end_object().take();
  }
  std::puts(line.c_str());
  return std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
}

bool is_taken_within(const std::string& file, std::chrono::milliseconds time) {
  const auto until = std::chrono::steady_clock::now() + time;
  while (!is_missing(file)) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(50ms);
  }
  return true;
}

bool has_server(const config& c) {
  return server_identity::is_held(server_id_file(c));
}

/// That the file is gone does not say who took it: only a server knows what opens. Nobody is asked
/// at an address that is only configured: whoever has it now may be anybody.
int try_token(const config& c, const std::string& token) {
  const std::string gone = token_reset_file(c) + " is gone, but ";
  const auto url = leading_server(c);
  if (url.empty()) {
    return fail(
        gone + "no address of a server is known here: whether the token opens was not tried",
        exit_unreachable);
  }
  adapters::rest_request ask;
  ask.url = url + "/api/whoami";
  ask.token = token;
  ask.timeout_s = 10;
  const auto answer = adapters::call_rest(ask);
  if (answer && answer->status == 200) {
    std::fputs("reeve: this admin token opens now; it is shown only here\n", stderr);
    return exit_ok;
  }
  const auto said = answer ? "answers " + std::to_string(answer->status) : answer.error().detail;
  const bool is_refused = answer && answer->status < 500;
  return fail(gone + "the token does not open: " + url + ": " + said,
              is_refused ? exit_refused : exit_unreachable);
}

int wait_for_server(const config& c, const std::string& token) {
  const bool may_lead = has_server(c) && !is_missing(endpoint_file(c));
  if (may_lead && is_taken_within(token_reset_file(c), taken_within)) return try_token(c, token);
  std::fputs(
      "reeve: this admin token opens once a server leads with this data folder; it is shown only "
      "here\n",
      stderr);
  return may_lead ? exit_unreachable : exit_ok;
}

/// The token is shown before it is asked for, so that whatever ends this process in between leaves
/// a token that opens nothing, and never one that opens and that nobody has.
int reset(const config& c, bool is_system, bool json) {
  if (auto ok = act_as_owner_of(c.data); !ok) return fail(ok.error().detail);
  const auto file = token_reset_file(c);
  const std::string waits =
      "a token waits already for a server to take it; remove " + file + " to ask for another one";
  if (std::error_code ignored; std::filesystem::exists(file, ignored)) return fail(waits);
  const auto secret = make_secret();
  const asked_token asked{real_ids().next(), sha256(secret), is_system};
  const auto text = domain::token_text(asked.id, secret);
  if (!show(asked, text, json)) {
    return fail("the token could not be written, and is not asked for", exit_unreachable);
  }
  if (auto ok = write_new_file(file, codec::encode(asked) + "\n"); !ok) {
    const bool is_there = ok.error().code == errc::conflict;
    return fail("the token above opens nothing: " + (is_there ? waits : ok.error().detail));
  }
  return wait_for_server(c, text);
}

}  // namespace

int token(const loaded_config& config, const std::vector<std::string>& words, bool json) {
  const auto options = split_words(words, {}, {"--system"});
  if (!options.problem.empty()) return usage_error(options.problem);
  if (options.plain != std::vector<std::string>{"reset"}) {
    return usage_error("token needs reset: reeve help token");
  }
  return reset(config.values, options.has("--system"), json);
}

}  // namespace reeve::cli
