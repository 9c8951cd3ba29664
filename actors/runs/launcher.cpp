#include "actors/runs/launcher.hpp"

#include "adapters/mount_source.hpp"

#include <algorithm>

namespace reeve::actors {
namespace {

using domain::directive_state;
using domain::run_state;

/// One launch under way. Lives as long as an answer is owed to it.
class launch_op : public std::enable_shared_from_this<launch_op> {
 public:
  launch_op(caf::actor self, std::shared_ptr<launcher_args> args, std::shared_ptr<launch_call> call)
      : self_(std::move(self)), args_(std::move(args)), call_(std::move(call)) {}

  void begin() {
    if (!call_->context.command) return find_directive();
    const auto& key = *call_->context.command;
    using known = std::optional<persistence::read_port::known_command>;
    args_->ports->reads.command(key.tenant, key.principal, key.route, key.key,
                                then<known>([this](outcome<known> found) {
                                  if (!found) return fail(found.error());
                                  if (!*found) return find_directive();
                                  answer_again(**found);
                                }));
  }

 private:
  template <class T, class F>
  reply_slot<T> then(F f) {
    return resume_with<T>(self_, [keep = shared_from_this(),
                                  f = std::move(f)](outcome<T> r) mutable { f(std::move(r)); });
  }

  void fail(rejection why) { call_->slot.answer(std::move(why)); }

  const launch_request& asked() const { return call_->request; }
  uuid tenant() const { return call_->context.tenant; }

  void find_directive() {
    guard_.clear();
    if (asked().snapshot) {
      // Whatever has become of the directive since: what ran then runs again.
      at_ = "/directive_snapshot/tasks";
      snapshot_ = *asked().snapshot;
      return find_lists();
    }
    if (asked().directive) {
      at_ = "/directive/tasks";
      take_spec(*asked().directive);
      return find_lists();
    }
    if (asked().directive_id) return fetch(*asked().directive_id);
    using answer = executed<domain::access_state>;
    args_->access(tenant(), then<answer>([this](outcome<answer> access) {
                    if (!access) return fail(access.error());
                    fetch(access->state->default_directive);
                  }));
  }

  void take_spec(const domain::directive_spec& spec) {
    snapshot_.name = spec.name;
    snapshot_.description = spec.description;
    snapshot_.tasks = spec.tasks;
    snapshot_.limits = spec.limits;
    snapshot_.labels = spec.labels;
  }

  void fetch(uuid id) {
    using answer = executed<directive_state>;
    args_->directives(tenant(), id, then<answer>([this, id](outcome<answer> found) {
                        if (!found) return fail(found.error());
                        take_directive(id, *found->state);
                      }));
  }

  void take_directive(uuid id, const directive_state& directive) {
    if (directive.stream_version == 0) {
      return fail(reject(errc::not_found, "there is no such directive", "/directive_id"));
    }
    if (directive.is_archived) {
      return fail(reject(errc::conflict, "the directive is archived", "/directive_id"));
    }
    take_spec(directive.spec);
    snapshot_.id = id;
    snapshot_.version = directive.version;
    if (!asked().tasks.empty()) snapshot_.tasks = asked().tasks;
    at_ = "/tasks";
    guard_.push_back({domain::stream_of<directive_state>(id), directive.stream_version});
    find_lists();
  }

  void find_lists() {
    using images = executed<domain::image_list_state>;
    args_->ports->image_allowlist(tenant(), then<images>([this](outcome<images> found) {
                                    if (!found) return fail(found.error());
                                    images_ = found->state;
                                    find_containers();
                                  }));
  }

  void find_containers() {
    using containers = executed<domain::container_list_state>;
    args_->ports->container_allowlist(tenant(), then<containers>([this](outcome<containers> found) {
                                        if (!found) return fail(found.error());
                                        containers_ = found->state;
                                        find_last_success();
                                      }));
  }

  /// Needed where the input is limited by it, and where a report compares itself with it.
  bool wants_last_success() const {
    if (!snapshot_.id) return false;
    if (asked().since == "last_success") return true;
    return std::any_of(snapshot_.tasks.begin(), snapshot_.tasks.end(), [](const auto& t) {
      return t.kind == domain::task_kind::log_triage || t.since == "last_success";
    });
  }

  void find_last_success() {
    if (!wants_last_success()) return decide();
    using answer = std::optional<persistence::read_port::last_success>;
    args_->ports->reads.last_successful_run(tenant(), *snapshot_.id,
                                            then<answer>([this](outcome<answer> found) {
                                              if (!found) return fail(found.error());
                                              last_ = *found;
                                              decide();
                                            }));
  }

  domain::launch_command command() {
    auto& ids = args_->ports->ids;
    domain::launch_command c;
    c.run = ids.next();
    for (std::size_t i = 0; i < snapshot_.tasks.size(); ++i) c.jobs.push_back(ids.next());
    c.directive = snapshot_;
    c.engine = std::string(args_->ports->engines.preferred().kind());
    c.since = asked().since;
    if (last_) {
      c.since_run = last_->run;
      c.since_at = last_->started_at_us;
    }
    c.labels = asked().labels;
    c.retry_of = asked().retry_of;
    return c;
  }

  void decide() {
    domain::name_tasks(snapshot_.tasks);
    const auto c = command();
    auto before = std::make_shared<const run_state>();
    auto mounts = check_mounts();
    if (!mounts) return fail(mounts.error());
    auto events = domain::decide_launch(*before, c, *images_, *containers_, at_);
    if (!events) return fail(events.error());
    auto meta = call_->context.meta;
    meta.correlation_id = c.run;
    auto request =
        append_of<run_state>(before, *events, tenant(), domain::stream_of<run_state>(c.run), meta);
    request.guard = guard_;
    request.guard.push_back(
        {domain::stream_of<domain::image_list_state>(tenant()), images_->stream_version});
    request.guard.push_back(
        {domain::stream_of<domain::container_list_state>(tenant()), containers_->stream_version});
    request.command = call_->context.command;
    using result = persistence::append_result;
    auto shared = std::make_shared<domain::run_events>(std::move(*events));
    args_->ports->journal.append(
        std::move(request), lane::external,
        then<result>([this, before, shared, meta, run = c.run](outcome<result> r) {
          appended(before, *shared, meta, run, std::move(r));
        }));
  }

  outcome<done> check_mounts() const {
    const auto& roots = args_->ports->settings.mount_roots;
    for (std::size_t t = 0; t < snapshot_.tasks.size(); ++t) {
      const auto& mounts = snapshot_.tasks[t].params.mounts;
      for (std::size_t m = 0; mounts && m < mounts->size(); ++m) {
        if (adapters::may_mount((*mounts)[m].source, roots)) continue;
        return reject(errc::not_allowlisted,
                      "the folder is not there, or not below a configured root, or behind a link",
                      at_ + "/" + std::to_string(t) + "/params/mounts/" + std::to_string(m));
      }
    }
    return done{};
  }

  void appended(const std::shared_ptr<const run_state>& before, const domain::run_events& events,
                const domain::event_meta& meta, uuid run,
                outcome<persistence::append_result> result) {
    if (!result) {
      const bool moved = result.error().code == errc::guard_conflict;
      if (moved && ++tries_ < 3) return find_directive();
      return fail(result.error());
    }
    if (result->replayed) return begin();
    auto state = after<run_state>(before, events, result->stamps, tenant(), meta.principal);
    args_->spawn({tenant(), run}, state);
    call_->slot.answer(executed<run_state>{state, result->last_position, false});
  }

  void answer_again(const persistence::read_port::known_command& known) {
    if (known.request_digest != call_->context.command->request_digest) {
      return fail(reject(errc::key_reused, "the idempotency key stands for another request"));
    }
    const auto last = known.first_position + known.count - 1;
    using answer = std::shared_ptr<const run_state>;
    rebuild<run_state>(args_->ports->reads, tenant(), known.stream, last,
                       then<answer>([this, last](outcome<answer> state) {
                         if (!state) return fail(state.error());
                         call_->slot.answer(executed<run_state>{*state, last, true});
                       }));
  }

  caf::actor self_;
  std::shared_ptr<launcher_args> args_;
  std::shared_ptr<launch_call> call_;
  std::string at_;
  domain::directive_snapshot snapshot_;
  std::vector<persistence::stream_version> guard_;
  std::shared_ptr<const domain::image_list_state> images_;
  std::shared_ptr<const domain::container_list_state> containers_;
  std::optional<persistence::read_port::last_success> last_;
  int tries_ = 0;
};

}  // namespace

caf::behavior launcher_actor(caf::event_based_actor* self, launcher_args given,
                             std::function<void()> ready) {
  auto args = std::make_shared<launcher_args>(std::move(given));
  ready();
  return {[](const continuation& c) { c.run(); },
          [args, self](const launch_message& m) {
            auto op = std::make_shared<launch_op>(caf::actor_cast<caf::actor>(self), args, m.call);
            op->begin();
          }};
}

}  // namespace reeve::actors
