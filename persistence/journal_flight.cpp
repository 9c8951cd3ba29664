// While one statement commits, the next batch is planned: versions, stamps,
// rows and hashes are made as if the first were durable, and thrown away if it turns out not to be.
// It is sent right behind the first one's commit, by the thread that sent that.
// Nothing is told to anybody before its commit, and nothing is refused on the word of a statement
// that is still under way.

#include "persistence/journal_impl.hpp"

#include <algorithm>
#include <utility>

namespace reeve::persistence {

void journal::impl::advance(const batch_plan& plan) {
  for (const auto& move : plan.moves) versions.put(move.stream, {move.tenant, move.version});
  tail = plan.after();
}

void journal::impl::retreat(const batch_plan& plan) {
  for (const auto& move : plan.moves) versions.forget(move.stream);
  tail = plan.before;
}

/// Nothing: it cannot be told without the database, or without the end of what is under way.
std::optional<batch_plan> journal::impl::plan_ahead(const std::vector<std::size_t>& indices,
                                                    const projection_refs& without) {
  static const loaded_streams none;
  for (const auto i : indices) {
    const auto& request = batch->requests[i];
    for (const auto* list : {&request.expect, &request.guard}) {
      for (const auto& named : *list) {
        if (named.version == 0 && list == &request.expect) continue;
        if (!versions.find(named.stream)) return std::nullopt;
      }
    }
  }
  batch_planner planner(versions, none, tail, clock.now_us());
  for (const auto i : indices) {
    if (planner.follow(i, batch->requests[i])) continue;
    if (!planner.add(i, batch->requests[i], without)) return std::nullopt;
  }
  auto made = planner.finish();
  if (made.events.empty() || needs_partition(made)) return std::nullopt;
  return made;
}

void journal::impl::fly(batch_plan plan, std::vector<std::size_t> indices,
                        projection_refs without) {
  flying = std::make_unique<flight>();
  auto& f = *flying;
  f.batch = batch;
  f.indices = std::move(indices);
  f.plan = std::move(plan);
  f.without = std::move(without);
  f.statement = compose_batch(f.plan.content(), session->types());
  take_off(f);
}

void journal::impl::take_off(flight& f, bool behind_another) {
  advance(f.plan);
  sender.start([this, &f, behind_another] {
    // It was planned as if the one before it were durable.
    if (behind_another && !was_committed) return;
    f.asked_us = clock.mono_us();
    try {
      session->append(f.statement);
      f.committed = true;
    } catch (const std::exception&) {
      f.why = trouble_of_current(session->connection());
    }
    was_committed = f.committed;
    f.has_landed = true;
    if (on_landed) on_landed();
  });
}

/// Waits for what is under way; `next` is behind it. What was committed is given, and still to be
/// told. If it was not, `next` was not sent.
std::unique_ptr<flight> journal::impl::land(const std::unique_ptr<flight>& next) {
  if (!flying) return nullptr;
  sender.wait(next ? 1 : 0);
  auto landed = std::move(flying);
  if (landed->committed) {
    confirm(landed->asked_us);
    return landed;
  }
  if (next) {
    sender.wait();
    retreat(next->plan);
  }
  retreat(landed->plan);
  const auto mine = std::exchange(batch, landed->batch);
  conclude(judge(landed->why), std::move(landed->plan), std::move(landed->indices), landed->why,
           false, std::move(landed->without));
  batch = mine;
  return nullptr;
}

void journal::impl::tell(const std::unique_ptr<flight>& landed) {
  if (!landed) return;
  const auto mine = std::exchange(batch, landed->batch);
  publish(landed->plan);
  answer_plan(landed->plan);
  batch = mine;
}

/// On top of what is under way. Nothing: it has to wait for its end.
std::unique_ptr<flight> journal::impl::prepare_next(const std::vector<std::size_t>& indices) {
  auto without = left_out();
  auto plan = plan_ahead(indices, without);
  if (!plan) return nullptr;
  auto next = std::make_unique<flight>();
  next->batch = batch;
  next->indices = indices;
  next->plan = std::move(*plan);
  next->without = std::move(without);
  next->statement = compose_batch(next->plan.content(), session->types());
  return next;
}

void journal::impl::hasten(std::vector<std::size_t> indices) {
  if (flying) {
    auto next = prepare_next(indices);
    // The database goes from one to the other without waiting for us.
    if (next) take_off(*next, true);
    const auto landed = land(next);
    if (landed) flying = std::move(next);
    tell(landed);
    if (flying) return;
  }
  run(std::move(indices), false, left_out(), true);
}

void journal::impl::finish() {
  take_session();
  tell(land());
}

void journal::impl::begin(std::shared_ptr<journal_batch> given) {
  take_session();
  const auto& all = given->requests;
  if (std::any_of(all.begin(), all.end(), is_key_alone)) finish();
  open_batch(std::move(given));
  keep_keys();
  for (auto& slice : slices()) hasten(std::move(slice));
  batch = nullptr;
}

void journal::begin(std::shared_ptr<journal_batch> batch) {
  impl_->begin(std::move(batch));
}
bool journal::in_flight() const {
  return impl_->flying != nullptr;
}
bool journal::has_landed() const {
  return in_flight() && impl_->flying->has_landed;
}
void journal::finish() {
  impl_->finish();
}
void journal::on_landed(std::function<void()> told) {
  impl_->on_landed = std::move(told);
}

}  // namespace reeve::persistence
