// How the lead is taken, lost and taken again (DESIGN, The journal 2 and 3).

#include "persistence/journal_impl.hpp"
#include "persistence/leaf.hpp"

#include <chrono>
#include <thread>

namespace reeve::persistence {
namespace {

constexpr int max_elections = 10;
constexpr domain::position partition_size = 10'000'000;

}  // namespace

outcome<done> journal::impl::connect() {
  try {
    session = std::make_unique<journal_session>(config.url);
    auto checked = check_settings(read_settings(session->connection()));
    if (!checked) session.reset();
    return checked;
  } catch (const std::exception&) {
    const bool connected = session != nullptr;
    const auto why = connected ? rejection_of(trouble_of_current(session->connection()))
                               : reject(errc::unavailable, "the database cannot be reached");
    session.reset();
    return why;
  }
}

bool journal::impl::take_lock() {
  if (session->lock_now()) return true;
  const auto silent_ms = config.take_over ? 0 : config.silent_leader_ms;
  const auto holders = session->lock_holders(silent_ms);
  if (holders.empty() && !config.take_over) return false;
  for (const auto& holder : holders) session->terminate(holder);
  return session->lock_within(config.old_session_ms);
}

bool journal::impl::take_lock_back() {
  if (session->lock_now()) return true;
  if (session->lock_within(config.old_session_ms)) return true;
  session->terminate(old_backend);
  return session->lock_within(config.old_session_ms);
}

outcome<journal_head> journal::impl::open() {
  if (auto connected = connect(); !connected) return connected.error();
  try {
    if (!take_lock()) {
      session.reset();
      return reject(errc::conflict, "another server writes to this log");
    }
    origin = session->origin(ids.next(), clock.now_us());
    for (int i = 0; i < max_elections; ++i) {
      if (lead(session->tail(origin)))
        return journal_head{origin, tail.position, tail.epoch, tail.hash, tail.recorded_at_us};
    }
    session.reset();
    return reject(errc::conflict, "another server writes to this log");
  } catch (const std::exception&) {
    const auto trouble = trouble_of_current(session->connection());
    session.reset();
    return rejection_of(trouble);
  }
}

domain::event_record journal::impl::election(const log_tail& from, domain::version base) {
  domain::event_record e;
  e.position = from.position + 1;
  e.epoch = from.epoch + 1;
  e.stream = "log-" + to_string(origin);
  e.version = base + 1;
  e.type = "leader_elected";
  e.tenant = system_tenant;
  e.payload =
      "{\"epoch\":" + std::to_string(e.epoch) + ",\"server\":\"" + to_string(config.server) + "\"}";
  e.meta.principal = "system:journal";
  e.meta.command_id = ids.next();
  e.meta.correlation_id = e.meta.command_id;
  e.recorded_at_us = std::max(clock.now_us(), from.recorded_at_us + 1);
  e.leaf = leaf_of(e);
  e.hash = chain_hash(from.hash, e.leaf);
  return e;
}

bool journal::impl::lead(const log_tail& from) {
  // One partition is always there ahead of the one that is written.
  session->make_partitions(from.position + 1);
  partitions_to = ((from.position + 1) / partition_size + 2) * partition_size;
  const std::string stream = "log-" + to_string(origin);
  const std::string_view names[] = {stream};
  const auto known = session->versions(names);
  const auto event = election(from, known.empty() ? 0 : known.begin()->second.version);
  asked = event;
  const auto asked_us = clock.mono_us();
  if (!session->elect(from, event)) return false;
  elected(event);
  state = journal_state::leading;
  confirm(asked_us);
  return true;
}

void journal::impl::elected(const domain::event_record& event) {
  tail = {event.position, event.epoch, event.hash, event.recorded_at_us};
  versions.put(event.stream, {system_tenant, event.version});
  const domain::event_record events[] = {event};
  asked.reset();
  if (config.on_commit) config.on_commit({events, {}});
}

void journal::impl::confirm(std::int64_t asked_us) {
  if (config.lead != nullptr) config.lead->confirm(tail.epoch, asked_us);
}

void journal::impl::revoke() {
  if (config.lead != nullptr) config.lead->revoke(tail.epoch);
}

void journal::impl::lose() {
  revoke();
  // Never used again: libpqxx would reconnect by itself, without lock and settings.
  if (session) old_backend = session->backend();
  session.reset();
  if (state == journal_state::leading) state = journal_state::away;
}

void journal::impl::become_fenced() {
  revoke();
  state = journal_state::fenced;
  session.reset();
}

bool journal::impl::recognise(const log_tail& now) {
  const auto is = [&now](const log_tail& ours) {
    return now.position == ours.position && now.hash == ours.hash;
  };
  if (is(tail)) return true;
  if (doubt && is(doubt->after())) {
    apply(*doubt);
    doubt_was_committed = true;
    return true;
  }
  if (asked && now.position == asked->position && now.hash == asked->hash) {
    // The connection went while we took the lead again; what was in doubt was decided before.
    elected(*asked);
    return true;
  }
  if (doubt && !doubt_was_committed) {
    doubt_was_committed = session->holds(doubt->after().position, doubt->after().hash);
  }
  return false;
}

/// Whoever was elected behind us has fenced us for good: no wait for the lock changes that.
bool journal::impl::is_succeeded() {
  const auto now = session->tail(origin);
  const bool by_us = asked && session->holds(asked->position, asked->hash);
  if (now.epoch == tail.epoch || by_us) return false;
  recognise(now);
  become_fenced();
  return true;
}

bool journal::impl::come_back() {
  if (state != journal_state::away || !connect()) return false;
  try {
    if (is_succeeded()) return false;
    if (!take_lock_back()) {
      // Somebody else has it. If the log went on without us we are out; else they may give up.
      const auto now = session->tail(origin);
      const bool ours = now.epoch == tail.epoch;
      if (!ours) {
        recognise(now);
        become_fenced();
      }
      session.reset();
      return false;
    }
    // The old session is gone, so nothing of it can come later: the log is what it is now.
    const auto now = session->tail(origin);
    if (!recognise(now) || !lead(now)) {
      become_fenced();
      return false;
    }
    return true;
  } catch (const std::exception&) {
    lose();
    return false;
  }
}

bool journal::impl::come_back_within(std::int64_t wait_ms) {
  const auto until = clock.mono_us() + wait_ms * 1000;
  while (state == journal_state::away) {
    if (come_back()) return true;
    if (state == journal_state::fenced || clock.mono_us() >= until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(config.reconnect_ms));
  }
  return state == journal_state::leading;
}

outcome<done> journal::impl::renew() {
  if (state == journal_state::fenced) return reject(errc::fenced, "another server writes");
  if (state == journal_state::away) {
    if (come_back()) {
      doubt.reset();
      return done{};
    }
    if (state == journal_state::fenced) return reject(errc::fenced, "another server writes");
    return reject(errc::unavailable, "the database cannot be reached");
  }
  if (state == journal_state::closed) return reject(errc::unavailable, "the journal is closed");
  const auto asked_us = clock.mono_us();
  try {
    if (!session->continues_behind(tail.position)) {
      confirm(asked_us);
      return done{};
    }
    become_fenced();
    return reject(errc::fenced, "another server writes");
  } catch (const std::exception&) {
    const auto trouble = trouble_of_current(session->connection());
    if (trouble.lost) lose();
    return rejection_of(trouble);
  }
}

}  // namespace reeve::persistence
