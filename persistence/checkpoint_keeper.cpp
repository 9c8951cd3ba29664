#include "persistence/checkpoint_keeper.hpp"

#include "base/log.hpp"
#include "base/named_thread.hpp"
#include "persistence/pg_session.hpp"
#include "persistence/pg_values.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

namespace reeve::persistence {
namespace {

constexpr domain::position every_events = 10'000;
constexpr auto every_time = std::chrono::seconds(60);
constexpr std::size_t most_asked = 64;

outcome<ed25519_key> key_in(const std::string& path) {
  if (::access(path.c_str(), F_OK) == 0) return ed25519_key::load(path);
  auto fresh = ed25519_key::generate();
  if (auto ok = fresh.save(path); !ok) return ok.error();
  return fresh;
}

outcome<done> store(const std::string& url, const signed_head& s) {
  std::unique_ptr<pqxx::connection> connection;
  try {
    connection = connect_session(url, "reeve_checkpoint");
    pqxx::nontransaction tx(*connection);
    tx.exec_params(
        "INSERT INTO reeve.checkpoints (position, origin, epoch, hash, key_id, signature,"
        " created_at_us) VALUES ($1, $2, $3, $4::bytea, $5, $6::bytea, $7) ON CONFLICT DO NOTHING",
        s.position, to_string(s.origin), s.epoch, "\\x" + to_hex(s.hash), s.public_key,
        "\\x" + to_hex(from_base64url(s.signature).value_or("")), s.created_at_us);
    return done{};
  } catch (const std::exception&) {
    const std::string what = "the checkpoint cannot be stored";
    if (!connection) return reject(errc::unavailable, what);
    const auto why = rejection_of(trouble_of_current(*connection)).detail;
    return reject(errc::unavailable, what + ": " + why);
  }
}

/// An older backup that was appended to since may be longer than what was signed: the event at
/// that position tells.
outcome<done> check_history(const std::string& url, const signed_head& last) {
  try {
    auto connection = connect_session(url, "reeve_checkpoint");
    pqxx::nontransaction tx(*connection);
    const auto rows =
        tx.exec_params("SELECT hash FROM reeve.events WHERE position = $1", last.position);
    if (!rows.empty() && digest_of(rows[0][0]) == last.hash) return done{};
    return reject(errc::conflict, "the log no longer has the head that was signed at position " +
                                      std::to_string(last.position));
  } catch (const std::exception&) {
    return reject(errc::unavailable, "the log cannot be read");
  }
}

outcome<done> check_against(const signed_head& last, const journal_head& head,
                            const std::string& url) {
  if (!is_genuine(last)) {
    return reject(errc::conflict, "the last line of the file of heads has a wrong signature");
  }
  if (last.origin != head.origin) {
    return reject(errc::conflict, "the last signed head belongs to another log");
  }
  const bool is_same = last.position == head.position && last.hash == head.hash;
  if (last.position >= head.position && !is_same) {
    return reject(errc::conflict,
                  "a head at position " + std::to_string(last.position) + " was signed already");
  }
  return check_history(url, last);
}

}  // namespace

outcome<std::string> public_key_in(const std::string& key_file) {
  const auto key = key_in(key_file);
  if (!key) return key.error();
  return key->public_key().text();
}

outcome<signed_head> sign_head(const checkpoint_options& options, const journal_head& head) {
  auto before = read_last_head(options.heads_file);
  if (!before) return before.error();
  if (*before) {
    auto& last = **before;
    if (auto ok = check_against(last, head, options.writer_url); !ok) return ok.error();
    if (last.position == head.position) {
      last.created_at_us = real_clock().now_us();
      if (auto ok = store(options.writer_url, last); !ok) return ok.error();
      return last;
    }
    // A crash between the file and the database left a head outside only. It is put in its place
    // before the next one is signed: a row that is missing then was removed by somebody.
    if (auto ok = store(options.writer_url, last); !ok) return ok.error();
  }
  auto key = key_in(options.key_file);
  if (!key) return key.error();
  signed_head s;
  s.origin = head.origin;
  s.epoch = head.epoch;
  s.position = head.position;
  s.hash = head.hash;
  s.created_at_us = real_clock().now_us();
  sign(s, *key);
  if (auto ok = append_head(options.heads_file, s); !ok) return ok.error();
  if (auto ok = store(options.writer_url, s); !ok) return ok.error();
  return s;
}

struct checkpoint_keeper::impl {
  impl(checkpoint_options o, std::function<journal_head()> h)
      : options(std::move(o)),
        head(std::move(h)),
        thread(named_thread("checkpoints", [this] { work(); })) {}

  ~impl() {
    {
      std::lock_guard lock(mutex);
      stopping = true;
    }
    changed.notify_all();
    thread.join();
    if (head().position > 0) (void)sign_newest();
  }

  void work() {
    auto due = std::chrono::steady_clock::now() + every_time;
    for (;;) {
      std::vector<reply_slot<signed_head>> asked;
      {
        std::unique_lock lock(mutex);
        changed.wait_for(lock, std::chrono::seconds(1),
                         [this] { return stopping || !waiting.empty(); });
        if (stopping) return;
        asked.swap(waiting);
      }
      const auto now = std::chrono::steady_clock::now();
      const auto now_at = head();
      const auto at = now_at.position;
      if (at > 0 && at != std::exchange(told, at)) options.on_progress(now_at);
      const bool is_much = at - tried >= every_events;
      if (asked.empty() && (at == newest.position || (now < due && !is_much))) continue;
      due = now + every_time;
      tried = at;
      const auto made = sign_newest();
      for (const auto& slot : asked) slot.answer(made);
    }
  }

  outcome<signed_head> sign_newest() {
    const auto now = head();
    if (now.position == 0) {
      return not_signed(reject(errc::unavailable, "this server vouches for no log any more"));
    }
    if (now.position != newest.position || now.hash != newest.hash) {
      auto made = sign_head(options, now);
      is_failing = !made;
      if (!made) return not_signed(made.error());
      newest = *made;
    }
    told_why.clear();
    return newest;
  }

  /// Clients may ask again each second: what lasts is told once.
  rejection not_signed(const rejection& why) {
    if (std::exchange(told_why, why.detail) != why.detail) {
      log_error("the head of the log was not signed", {{"why", why.detail}});
    }
    return why;
  }

  checkpoint_options options;
  std::function<journal_head()> head;
  // Of the keeper's thread; position 0 until the first one.
  signed_head newest;
  domain::position told = 0;
  domain::position tried = 0;  // signed or refused: one that fails is not tried each second
  std::string told_why;        // no head was signed, as the log has it
  std::atomic<bool> is_failing{false};
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<reply_slot<signed_head>> waiting;
  bool stopping = false;
  std::thread thread;  // last: it uses the rest
};

checkpoint_keeper::checkpoint_keeper(checkpoint_options options, std::function<journal_head()> head)
    : impl_(std::make_unique<impl>(std::move(options), std::move(head))) {}

checkpoint_keeper::~checkpoint_keeper() = default;

bool checkpoint_keeper::is_failing() const {
  return impl_->is_failing;
}

void checkpoint_keeper::sign_now(reply_slot<signed_head> slot) {
  {
    std::lock_guard lock(impl_->mutex);
    if (impl_->waiting.size() < most_asked) {
      impl_->waiting.push_back(std::move(slot));
      impl_->changed.notify_all();
      return;
    }
  }
  slot.answer(reject(errc::overloaded, "too many heads are waiting to be signed"));
}

}  // namespace reeve::persistence
