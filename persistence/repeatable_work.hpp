#pragma once
// A transaction that may be repeated, over a connection that is kept. Inside persistence/ only.

#include "persistence/pg_session.hpp"

#include <exception>
#include <functional>
#include <memory>
#include <utility>

namespace reeve::persistence {

/// Thrown to leave a transaction with what is to be answered.
struct refused_work {
  rejection why;
};

/// Runs `work` in a transaction, once more on a new connection if the one that was there is lost.
/// `connect` opens `connection`, and throws as libpqxx does. What was done is undone unless it
/// `keeps`. `told` makes of a trouble what is answered; no text of an exception is kept, which may
/// quote what was sent. Errors: `unavailable` if nothing can be connected to, and those of `told`
/// and `refused_work`.
template <class T>
outcome<T> run_repeatable(std::unique_ptr<pqxx::connection>& connection,
                          const std::function<void()>& connect,
                          const std::function<T(pqxx::work&)>& work,
                          rejection (*told)(const sql_trouble&), bool keeps = true) {
  rejection why = reject(errc::unavailable, "the database cannot be reached");
  const int tries = connection ? 2 : 1;
  for (int i = 0; i < tries; ++i) {
    try {
      if (!connection) connect();
      pqxx::work tx(*connection);
      T result = work(tx);
      keeps ? tx.commit() : tx.abort();
      return result;
    } catch (const refused_work& refused) {
      return refused.why;
    } catch (const std::exception&) {
      if (!connection) break;
      const auto trouble = trouble_of_current(*connection);
      why = told(trouble);
      if (!trouble.lost) break;
      connection.reset();
    }
  }
  return why;
}

}  // namespace reeve::persistence
