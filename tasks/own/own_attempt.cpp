#include "tasks/own/own_attempt.hpp"

#include <set>
#include <utility>

namespace reeve::tasks {

using domain::end_reason;
namespace attempts = domain::attempts;

void own_attempt::read_list(std::function<void(const domain::container_list_state&)> go) {
  using answer = std::shared_ptr<const domain::container_list_state>;
  host_.ports().containers(host_.run().tenant,
                           host_.then<answer>([this, go = std::move(go)](outcome<answer> list) {
                             if (!list)
                               return host_.feed(attempts::failed{attempts::failure::busy});
                             if (choose_from(**list)) return go(**list);
                             host_.feed(attempts::refused{end_reason::not_allowlisted});
                           }));
}

bool own_attempt::choose_from(const domain::container_list_state& list) {
  if (!domain::check_allowed(host_.task(), {}, list, "")) return false;
  auto& chosen = allowed_.emplace();
  std::set<std::string> known;  // one may be named twice, by its name and by its id
  const auto add = [&](const std::string& name) {
    const auto* entry = domain::allowing_entry(list, name);
    if (entry == nullptr || !known.insert(entry->name).second) return;
    chosen.push_back({entry->name, entry->container_id});
  };
  if (const auto* named = names()) {
    for (const auto& name : *named) add(name);
  } else {
    for (const auto& [name, id] : list.active) add(name);
  }
  return true;
}

container_viewer own_attempt::viewer() const {
  const auto& tenant = host_.run().tenant;
  return {tenant, host_.ports().instance, host_.ports().is_first_tenant(tenant)};
}

void own_attempt::allow() {
  read_list([this](const domain::container_list_state& list) {
    guard_ = {domain::stream_of<domain::container_list_state>(host_.run().tenant),
              list.stream_version};
    host_.feed(attempts::allowed{});
  });
}

intention own_attempt::intend() {
  intention what;
  what.intent.executor = "reeve";
  what.intent.engine = std::string(host_.ports().engines.preferred().kind());
  what.guard = guard_;
  return what;
}

/// Taken up again, the list is asked again too.
void own_attempt::submit() {
  if (!allowed_) {
    return read_list([this](const auto&) { submit(); });
  }
  const auto round = ++round_;
  its_ = attempts::execution{"", attempts::execution_phase::running, host_.ports().clock.now_us()};
  ended_.reset();
  its_end_ = std::make_shared<work_stop>();
  host_.feed(attempts::submitted{*its_});
  if (round != round_) return;  // stopped in between
  work(*allowed_, its_end_, host_.then<artifacts>([this, round](outcome<artifacts> made) {
    if (round == round_) worked(std::move(made));
  }));
}

void own_attempt::reach() {
  if (!needs_engine()) return host_.feed(attempts::reached{});
  auto& engine = host_.ports().engines.preferred();
  engine.reach(host_.answered<done>([this](done) { host_.feed(attempts::reached{}); }));
}

void own_attempt::find() {
  if (!its_) return host_.feed(attempts::found{});
  host_.feed(attempts::found{attempts::found_where::here, *its_});
}

void own_attempt::watch(const std::string&) {
  watched_ = true;
  if (ended_) end(std::move(*ended_));
}

void own_attempt::end(input how) {
  ended_ = std::move(how);
  if (std::exchange(watched_, false)) host_.feed(*std::exchange(ended_, std::nullopt));
}

/// What waits leaves its queue, and what has been begun ends soon; nobody waits for it.
void own_attempt::let_go() {
  ++round_;
  if (its_end_) std::exchange(its_end_, nullptr)->stop();
}

void own_attempt::stop(const std::string&) {
  if (!its_ || its_->phase == attempts::execution_phase::ended) {
    return host_.feed(attempts::stopped{false});
  }
  let_go();
  its_->phase = attempts::execution_phase::ended;
  host_.feed(attempts::stopped{true});
  end(attempts::watched{});
}

void own_attempt::worked(outcome<artifacts> made) {
  if (made) {
    made_ = std::move(*made);
    stored_.clear();
    its_->phase = attempts::execution_phase::ended;
    its_->finished_at = host_.ports().clock.now_us();
    return end(attempts::watched{});
  }
  // Whatever came of it, it is not being done any more.
  its_.reset();
  switch (made.error().code) {
    case errc::engine_unavailable:
    case errc::timed_out:
      return end(attempts::failed{attempts::failure::away});
    case errc::overloaded:
      return end(attempts::failed{attempts::failure::busy});
    case errc::not_found:
      return end(attempts::refused{end_reason::input_missing});
    default:
      return end(attempts::refused{end_reason::internal_error});
  }
}

/// Bytes first, one artifact after the other, then the events that name them.
void own_attempt::collect(const std::string& execution) {
  if (stored_.size() == made_.size()) {
    return host_.feed(attempts::collected{.log = {}, .gone = false, .artifacts = stored_});
  }
  const auto& next = made_[stored_.size()];
  auto bytes = std::make_shared<const std::string>(next.bytes);
  domain::artifact_stored e;
  e.job = host_.job().id;
  e.name = next.name;
  e.media_type = next.media_type;
  e.content.bytes = static_cast<std::int64_t>(bytes->size());
  host_.ports().blobs.put(host_.run().tenant, bytes,
                          host_.then<digest>([this, execution, e](outcome<digest> stored) mutable {
                            if (!stored)
                              return host_.feed(attempts::failed{attempts::failure::busy});
                            e.content.sha256 = *stored;
                            stored_.push_back(std::move(e));
                            collect(execution);
                          }));
}

void own_attempt::forget() {
  host_.feed(attempts::forgotten{});
}

}  // namespace reeve::tasks
