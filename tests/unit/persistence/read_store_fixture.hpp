#pragma once
// A read store over a database of its own, into whose read models a test writes rows.

#include "persistence/projection.hpp"
#include "persistence/read_store.hpp"
#include "tests/support/environment.hpp"
#include "tests/unit/persistence/journal_fixture.hpp"

#include <future>
#include <gtest/gtest.h>

namespace read_store_fixture {

using namespace reeve;
using namespace reeve::persistence;
using namespace reeve::fixture;

/// Calls and waits for the answer.
template <class T, class Call>
outcome<T> answer_of(Call call) {
  auto promise = std::make_shared<std::promise<outcome<T>>>();
  auto future = promise->get_future();
  call(reply_slot<T>([promise](outcome<T> answer) { promise->set_value(std::move(answer)); }));
  if (future.wait_for(std::chrono::seconds(20) * support::time_factor()) !=
      std::future_status::ready) {
    return reject(errc::timed_out, "no answer");
  }
  return future.get();
}

class read_store_case : public ::testing::Test {
 protected:
  static constexpr const char* own_tasks = R"({"tasks":["log_triage"],"version":1})";

  read_store_case() : tenant(real_ids().next()) { restart({}); }

  void restart(read_store_config config) {
    config.url = db.reader_url();
    log.reset();
    reads = std::make_unique<read_store>(config);
    auto writing = journal_on(db.writer_url());
    writing.on_commit = [this](const commit_notice& notice) { reads->on_commit(notice); };
    log = std::make_unique<journal>(writing);
    // The session of the one before may still hold the lock for a moment.
    outcome<journal_head> opened = log->open();
    eventually([&] {
      if (!opened && opened.error().code == errc::conflict) opened = log->open();
      return opened || opened.error().code != errc::conflict;
    });
    if (!opened) throw std::runtime_error(opened.error().detail);
  }
  /// Appends one event whose projection is this row; {position} in a cell is the event's.
  domain::position write(std::string_view to, std::vector<std::optional<std::string>> cells) {
    auto request = append_to(fresh_stream(), 0, tenant);
    request.project = [to, cells](std::span<const domain::event_stamp> stamps, row_sink& rows) {
      rows.push_back({&projection_named(to), cells});
      for (auto& cell : rows.back().cells) {
        if (cell == "{position}") cell = std::to_string(stamps[0].at);
      }
    };
    const auto done = append_one(*log, request);
    EXPECT_TRUE(done);
    EXPECT_EQ(log->stale_projections(), 0);
    return done ? done->first_position : 0;
  }
  domain::position write_run(const uuid& id, const std::string& status, const std::string& doc,
                             const uuid& directive = {}, bool simulated = false,
                             const std::string& snapshot = own_tasks) {
    return write("runs",
                 {to_string(tenant), to_string(id), to_string(directive), "d",
                  simulated ? "true" : "false", std::nullopt, "{position}", "1", status,
                  std::nullopt, std::nullopt, "{position}", "7", std::nullopt, doc, snapshot});
  }
  void write_version(const uuid& directive, int version, const std::string& doc) {
    const auto number = std::to_string(version);
    write("directive_versions", {to_string(tenant), to_string(directive) + "-" + number,
                                 to_string(directive), number, "{position}", doc});
  }
  void write_job(const uuid& id, const uuid& run, int ordinal, const std::string& doc) {
    write("jobs",
          {to_string(tenant), to_string(id), to_string(run), std::to_string(ordinal), "log_triage",
           "{position}", "pending", "false", std::nullopt, std::nullopt, "{position}", doc});
  }
  void write_usage(const uuid& job, const uuid& run, int tokens) {
    // A follower's: written by itself, and told without events.
    const std::vector<std::optional<std::string>> cells{to_string(tenant),
                                                        to_string(job),
                                                        to_string(run),
                                                        "1",
                                                        "1",
                                                        "1",
                                                        std::to_string(tokens),
                                                        "1",
                                                        std::to_string(tokens + 1)};
    std::string values;
    for (const auto& cell : cells) values += (values.empty() ? "'" : ", '") + *cell + "'";
    db.root("INSERT INTO reeve_read.llm_usage VALUES (" + values + ")");
    const projection_row row{&projection_named("llm_usage"), cells};
    reads->on_commit({{}, {&row, 1}});
  }
  outcome<document> get(collection what, const uuid& as, const std::string& id) {
    return answer_of<document>([&](auto slot) { reads->get(what, as, id, slot); });
  }
  outcome<document> detail(const uuid& run) {
    return answer_of<document>([&](auto slot) { reads->run_detail(tenant, run, slot); });
  }
  outcome<document> list(list_query query) {
    query.tenant = tenant;
    return answer_of<document>([&](auto slot) { reads->list(query, slot); });
  }
  outcome<event_page> events(event_query query) {
    return answer_of<event_page>([&](auto slot) { reads->events(query, slot); });
  }

  test_database db;
  uuid tenant;
  std::unique_ptr<read_store> reads;
  std::unique_ptr<journal> log;
};

}  // namespace read_store_fixture
