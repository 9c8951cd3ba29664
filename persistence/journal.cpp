// The way of a batch: decide in memory, one statement, then versions, observers and answers.

#include "persistence/journal.hpp"

#include "persistence/journal_impl.hpp"

#include <algorithm>
#include <chrono>
#include <set>
#include <thread>
#include <utility>

namespace reeve::persistence {
namespace {

rejection fenced() {
  return reject(errc::fenced, "another server writes to this log");
}

rejection away() {
  return reject(errc::unavailable, "the event log is not available; nothing was appended");
}

outcome<append_result> replay_of(const command_key& key, const found_command& found) {
  if (key.request_digest != found.request_digest) {
    return reject(errc::key_reused, "the idempotency key stands for another request");
  }
  // None were written under it: it stands for the stream up to that position.
  const auto last = found.first_position + std::max<std::int64_t>(found.count, 1) - 1;
  return append_result{{}, found.first_position, last, true};
}

}  // namespace

journal::impl::impl(journal_config given)
    : config(std::move(given)),
      clock(config.clock != nullptr ? *config.clock : real_clock()),
      ids(config.ids != nullptr ? *config.ids : real_ids()),
      versions(config.remembered_streams) {}

void journal::impl::answer_all(const std::vector<std::size_t>& indices, const rejection& why) {
  for (const auto i : indices) {
    if (!batch->answers[i]) batch->answers[i].emplace(why);
  }
}

std::vector<std::vector<std::size_t>> journal::impl::slices() const {
  std::vector<std::vector<std::size_t>> out;
  const auto& requests = batch->requests;
  std::size_t events = 0, bytes = 0;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    if (batch->answers[i]) continue;
    const auto more_events = batch->requests[i].events.size();
    const auto more_bytes = bytes_of(batch->requests[i]);
    if (out.empty() || events + more_events > max_events_per_batch ||
        bytes + more_bytes > max_batch_bytes) {
      out.emplace_back();
      events = bytes = 0;
    }
    out.back().push_back(i);
    events += more_events;
    bytes += more_bytes;
  }
  return out;
}

loaded_streams journal::impl::load(const std::vector<std::size_t>& indices, bool careful) {
  std::set<std::string_view> wanted;
  for (const auto i : indices) {
    for (const auto* list : {&batch->requests[i].expect, &batch->requests[i].guard}) {
      for (const auto& named : *list) {
        if (careful) versions.forget(named.stream);
        // A stream that is to be new is believed to be: if it is not, the statement fails and
        // everything is looked up. That spares a round trip for every new entity.
        if (named.version == 0 && !careful && list == &batch->requests[i].expect) continue;
        if (!versions.find(named.stream)) wanted.insert(named.stream);
      }
    }
  }
  if (wanted.empty()) return {};
  const std::vector<std::string_view> names(wanted.begin(), wanted.end());
  auto loaded = session->versions(names);
  for (const auto& [stream, entry] : loaded) versions.put(stream, entry);
  return loaded;
}

std::vector<std::size_t> journal::impl::answer_known(const std::vector<std::size_t>& indices) {
  std::vector<const command_key*> keys;
  std::vector<std::size_t> owners, open;
  for (const auto i : indices) {
    if (!batch->requests[i].command) {
      open.push_back(i);
      continue;
    }
    keys.push_back(&*batch->requests[i].command);
    owners.push_back(i);
  }
  if (keys.empty()) return open;
  const auto found = session->commands(keys);
  for (std::size_t k = 0; k < keys.size(); ++k) {
    if (found[k]) {
      batch->answers[owners[k]].emplace(replay_of(*keys[k], *found[k]));
    } else {
      open.push_back(owners[k]);
    }
  }
  std::sort(open.begin(), open.end());
  return open;
}

batch_plan journal::impl::plan(const std::vector<std::size_t>& indices, bool careful,
                               const projection_refs& without) {
  const auto open = careful ? answer_known(indices) : indices;
  const auto loaded = load(open, careful);
  batch_planner planner(versions, loaded, tail, clock.now_us());
  std::vector<std::pair<std::size_t, rejection>> refused;
  for (const auto i : open) {
    if (planner.follow(i, batch->requests[i])) continue;
    if (auto added = planner.add(i, batch->requests[i], without); !added) {
      refused.emplace_back(i, added.error());
    }
  }
  // A repeated command finds its stream moved, by itself: the key speaks first.
  std::vector<std::size_t> keyed;
  for (const auto& [i, why] : refused) {
    if (batch->requests[i].command && !careful) keyed.push_back(i);
  }
  answer_known(keyed);
  for (const auto& [i, why] : refused) answer_all({i}, why);
  return planner.finish();
}

bool journal::impl::needs_partition(const batch_plan& plan) const {
  return plan.events.back().position >= partitions_to - partition_size;
}

journal::impl::verdict journal::impl::execute(const batch_plan& plan, sql_trouble& why) {
  try {
    if (needs_partition(plan)) {
      session->make_partitions(plan.events.back().position);
      partitions_to = partitions_made_for(plan.events.back().position);
    }
    const auto statement = compose_batch(plan.content(), session->types());
    const auto asked_us = clock.mono_us();
    session->append(statement);
    confirm(asked_us);
    return verdict::committed;
  } catch (const std::exception&) {
    why = trouble_of_current(session->connection());
  }
  return judge(why);
}

journal::impl::verdict journal::impl::judge(const sql_trouble& why) {
  if (why.lost) return verdict::lost;
  if (why.sqlstate == "RV001") return verdict::fenced;
  if (why.is_passing()) {
    return why.standstill().empty() ? verdict::passing : verdict::barred;
  }
  try {
    // A right on a read model is that one's trouble.
    if (why.is_forbidden() && !session->may_append()) return verdict::barred;
    // Whatever the text of the error: if the log goes on behind our tail, we are not its writer.
    if (session->continues_behind(tail.position)) return verdict::fenced;
  } catch (const std::exception&) {
    // The statement itself was refused for certain; only this look at the log got no answer.
    lose();
    return verdict::passing;
  }
  return verdict::refused;
}

void journal::impl::conclude(verdict ended, batch_plan plan, std::vector<std::size_t> indices,
                             const sql_trouble& why, bool careful, projection_refs without) {
  switch (ended) {
    case verdict::committed:
      apply(plan);
      return answer_plan(plan);
    case verdict::lost:
      lose();
      doubt =
          doubtful{batch, std::move(indices), std::move(plan), careful, std::move(without), false};
      return;
    case verdict::fenced:
      become_fenced();
      return answer_all(indices, fenced());
    case verdict::barred:
      bar(why);
      return answer_all(indices, away());
    case verdict::passing:
      return answer_all(indices, answer_of(why));
    case verdict::refused:
      // First with everything looked up (a key or a stream was there already), then without the
      // projections that cannot be written, then in halves.
      return careful ? divide(plan, indices, why, std::move(without))
                     : run(std::move(indices), true, without);
  }
}

void journal::impl::apply(const batch_plan& plan) {
  advance(plan);
  publish(plan);
}

void journal::impl::publish(const batch_plan& plan) {
  stale += plan.stale_appends;
  if (config.on_commit) config.on_commit({plan.events, plan.rows, plan.stale});
}

void journal::impl::answer_plan(const batch_plan& plan) {
  for (const auto& append : plan.appends) {
    append_result result;
    for (std::size_t e = append.first_event; e < append.first_event + append.events; ++e) {
      const auto& event = plan.events[e];
      result.stamps.push_back({event.position, event.version, event.recorded_at_us});
    }
    result.first_position = result.stamps.front().at;
    result.last_position = result.stamps.back().at;
    batch->answers[append.request].emplace(std::move(result));
  }
  for (const auto& follower : plan.followers) {
    const auto& leader = plan.appends[follower.leader];
    const auto& first = plan.events[leader.first_event];
    const found_command found{batch->requests[leader.request].command->request_digest,
                              first.position, static_cast<std::int64_t>(leader.events)};
    batch->answers[follower.request].emplace(
        replay_of(*batch->requests[follower.request].command, found));
  }
}

/// Certainly not there, and it cannot come any more: then it is decided again, once.
void journal::impl::resolve() {
  if (!doubt || state == journal_state::away) return;
  auto was = *std::exchange(doubt, std::nullopt);
  batch = std::move(was.batch);
  if (was.was_committed) {
    answer_plan(was.plan);
  } else if (state == journal_state::fenced) {
    answer_all(was.indices, fenced());
  } else if (was.careful) {
    answer_all(was.indices, away());
  } else {
    run(std::move(was.indices), true, was.without);
  }
  batch = nullptr;
}

void journal::impl::divide(const batch_plan& plan, const std::vector<std::size_t>& indices,
                           const sql_trouble& why, projection_refs without) {
  // A projection that cannot be written costs no append, and no other projection its rows.
  const auto found = find_guilty(plan);
  if (!found) return answer_all(indices, away());
  if (!found->empty()) {
    without.insert(without.end(), found->begin(), found->end());
    if (config.is_live) guilty.insert(guilty.end(), found->begin(), found->end());
    return run(indices, true, without);
  }
  if (indices.size() > 1) {
    const auto middle = indices.begin() + static_cast<std::ptrdiff_t>(indices.size() / 2);
    run({indices.begin(), middle}, true, without);
    return run({middle, indices.end()}, true, without);
  }
  // Each may be written by itself: then all of them are left out.
  if (!plan.rows.empty()) return run(indices, true, {projections().begin(), projections().end()});
  if (why.is_forbidden()) bar(why);  // a policy on the log's own tables
  answer_all(indices, answer_of(why));
}

std::optional<projection_refs> journal::impl::find_guilty(const batch_plan& plan) {
  projection_refs found;
  for (const auto* of : projections()) {
    try {
      session->try_rows(*of, plan.rows);
    } catch (const std::exception&) {
      const auto trouble = trouble_of_current(session->connection());
      if (trouble.lost) lose();
      if (trouble.lost || trouble.is_passing()) return std::nullopt;
      found.push_back(of);
    }
  }
  return found;
}

projection_refs journal::impl::left_out() {
  std::erase_if(guilty, [this](const projection* of) { return config.is_live(*of); });
  return guilty;
}

void journal::impl::run(std::vector<std::size_t> indices, bool careful,
                        const projection_refs& without, bool in_background) {
  std::erase_if(indices, [this](std::size_t i) { return batch->answers[i].has_value(); });
  if (indices.empty()) return;
  if (state == journal_state::fenced) return answer_all(indices, fenced());
  if (state != journal_state::leading) return answer_all(indices, away());
  batch_plan next;
  try {
    next = plan(indices, careful, without);
  } catch (const std::exception&) {
    // Only reads were sent, so nothing is in doubt.
    const auto trouble = trouble_of_current(session->connection());
    note(trouble);
    return answer_all(indices, answer_of(trouble));
  }
  if (next.events.empty()) return;
  if (in_background && !needs_partition(next))
    return fly(std::move(next), std::move(indices), without);
  sql_trouble why;
  const auto ended = execute(next, why);
  conclude(ended, std::move(next), std::move(indices), why, careful, without);
}

journal::journal(journal_config config) : impl_(std::make_unique<impl>(std::move(config))) {}
journal::~journal() {
  if (impl_) impl_->sender.wait();
  // Whoever opens the next one takes the lead again, under a new epoch.
  if (impl_ && impl_->state == journal_state::leading) impl_->revoke();
}
journal::journal(journal&&) noexcept = default;
journal& journal::operator=(journal&&) noexcept = default;

outcome<journal_head> journal::open() {
  return impl_->open();
}
outcome<done> journal::renew() {
  return impl_->renew();
}
journal_state journal::state() const {
  return impl_->state;
}
std::int64_t journal::stale_projections() const {
  return impl_->stale;
}

journal_head journal::head() const {
  const auto& tail = impl_->tail;
  return {impl_->origin, tail.position, tail.epoch, tail.hash, tail.recorded_at_us};
}

void journal::append(std::shared_ptr<journal_batch> batch) {
  impl_->append(std::move(batch));
}

outcome<done> journal::resign() {
  return impl_->resign();
}

bool journal_batch::is_answered() const {
  return answers.size() == requests.size() &&
         std::all_of(answers.begin(), answers.end(), [](const auto& a) { return a.has_value(); });
}

void journal::impl::open_batch(std::shared_ptr<journal_batch> given) {
  batch = std::move(given);
  const auto& requests = batch->requests;
  batch->answers.assign(requests.size(), std::nullopt);
  for (std::size_t i = 0; i < requests.size(); ++i) {
    if (auto checked = check_request(requests[i]); !checked) {
      batch->answers[i].emplace(checked.error());
    }
  }
}

void journal::impl::append(std::shared_ptr<journal_batch> given) {
  finish();
  open_batch(std::move(given));
  keep_keys();
  for (auto& slice : slices()) run(std::move(slice), false, left_out());
  batch = nullptr;
}

std::vector<outcome<append_result>> journal::append_batch(std::span<const append_request> requests,
                                                          std::int64_t patience_ms) {
  constexpr auto pause = std::chrono::milliseconds(20);
  auto batch = std::make_shared<journal_batch>();
  batch->requests.assign(requests.begin(), requests.end());
  finish();
  if (state() == journal_state::away) (void)renew();
  append(batch);
  const auto until = impl_->clock.mono_us() + patience_ms * 1000;
  while (!batch->is_answered() && impl_->clock.mono_us() < until) {
    if (!renew()) std::this_thread::sleep_for(pause);
  }
  std::vector<outcome<append_result>> out;
  for (auto& answer : batch->answers) {
    out.push_back(answer ? std::move(*answer)
                         : reject(errc::unavailable,
                                  "the connection was lost during the commit and the outcome is "
                                  "not known yet"));
  }
  return out;
}

}  // namespace reeve::persistence
