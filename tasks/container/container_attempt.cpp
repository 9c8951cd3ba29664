#include "tasks/container/container_attempt.hpp"

#include "base/log.hpp"
#include "base/test_point.hpp"
#include "domain/access/container_names.hpp"
#include "tasks/container/container_spec_of.hpp"

#include <algorithm>
#include <utility>

namespace reeve::tasks {

using domain::end_reason;
namespace attempts = domain::attempts;

namespace {

class container_kind final : public task_kind {
 public:
  std::unique_ptr<attempt_work> make_attempt(attempt_host& host) override {
    return std::make_unique<container_attempt>(host);
  }
};

}  // namespace

std::unique_ptr<task_kind> open_container(const kind_surroundings&) {
  return std::make_unique<container_kind>();
}

container_attempt::container_attempt(attempt_host& host)
    : attempt_work(host),
      engine_(&host.ports().engines.preferred()),
      secrets_(host),
      early_(host) {}

container_attempt::~container_attempt() {
  let_go();
}

void container_attempt::let_go() {
  is_over_->stop();
  if (reading_) reading_->stop();
  early_.let_go();
}

void container_attempt::resume(const domain::attempt_state& open) {
  intent_ = open.intent;
  submitted_ = true;
  engine_ = host_.ports().engines.find(intent_.engine);
  execution_ = open.container_id.value_or("");
}

// Before the intent.

void container_attempt::allow() {
  using answer = std::shared_ptr<const domain::image_list_state>;
  host_.ports().images(host_.run().tenant, host_.then<answer>([this](outcome<answer> list) {
    if (list) return check_list(**list);
    host_.feed(attempts::failed{attempts::failure::busy});
  }));
}

/// The allowlist is asked again right before the start, and the intent is guarded by the version
/// that was read: revoked between queueing and start is refused.
void container_attempt::check_list(const domain::image_list_state& images) {
  auto reference = domain::parse_image_reference(*params().image);
  if (!reference) return host_.feed(attempts::refused{end_reason::engine_refused});
  auto allowed = domain::check_allowed(host_.task(), images, {}, "");
  if (!allowed || runs_as_server())
    return host_.feed(attempts::refused{end_reason::not_allowlisted});
  guard_ = {domain::stream_of<domain::image_list_state>(host_.run().tenant), images.stream_version};
  find_image(*domain::allowing_entry(images, *reference), to_string(*reference));
}

void container_attempt::find_image(const domain::image_allowed& entry,
                                   const std::string& reference) {
  using has = adapters::engine_capabilities;
  const auto asked = [this, listed = entry.digest, may_call = entry.llm.value_or(false),
                      reference](outcome<has> found) {
    if (!found) {
      const auto code = found.error().code;
      if (code == errc::not_found) return host_.feed(attempts::refused{end_reason::image_missing});
      if (code == errc::invalid) return host_.feed(attempts::refused{end_reason::engine_refused});
      return host_.feed(attempts::failed{adapters::failure_of(code)});
    }
    // What does not run for real has no image that could be another one.
    const bool is_pinned = listed && found->engine != "simulated";
    if (is_pinned && *listed != found->image->id) {
      return host_.feed(attempts::refused{end_reason::image_changed});
    }
    const bool has_command =
        params().command || !found->image->entrypoint.empty() || !found->image->command.empty();
    if (!has_command) return host_.feed(attempts::refused{end_reason::start_failed});
    if (found->image->volumes.size() > most_image_volumes) {
      return host_.feed(attempts::refused{end_reason::engine_refused});
    }
    image_ = *found->image;
    intent_.engine = found->engine;
    if (!found->engine_id.empty()) intent_.engine_id = found->engine_id;
    intent_.image = reference;
    intent_.image_id = image_.id;
    const bool has_models = may_call && !host_.ports().llm_folder.empty();
    intent_.llm = has_models ? std::optional(true) : std::nullopt;
    if (has_models) intent_.llm_key = host_.ports().llm_key;
    choose_secrets(found->outlives_us);
  };
  engine_->capabilities(reference, host_.then<has>(asked));
}

/// The intent says of which versions they are.
void container_attempt::choose_secrets(bool outlives_us) {
  secrets_.choose([this, outlives_us](const outcome<std::optional<end_reason>>& why) {
    if (!why) return host_.feed(attempts::failed{attempts::failure::busy});
    if (*why) return host_.feed(attempts::refused{**why});
    intent_.secrets = secrets_.uses();
    choose_volume(outlives_us);
  });
}

/// The volume is there before the intent that names it: who takes the attempt up and finds neither
/// it nor the volume knows that somebody cleaned up, and that it may have run.
void container_attempt::choose_volume(bool outlives_us) {
  intent_.attempt = static_cast<std::int64_t>(host_.job().attempts.size()) + 1;
  intent_.container_name =
      domain::container_name_of(host_.run().tenant, host_.job().id, intent_.attempt);
  // A spare one belongs to the usual user. It is not given back: an intent whose commit was in
  // doubt may stand in the log and name it, and no other attempt may ever get it.
  if (!intent_.volume && !params().user) {
    intent_.volume = host_.ports().take_spare();
    is_spare_ = intent_.volume.has_value();
  }
  if (intent_.volume || !outlives_us) return host_.feed(attempts::allowed{});
  host_.when_allowed([this](fencing_token by) {
    engine_->prepare(key(), by, host_.answered<done>([this](done) {
      intent_.volume = intent_.container_name;
      host_.feed(attempts::allowed{});
    }));
  });
}

intention container_attempt::intend() {
  is_just_intended_ = true;
  intent_.executor = "engine";
  intent_.spec_hash = adapters::hash_of(container());
  return {intent_, guard_};
}

// The engine.

/// The intent was guarded by the list. Whatever kept the attempt from its start since then may have
/// lasted: who is back asks the list again.
void container_attempt::submit() {
  if (engine_ == nullptr) return host_.feed(attempts::refused{end_reason::engine_refused});
  if (std::exchange(is_just_intended_, false)) return submit_allowed();
  using answer = std::shared_ptr<const domain::image_list_state>;
  host_.ports().images(host_.run().tenant, host_.then<answer>([this](outcome<answer> list) {
    if (!list) return host_.feed(attempts::failed{attempts::failure::busy});
    if (const auto why = still_refused(**list)) return host_.feed(attempts::refused{*why});
    submit_allowed();
  }));
}

std::optional<end_reason> container_attempt::still_refused(
    const domain::image_list_state& images) const {
  const auto reference = domain::parse_image_reference(*params().image);
  if (!reference || !domain::check_allowed(host_.task(), images, {}, "")) {
    return end_reason::not_allowlisted;
  }
  const auto* entry = domain::allowing_entry(images, *reference);
  const bool is_pinned = entry != nullptr && entry->digest && engine_->kind() != "simulated";
  const bool is_another = is_pinned && intent_.image_id && *entry->digest != *intent_.image_id;
  return is_another ? std::optional(end_reason::image_changed) : std::nullopt;
}

void container_attempt::submit_allowed() {
  secrets_.take_up(intent_, [this](const outcome<std::optional<end_reason>>& why) {
    if (!why) return host_.feed(attempts::failed{attempts::failure::busy});
    if (*why) return host_.feed(attempts::refused{**why});
    find_again([this] { submit_it(); });
  });
}

/// Taken up again: the command may be the image's own.
void container_attempt::find_again(std::function<void()> go) {
  if (!image_.id.empty()) return go();
  using has = adapters::engine_capabilities;
  const auto asked = [this, go = std::move(go)](outcome<has> found) {
    if (found) {
      image_ = *found->image;
      return go();
    }
    const auto code = found.error().code;
    if (code == errc::not_found) return host_.feed(attempts::refused{end_reason::image_missing});
    host_.feed(attempts::failed{adapters::failure_of(code)});
  };
  engine_->capabilities(*intent_.image_id, host_.then<has>(asked));
}

void container_attempt::submit_it() {
  // Another configuration, or another folder of data, since it was intended.
  const bool is_barred = intent_.llm && (host_.ports().llm_folder.empty() || !token());
  if (is_barred) {
    log_warn(
        "a job is not started: this server lacks the way to language models that it was to get",
        {{"job", to_string(host_.job().id)}});
    return host_.feed(attempts::refused{end_reason::internal_error});
  }
  auto what = spec();
  if (!what.archive) return host_.feed(attempts::refused{end_reason::engine_refused});
  host_.when_allowed([this, what = std::move(what)](fencing_token by) {
    using answer = adapters::submit_answer;
    engine_->submit(key(), what, by, host_.then<answer>([this](outcome<answer> said) {
      if (!said) {
        const auto why = adapters::failure_of(said.error().code);
        return host_.feed(attempts::failed{why, true});
      }
      std::visit([this](const auto& each) { host_.feed(each); }, *said);
    }));
  });
}

void container_attempt::withhold(end_reason why) {
  *withheld_ = why;
}

void container_attempt::reach() {
  if (engine_ == nullptr) return host_.feed(attempts::reached{});
  engine_->reach(host_.answered<done>([this](done) { host_.feed(attempts::reached{}); }));
}

void container_attempt::find() {
  if (engine_ == nullptr) {
    return host_.feed(attempts::found{attempts::found_where::other_engine, {}});
  }
  engine_->find(key(), host_.answered<attempts::found>([this](attempts::found found) {
    if (found.where == attempts::found_where::here) execution_ = found.what.id;
    host_.feed(std::move(found));
  }));
}

void container_attempt::started(const attempts::execution& what) {
  execution_ = what.id;
}

void container_attempt::watch(const std::string& execution) {
  using result = adapters::wait_result;
  test_point("before_wait");
  engine_->watch(execution, host_.answered<result>([this](result ended) {
    test_point("after_wait");
    host_.feed(attempts::watched{ended.exit_code});
  }));
  early_.watch(*engine_, execution);
}

void container_attempt::stop(const std::string& execution) {
  test_point("cancel");
  const int grace_s = static_cast<int>(host_.run().launch->directive.limits.stop_grace_s);
  host_.when_allowed([this, execution, grace_s](fencing_token by) {
    using result = adapters::stop_result;
    engine_->stop(execution, grace_s, by, host_.then<result>([this](outcome<result> answer) {
      if (answer) return host_.feed(attempts::stopped{answer->was_running});
      host_.feed(attempts::stop_failed{adapters::failure_of(answer.error().code)});
    }));
  });
}

void container_attempt::forget() {
  test_point("after_result");
  if (engine_ == nullptr) return host_.feed(attempts::forgotten{});
  host_.when_allowed([this](fencing_token by) {
    engine_->forget(key(), by, host_.then<done>([this](outcome<done> ok) {
      if (ok) host_.ports().refill_spares();
      host_.feed(attempts::forgotten{ok.ok()});
    }));
  });
}

const domain::container_params& container_attempt::params() const {
  return std::get<domain::container_params>(host_.task().params);
}

adapters::container_spec container_attempt::container() const {
  return container_spec_of(host_.ports().instance, host_.run(), host_.job(), intent_, image_,
                           host_.ports().llm_folder);
}

std::optional<std::string> container_attempt::token() const {
  if (!intent_.llm || !host_.ports().token_of) return std::nullopt;
  if (intent_.llm_key.value_or("") != host_.ports().llm_key) return std::nullopt;
  return host_.ports().token_of(
      {host_.run().tenant, host_.run().id, host_.job().id, intent_.attempt});
}

outcome<redactor> container_attempt::rules() const {
  auto hidden = secrets_.hidden_by(host_.ports().redact);
  if (!hidden || !intent_.llm) return hidden;
  const auto mine = token();
  if (!mine) return reject(errc::not_found, "the key of its token is not there");
  return hiding_token(*hidden, *mine);
}

work_source container_attempt::source() const {
  return {host_.run().tenant, host_.job().id};
}

adapters::work_key container_attempt::key() const {
  adapters::work_key key;
  key.labels = labels_of(host_.ports().instance, host_.run(), host_.job().id, intent_.attempt);
  key.name = intent_.container_name.value_or("");
  key.volume = intent_.volume.value_or(key.name);
  key.volume_came_first = intent_.volume.has_value();
  key.image_id = intent_.image_id.value_or("");
  key.engine_id = intent_.engine_id.value_or("");
  key.execution = execution_;
  return key;
}

adapters::work_spec container_attempt::spec() {
  adapters::work_spec spec;
  spec.container = container();
  give_secrets(spec.container, params(), secrets_.values());
  if (const auto mine = token()) give_token(spec.container, *mine);
  if (auto archive = archive_for(params())) spec.archive = std::move(*archive);
  // A spare volume is as it was made for the first submission; after that nobody knows.
  spec.prepared = is_spare_ && !std::exchange(submitted_, true);
  spec.hindrance = hindrance();
  return spec;
}

/// Who launched it may have been a server of another user.
bool container_attempt::runs_as_server() const {
  return domain::user_of(params().user).uid == host_.ports().own_uid;
}

/// What may be mounted is looked at again: a folder may have become a link since the launch.
std::function<std::optional<end_reason>()> container_attempt::hindrance() const {
  auto mounts = params().mounts.value_or(std::vector<domain::mount_spec>{});
  return [mounts = std::move(mounts), may = host_.ports().may_mount, tenant = host_.run().tenant,
          never = runs_as_server(), withheld = withheld_]() -> std::optional<end_reason> {
    if (never) return end_reason::not_allowlisted;
    if (const auto why = withheld->load(); why != not_withheld) return why;
    const bool all = std::all_of(mounts.begin(), mounts.end(),
                                 [&](const auto& m) { return may(tenant, m.source); });
    return all ? std::nullopt : std::optional(end_reason::not_allowlisted);
  };
}

}  // namespace reeve::tasks
