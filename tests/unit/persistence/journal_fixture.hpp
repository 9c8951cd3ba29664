#pragma once
// Requests and journals for tests.

#include "persistence/journal.hpp"
#include "tests/support/environment.hpp"
#include "tests/unit/persistence/test_database.hpp"

#include <chrono>
#include <functional>
#include <string>
#include <thread>

namespace reeve::fixture {

inline persistence::journal_config journal_on(const std::string& url) {
  persistence::journal_config config;
  config.url = url;
  config.server = real_ids().next();
  config.old_session_ms = 300;
  return config;
}

inline domain::new_event event_on(const std::string& stream, const uuid& tenant,
                                  const std::string& payload = "{}") {
  domain::new_event event;
  event.stream = stream;
  event.type = "thing_happened";
  event.tenant = tenant;
  event.payload = payload;
  event.meta.principal = "token:test";
  event.meta.command_id = real_ids().next();
  event.meta.correlation_id = event.meta.command_id;
  return event;
}

inline persistence::append_request append_to(const std::string& stream, domain::version expected,
                                             const uuid& tenant,
                                             const std::string& payload = "{}") {
  persistence::append_request request;
  request.events.push_back(event_on(stream, tenant, payload));
  request.expect.push_back({stream, expected});
  return request;
}

inline persistence::command_key key_of(const uuid& tenant, const std::string& key,
                                       const std::string& body) {
  return {tenant, "token:test", "POST /api/things", key, sha256(body)};
}

inline std::string fresh_stream(const std::string& kind = "thing") {
  return kind + "-" + to_string(real_ids().next());
}

inline outcome<persistence::append_result> append_one(persistence::journal& journal,
                                                      const persistence::append_request& request) {
  return std::move(journal.append_batch({&request, 1}).front());
}

/// Polls; false after 20 s, or more under a sanitizer.
inline bool eventually(const std::function<bool()>& holds) {
  const auto until =
      std::chrono::steady_clock::now() + std::chrono::seconds(20) * support::time_factor();
  while (std::chrono::steady_clock::now() < until) {
    if (holds()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return false;
}

}  // namespace reeve::fixture
