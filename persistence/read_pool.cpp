#include "persistence/read_pool.hpp"

#include "base/named_thread.hpp"

#include <algorithm>
#include <utility>

namespace reeve::persistence {
namespace {

// Combinations of filters; far more than there are in practice.
constexpr std::size_t max_prepared = 256;

}  // namespace

read_session::read_session(const std::string& url, std::int64_t statement_timeout_ms)
    : connection_(connect_session(url, "reeve-reader")) {
  pqxx::nontransaction tx(*connection_);
  tx.exec0("SET default_transaction_read_only = on; SET statement_timeout = " +
           std::to_string(statement_timeout_ms));
}

pqxx::result read_session::query(const std::optional<uuid>& tenant, const read_query& query) {
  const std::string as = tenant ? to_string(*tenant) : std::string();
  if (seen_as_ != as) {
    seen_as_.reset();
    pqxx::nontransaction tx(*connection_);
    tx.exec_params(
        "SELECT set_config('reeve.tenant', $1, false),"
        " set_config('reeve.auditor', $2, false)",
        as, as.empty() ? "on" : "off");
    seen_as_ = as;
  }
  auto found = prepared_.find(query.sql);
  if (found == prepared_.end()) {
    if (prepared_.size() >= max_prepared) {
      for (const auto& [text, name] : prepared_) connection_->unprepare(name);
      prepared_.clear();
    }
    found = prepared_.emplace(query.sql, "read_" + std::to_string(prepared_.size())).first;
    connection_->prepare(found->second, query.sql);
  }
  pqxx::nontransaction tx(*connection_);
  return tx.exec_prepared(found->second, pqxx::prepare::make_dynamic_params(query.params));
}

read_pool::read_pool(std::string url, int readers, std::size_t max_queue, std::int64_t timeout_ms)
    : url_(std::move(url)),
      max_queue_(max_queue),
      timeout_ms_(timeout_ms),
      most_heavy_(std::max(readers - 1, 1)) {
  for (int i = 0; i < readers; ++i) {
    threads_.push_back(named_thread("reader", [this] { work(); }));
  }
}

read_pool::~read_pool() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (auto& thread : threads_) thread.join();
  while (auto left = queue_.pop(true)) {
    left->task.fail(reject(errc::unavailable, "the server is stopping"));
  }
}

bool read_pool::push(const read_turn& turn, task next) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || queue_.size() >= max_queue_) return false;
    queue_.push(turn, std::move(next));
  }
  // All: the one that is woken alone may be one that must not take it.
  wake_.notify_all();
  return true;
}

void read_pool::work() {
  std::unique_ptr<read_session> session;
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stopping_ || queue_.has(heavy_ < most_heavy_); });
    if (stopping_) return;
    auto next = queue_.pop(heavy_ < most_heavy_);
    if (next->is_heavy) ++heavy_;
    lock.unlock();
    attempt(next->task, session);
    const bool was_heavy = next->is_heavy;
    next.reset();  // what it holds may have work for the pool
    lock.lock();
    if (!was_heavy) continue;
    --heavy_;
    wake_.notify_all();
  }
}

void read_pool::attempt(const task& next, std::unique_ptr<read_session>& session) {
  rejection why = reject(errc::unavailable, "the database cannot be reached");
  const int tries = session ? 2 : 1;
  for (int i = 0; i < tries; ++i) {
    try {
      if (!session) session = std::make_unique<read_session>(url_, timeout_ms_);
      return next.run(*session);
    } catch (const std::exception&) {
      if (!session) break;
      const auto trouble = trouble_of_current(session->connection());
      why = trouble.sqlstate == "57014"
                ? reject(errc::timed_out, "the query took too long; narrow it down")
                : answer_of(trouble);
      if (!trouble.lost) break;
      session.reset();
    }
  }
  next.fail(std::move(why));
}

}  // namespace reeve::persistence
