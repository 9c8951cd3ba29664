// How the lead is taken, lost and taken again (docs/decisions/0010 and 0011).

#include "base/files.hpp"
#include "base/log.hpp"
#include "persistence/applied_migrations.hpp"
#include "persistence/event_codec_port.hpp"
#include "persistence/journal_impl.hpp"
#include "persistence/leaf.hpp"
#include "persistence/login_refusal.hpp"

#include <algorithm>
#include <unistd.h>
#include <utility>

namespace reeve::persistence {
namespace {

constexpr int max_elections = 10;

}  // namespace

outcome<done> journal::impl::connect() {
  try {
    session = std::make_unique<journal_session>(config.url);
    auto checked = check_settings(read_settings(session->connection()));
    if (!checked) {
      session.reset();
    } else if (config.idle_end_ms > 0) {
      session->end_when_idle_for(config.idle_end_ms);  // before it can have the lock
    }
    return checked;
  } catch (const std::exception&) {
    const bool connected = session != nullptr;
    const auto why = connected ? rejection_of(trouble_of_current(session->connection()))
                               : reject(errc::unavailable, "the database cannot be reached");
    session.reset();
    return why;
  }
}

/// Whether another server led since this process did, with the lock or without.
bool journal::impl::is_overtaken() {
  if (!config.led_before) return false;
  origin = session->origin(ids.next(), clock.now_us());
  const auto last = session->last_leader(own_stream());
  return last && last->server != to_string(config.server);
}

/// The lease of another leader may run. The file comes before the election that a restart finds.
outcome<done> journal::impl::hold(std::int64_t locked_us) {
  if (config.lead == nullptr) return done{};
  held_until_us = locked_us + leadership::lease_us + leadership::margin_us;
  config.lead->hold_until(held_until_us);
  if (config.hold_file.empty()) return done{};
  return write_small_file(config.hold_file, to_string(config.server) + "\n");
}

/// If the file stays by a failure, the next start waits once more.
void journal::impl::end_hold() {
  if (held_until_us == 0 || clock.mono_us() < held_until_us) return;
  held_until_us = 0;
  if (!config.hold_file.empty()) ::unlink(config.hold_file.c_str());
}

outcome<admission> journal::impl::enter(std::int64_t locked_us) {
  const auto prepare = [this] { return config.prepare(session->backend().pid); };
  if (auto ready = config.prepare ? meanwhile(prepare) : done{}; !ready) return ready.error();
  origin = session->origin(ids.next(), clock.now_us());
  const auto last = session->last_leader(own_stream());
  after_a_death = last && !last->resigned;
  const bool is_anothers = after_a_death && last->server != to_string(config.server);
  if (is_anothers || (!config.hold_file.empty() && !is_missing(config.hold_file))) {
    if (auto ok = meanwhile([&] { return hold(locked_us); }); !ok) return ok.error();
  }
  if (!config.admit) return admission{};
  const auto now = session->tail(origin);
  const auto holds = [this](domain::position at, const digest& hash) {
    return session->holds(at, hash);
  };
  const auto was_accepted = [this](domain::position at) { return session->was_accepted(at); };
  return config.admit({origin, now.position, now.hash, session->database(), holds, was_accepted});
}

outcome<journal_head> journal::impl::open() {
  if (auto connected = connect(); !connected) return connected.error();
  try {
    const bool locked = take_lock();
    const auto locked_us = clock.mono_us();
    if (is_overtaken()) {
      become_fenced();
      return reject(errc::fenced, "another server has written to this log since");
    }
    if (!locked) {
      session.reset();
      return reject(errc::conflict, "another server writes to this log");
    }
    if (auto fits = config.led_before ? look_at_schema() : done{}; !fits) {
      session.reset();
      return fits.error();
    }
    auto entered = enter(locked_us);
    if (!entered) {
      session.reset();
      return entered.error();
    }
    admitted = std::move(*entered);
    for (int i = 0; i < max_elections; ++i) {
      if (!lead(session->tail(origin))) continue;
      keeper = keep_session();
      return journal_head{origin,    tail.position,       tail.epoch,
                          tail.hash, tail.recorded_at_us, after_a_death};
    }
    session.reset();
    return reject(errc::conflict, "another server writes to this log");
  } catch (const std::exception&) {
    const auto trouble = trouble_of_current(session->connection());
    if (state == journal_state::leading) {  // for what came behind the election
      revoke();
      state = journal_state::closed;
    }
    session.reset();
    return rejection_of(trouble);
  }
}

domain::event_record journal::impl::election(const log_tail& from, domain::version base) {
  domain::event_record e;
  e.position = from.position + 1;
  e.epoch = from.epoch + 1;
  e.stream = own_stream();
  e.version = base + 1;
  e.tenant = system_tenant;
  domain::leader_elected what{e.epoch,
                              to_string(config.server),
                              config.key,
                              session->database().system_identifier,
                              session->database().timeline,
                              admitted.accepted,
                              admitted.signed_position};
  auto event = to_new_event<domain::log_state>(std::move(what));
  e.type = std::move(event.type);
  e.payload = std::move(event.payload);
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
  partitions_to = partitions_made_for(from.position + 1);
  const auto stream = own_stream();
  const std::string_view names[] = {stream};
  const auto known = session->versions(names);
  const auto event = election(from, known.empty() ? 0 : known.begin()->second.version);
  asked = event;
  // Made here, where a connection that is lost is only a try that failed.
  (void)session->types();
  const auto asked_us = clock.mono_us();
  if (!session->elect(from, event)) return false;
  elected(event);
  admitted = {};
  old_sessions.clear();
  state = journal_state::leading;
  if (config.holder != nullptr) *config.holder = session->backend().pid;
  if (std::exchange(is_barred, false) && config.on_barred) config.on_barred("", "");
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
  end_hold();
  if (config.lead != nullptr) config.lead->confirm(tail.epoch, asked_us);
}

void journal::impl::revoke() {
  if (config.holder != nullptr) *config.holder = 0;
  if (config.lead != nullptr) config.lead->revoke(tail.epoch);
}

void journal::impl::lose() {
  revoke();
  // Never used again: libpqxx would reconnect by itself, without lock and settings.
  if (session) old_sessions.push_back({session->backend(), clock.mono_us()});
  session.reset();
  if (state == journal_state::leading) state = journal_state::away;
}

void journal::impl::tell_barred(const std::string& why, const std::string& sqlstate) {
  if (!std::exchange(is_barred, true) && config.on_barred) config.on_barred(why, sqlstate);
}

void journal::impl::bar(const sql_trouble& why) {
  // The reason first: readiness tells at once that the lease is gone.
  tell_barred(std::string(why.standstill()), why.sqlstate);
  lose();
}

void journal::impl::note(const sql_trouble& why) {
  if (!why.standstill().empty()) {
    bar(why);
  } else if (why.lost) {
    lose();
  }
}

void journal::impl::become_fenced() {
  revoke();
  if (config.holder != nullptr) *config.holder = -1;
  state = journal_state::fenced;
  session.reset();
}

bool journal::impl::recognise(const log_tail& now) {
  const auto is = [&now](const log_tail& ours) {
    return now.position == ours.position && now.hash == ours.hash;
  };
  if (is(tail)) return true;
  if (doubt && is(doubt->plan.after())) {
    apply(doubt->plan);
    doubt->was_committed = true;
    return true;
  }
  if (asked && now.position == asked->position && now.hash == asked->hash) {
    // The connection went while we took the lead again; what was in doubt was decided before.
    elected(*asked);
    return true;
  }
  if (doubt && !doubt->was_committed) {
    const auto after = doubt->plan.after();
    doubt->was_committed = session->holds(after.position, after.hash);
  }
  return false;
}

/// Nobody kept it as it was while this server did not lead. A newer one is not for this program,
/// and a start refuses it with words.
outcome<done> journal::impl::look_at_schema() {
  auto fits = check_schema_again(session->connection());
  if (fits || fits.error().code == errc::unavailable) return fits;
  is_barred = false;                                               // whatever was told before
  tell_barred("the database's schema is not this program's", {});  // anybody may read that
  log_error("this server does not lead again", {{"why", fits.error().detail}});
  become_fenced();
  return reject(errc::fenced, fits.error().detail);
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

void journal::impl::ask_for_refusal() {
  constexpr std::int64_t every_us = 2'000'000;
  const auto now = clock.mono_us();
  if (is_barred || now < next_refusal_us) return;
  next_refusal_us = now + every_us;
  const auto code = login_refusal(config.url);
  if (!is_lasting_refusal(code)) return;
  tell_barred("the database refuses the server's login; see reeve doctor", code);
}

/// One step: a connection, or the lock, or the lead. What cannot be had now is tried again at the
/// next call, so that whoever calls can stop in between.
bool journal::impl::come_back() {
  if (!session && !connect()) {
    ask_for_refusal();
    return false;
  }
  try {
    if (is_succeeded()) return false;
    if (!session->lock_now()) {
      // An old session of ours ends by itself in most cases, and takes what was sent with it.
      end_old_sessions();
      return false;
    }
    // The old sessions are gone, so nothing of them can come later: the log is what it is now.
    const auto now = session->tail(origin);
    const bool is_ours = recognise(now);
    if (is_ours && !look_at_schema()) return false;
    if (!is_ours || !lead(now)) {
      become_fenced();
      return false;
    }
    return true;
  } catch (const std::exception&) {
    const auto why = session ? trouble_of_current(session->connection()) : sql_trouble{true, {}};
    // What is only forbidden, or cannot be done now, is asked again on the session that there is;
    // somebody has to hear what keeps this server away.
    if (why.lost) {
      lose();
    } else if (const auto still = why.standstill(); !still.empty()) {
      tell_barred(std::string(still), why.sqlstate);
    } else if (!why.is_passing()) {
      const auto found = rejection_of(why);
      const bool has_code = found.code == errc::internal;
      tell_barred(has_code ? "the database refuses a statement" : found.detail, why.sqlstate);
    }
    return false;
  }
}

outcome<done> journal::impl::renew() {
  finish();
  if (state == journal_state::closed) return reject(errc::unavailable, "the journal is closed");
  if (state == journal_state::away) {
    const bool leads = come_back();
    resolve();
    if (leads && state == journal_state::leading) return done{};
  }
  if (state == journal_state::fenced) return reject(errc::fenced, "another server writes");
  if (state == journal_state::away) {
    return reject(errc::unavailable, "the database cannot be reached");
  }
  const auto asked_us = clock.mono_us();
  try {
    if (session->continues_behind(tail.position)) {
      become_fenced();
      return reject(errc::fenced, "another server writes");
    }
    if (session->may_append()) {
      confirm(asked_us);
      return done{};
    }
    note({false, "42501"});
    return reject(errc::unavailable, "the log may not be written");
  } catch (const std::exception&) {
    const auto trouble = trouble_of_current(session->connection());
    note(trouble);
    return rejection_of(trouble);
  }
}

outcome<done> journal::impl::resign() {
  finish();
  if (state != journal_state::leading)
    return reject(errc::unavailable, "this server does not lead");
  revoke();
  end_hold();
  // Whoever comes next must not take this end for that of the lease before it.
  if (held_until_us != 0) {
    session.reset();
    state = journal_state::closed;
    return reject(errc::unavailable, "the lease of the leader before this one may still run");
  }
  const auto known = versions.find(own_stream());
  auto event = to_new_event<domain::log_state>(
      domain::leader_resigned{tail.epoch, to_string(config.server)});
  event.stream = own_stream();
  event.tenant = system_tenant;
  event.meta.principal = "system:journal";
  event.meta.command_id = ids.next();
  event.meta.correlation_id = event.meta.command_id;
  auto last = std::make_shared<journal_batch>();
  last->requests.emplace_back();
  last->requests[0].events.push_back(std::move(event));
  last->requests[0].expect.push_back({own_stream(), known ? known->version : 0});
  append(last);
  session.reset();
  state = journal_state::closed;
  const auto& answer = last->answers[0];
  if (answer && *answer) return done{};
  return answer ? answer->error() : reject(errc::unavailable, "the connection was lost");
}

}  // namespace reeve::persistence
