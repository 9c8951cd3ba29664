#include "actors/runs/launcher.hpp"

#include "actors/command_keys.hpp"
#include "actors/tree_parts.hpp"
#include "domain/runs/launch.hpp"

#include <chrono>
#include <functional>

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
    std::visit(domain::overloaded{[&](const domain::of_default&) { find_default(); },
                                  [&](const domain::of_directive& of) { find_directive(of.id); },
                                  [&](const domain::of_spec&) { find_lists(); },
                                  [&](const domain::of_run& of) { find_run(of.id); }},
               call_->command.from);
  }

 private:
  template <class T, class F>
  reply_slot<T> then(F f) {
    return resume_with<T>(self_, [keep = shared_from_this(),
                                  f = std::move(f)](outcome<T> r) mutable { f(std::move(r)); });
  }

  void fail(rejection why) { call_->slot.answer(std::move(why)); }
  const uuid& tenant() const { return call_->context.tenant; }

  /// At hand or from the executor. What lies at hand may be changing: the append is guarded by the
  /// version that was read, and the second try asks the executor.
  template <class State>
  void read(const uuid& id, std::function<void(std::shared_ptr<const State>)> go) {
    auto& front = args_->fronts->of<State>();
    if (tries_ == 0) {
      if (auto state = front.peek(tenant(), id)) return go(std::move(state));
    }
    using answer = executed<State>;
    front.fetch(tenant(), id, then<answer>([this, go = std::move(go)](outcome<answer> found) {
                  if (!found) return fail(found.error());
                  go(found->state);
                }));
  }

  void find_default() {
    read<domain::access_state>(
        tenant(), [this](const auto& access) { find_directive(access->default_directive); });
  }

  void find_directive(const uuid& id) {
    read<directive_state>(id, [this](auto directive) {
      directive_ = std::move(directive);
      find_lists();
    });
  }

  void find_run(const uuid& id) {
    using answer = std::shared_ptr<const run_state>;
    rebuild<run_state>(args_->ports->reads, tenant(), domain::stream_of<run_state>(id), no_end,
                       then<answer>([this](outcome<answer> found) {
                         if (!found) return fail(found.error());
                         before_ = *found;
                         find_lists();
                       }));
  }

  void find_lists() {
    read<domain::image_list_state>(tenant(), [this](auto images) {
      images_ = std::move(images);
      read<domain::container_list_state>(tenant(), [this](auto containers) {
        containers_ = std::move(containers);
        shape();
      });
    });
  }

  void shape() {
    auto shaped = domain::shape_of(call_->command, {directive_.get(), before_.get()});
    if (!shaped) return fail(shaped.error());
    shape_ = std::move(*shaped);
    if (!domain::wants_secrets(shape_)) return find_last_success();
    read<domain::secret_list_state>(tenant(), [this](auto secrets) {
      secrets_ = std::move(secrets);
      find_last_success();
    });
  }

  void find_last_success() {
    if (!domain::wants_last_success(shape_)) return decide();
    using answer = std::optional<persistence::read_port::last_success>;
    args_->ports->reads.last_successful_run(
        tenant(), *shape_.directive.id, then<answer>([this](outcome<answer> found) {
          if (!found) return fail(found.error());
          if (*found) last_ = domain::former_run{(*found)->run, (*found)->started_at_us};
          decide();
        }));
  }

  /// Files are looked at here, and so is every fact that is not the domain's.
  outcome<done> check_host() const {
    const auto& tasks = shape_.directive.tasks;
    for (std::size_t t = 0; t < tasks.size(); ++t) {
      const auto demands = domain::demands_of(tasks[t].params);
      if (demands.user && demands.user->uid == args_->ports->attempts.own_uid) {
        return reject(errc::not_allowlisted, "no job runs as the server's own user",
                      shape_.at + "/" + std::to_string(t) + "/params/user");
      }
      const auto* mounts = demands.mounts;
      for (std::size_t m = 0; mounts != nullptr && m < mounts->size(); ++m) {
        if (args_->ports->attempts.may_mount(tenant(), (*mounts)[m].source)) continue;
        return reject(errc::not_allowlisted,
                      "the folder is not there, or not below a configured root, or behind a link, "
                      "or it holds what is Reeve's own, or others may write to a folder above it",
                      shape_.at + "/" + std::to_string(t) + "/params/mounts/" + std::to_string(m));
      }
    }
    return done{};
  }

  std::vector<persistence::stream_version> guard() const {
    std::vector<persistence::stream_version> all{
        {domain::stream_of<domain::image_list_state>(tenant()), images_->stream_version},
        {domain::stream_of<domain::container_list_state>(tenant()), containers_->stream_version}};
    if (secrets_) {
      all.push_back(
          {domain::stream_of<domain::secret_list_state>(tenant()), secrets_->stream_version});
    }
    if (directive_) {
      all.push_back(
          {domain::stream_of<directive_state>(directive_->id), directive_->stream_version});
    }
    return all;
  }

  void decide() {
    if (auto ok = check_host(); !ok) return fail(ok.error());
    domain::launch_surroundings around{*images_, *containers_, {},
                                       {},       last_,        args_->ports->clock.now_us()};
    for (std::size_t i = 0; i < shape_.directive.tasks.size(); ++i) {
      around.jobs.push_back(args_->ports->ids.next());
    }
    around.secrets = secrets_.get();
    around.engine = std::string(args_->ports->attempts.engines.preferred().kind());
    auto before = std::make_shared<const run_state>();
    auto events = domain::decide(*before, call_->command, shape_, around);
    if (!events) return fail(events.error());
    append(std::move(before), std::make_shared<domain::run_events>(std::move(*events)));
  }

  void append(std::shared_ptr<const run_state> before, std::shared_ptr<domain::run_events> events) {
    const auto run = call_->command.run;
    auto meta = call_->context.meta;
    meta.correlation_id = run;
    auto request =
        append_of<run_state>(before, *events, tenant(), domain::stream_of<run_state>(run), meta);
    request.guard = guard();
    request.command = call_->context.command;
    using result = persistence::append_result;
    args_->ports->journal.append(
        std::move(request), lane::external,
        then<result>([this, before, events, meta](outcome<result> r) {
          if (!r) return refused(r.error());
          const auto& key = call_->context.command;
          if (r->replayed)
            return answer_first_time<run_state>(args_->ports->reads, *key, call_->slot);
          const auto run = call_->command.run;
          auto state = after<run_state>(before, *events, r->stamps, tenant(), meta.principal);
          args_->spawn({tenant(), run}, state);
          call_->slot.answer(executed<run_state>{state, r->last_position, false});
        }));
  }

  /// What was read has moved: it is read again.
  void refused(const rejection& why) {
    if (why.code == errc::guard_conflict && ++tries_ < 3) return begin();
    fail(why);
  }

  caf::actor self_;
  std::shared_ptr<launcher_args> args_;
  std::shared_ptr<launch_call> call_;
  std::shared_ptr<const directive_state> directive_;
  std::shared_ptr<const run_state> before_;
  std::shared_ptr<const domain::image_list_state> images_;
  std::shared_ptr<const domain::container_list_state> containers_;
  std::shared_ptr<const domain::secret_list_state> secrets_;
  domain::launch_shape shape_;
  std::optional<domain::former_run> last_;
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

child_spec launcher_child(tree_parts& tree) {
  child_spec spec;
  spec.name = "launcher";
  spec.slot = tree.launcher;
  spec.start_timeout = std::chrono::seconds(30);
  spec.start = [&tree](caf::actor_system& sys, const child_context& context) {
    launcher_args args;
    args.ports = &tree.ports;
    args.fronts = &tree.fronts;
    args.spawn = [&tree](active_run run, std::shared_ptr<const domain::run_state> state) {
      spawn_run(tree, run, std::move(state));
    };
    return cc::spawn<caf::event_based_actor>(sys, [args, context](caf::event_based_actor* self) {
      return launcher_actor(self, args, [context] { context.ready(); });
    });
  };
  return spec;
}

}  // namespace reeve::actors
