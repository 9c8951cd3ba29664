#include "tasks/triage/triage_worker.hpp"

#include "adapters/simulated/simulated_engine.hpp"
#include "codec/codec.hpp"
#include "tasks/triage/log_triage.hpp"

#include <atomic>
#include <future>
#include <gtest/gtest.h>
#include <thread>

namespace {

using namespace reeve;

/// A file that never ends, as long as somebody wants more of it.
class endless_logs final : public adapters::log_files {
 public:
  explicit endless_logs(std::promise<void>& begun) : begun_(begun) {}
  outcome<adapters::log_file_list> list(std::optional<time_us>) const override {
    return adapters::log_file_list{};
  }
  outcome<adapters::log_file_reading> read(
      const std::string&, std::optional<time_us>,
      const std::function<bool(std::string_view)>& receive) const override {
    begun_.set_value();
    while (receive("the same line")) std::this_thread::yield();
    return adapters::log_file_reading{};
  }

 private:
  std::promise<void>& begun_;
};

TEST(P30_log_triage, that_is_under_way_ends_with_its_worker) {
  std::promise<void> begun;
  adapters::simulated_engine engine;
  using result = outcome<std::vector<tasks::produced_artifact>>;
  std::promise<result> answer;
  {
    tasks::triage_worker_options options;
    options.open_logs = [&](const uuid&) -> outcome<std::unique_ptr<adapters::log_files>> {
      return std::unique_ptr<adapters::log_files>(std::make_unique<endless_logs>(begun));
    };
    tasks::triage_worker worker(options, engine, real_clock());
    tasks::triage_request request;
    request.files = {"endless"};
    request.max_lines = std::int64_t{1} << 60;
    worker.run(request, reply_slot<std::vector<tasks::produced_artifact>>(
                            [&](result r) { answer.set_value(std::move(r)); }));
    begun.get_future().wait();
  }
  const auto told = answer.get_future().get();
  ASSERT_FALSE(told);
  EXPECT_EQ(told.error().code, errc::unavailable);
}

/// Has the container that is asked for, called as it is asked for.
class engine_with_all : public adapters::simulated_engine {
 public:
  void inspect(std::string name, reply_slot<adapters::container_info> slot) override {
    adapters::container_info found;
    found.id = "id of " + name;
    found.name = name;
    slot.answer(std::move(found));
  }
};

/// A container whose log never ends: each page has ten lines, and there is always another. Gives up
/// after many calls, so that a reader without an end fails instead of hanging.
class talking_engine final : public engine_with_all {
 public:
  static constexpr int most_calls = 100;
  explicit talking_engine(bool stamped) : stamped_(stamped) {}

  void logs(std::string, adapters::log_query query,
            reply_slot<adapters::log_answer> slot) override {
    if (++calls > most_calls) return slot.answer(reject(errc::internal, "TEST: it never ends"));
    adapters::log_answer page;
    for (std::int64_t i = 0; i < 10; ++i) {
      page.lines.push_back({adapters::log_stream::out, stamped_ ? query.since_ns + 1 + i : 0, "a"});
    }
    page.truncated = true;
    slot.answer(std::move(page));
  }

  int calls = 0;

 private:
  const bool stamped_;
};

tasks::triage_report worker_report_on(adapters::container_engine& engine, std::int64_t max_lines) {
  using result = outcome<std::vector<tasks::produced_artifact>>;
  std::promise<result> answer;
  tasks::triage_worker worker({}, engine, real_clock());
  tasks::triage_request request;
  request.by.is_first = true;
  request.containers = {{"talker", std::nullopt}};
  request.max_lines = max_lines;
  worker.run(request, reply_slot<std::vector<tasks::produced_artifact>>(
                          [&](result r) { answer.set_value(std::move(r)); }));
  const auto made = answer.get_future().get();
  EXPECT_TRUE(made);
  if (!made) return {};
  const auto doc = codec::parse_strict(made->front().bytes);
  return codec::decode<tasks::triage_report>(doc->root()).value();
}

/// Has one container under a name, and says what was asked of it.
class named_engine final : public adapters::simulated_engine {
 public:
  void inspect(std::string container, reply_slot<adapters::container_info> slot) override {
    asked.push_back(container);
    if (container != id && container != "talker") {
      return slot.answer(reject(errc::not_found, "no such container"));
    }
    adapters::container_info found;
    found.id = id;
    found.name = "talker";
    slot.answer(std::move(found));
  }
  void logs(std::string container, adapters::log_query,
            reply_slot<adapters::log_answer> slot) override {
    EXPECT_EQ(container, id);
    slot.answer(adapters::log_answer{{{adapters::log_stream::out, 1, "ERROR it broke"}}, false});
  }
  const std::string id = std::string(64, 'a');
  std::vector<std::string> asked;
};

TEST(CTR2_log_triage, reads_the_container_that_was_listed_and_none_that_has_its_name_now) {
  named_engine engine;
  const auto sources_of = [&](std::optional<std::string> id) {
    using result = outcome<std::vector<tasks::produced_artifact>>;
    std::promise<result> answer;
    tasks::triage_worker worker({}, engine, real_clock());
    tasks::triage_request request;
    request.by.is_first = true;
    request.containers = {{"talker", std::move(id)}};
    worker.run(request, reply_slot<std::vector<tasks::produced_artifact>>(
                            [&](result r) { answer.set_value(std::move(r)); }));
    const auto made = answer.get_future().get();
    EXPECT_TRUE(made);
    const auto doc = codec::parse_strict(made->front().bytes);
    return codec::decode<tasks::triage_report>(doc->root()).value().sources;
  };
  const auto by_name = sources_of(std::nullopt);
  ASSERT_EQ(by_name.size(), 1U);
  EXPECT_EQ(by_name[0].lines, 1);
  const auto bound = sources_of(engine.id);
  ASSERT_EQ(bound.size(), 1U);
  EXPECT_EQ(bound[0].name, "talker");
  EXPECT_EQ(bound[0].lines, 1);
  const auto another = sources_of(std::string(64, 'b'));
  ASSERT_EQ(another.size(), 1U);
  EXPECT_EQ(another[0].lines, 0);
  EXPECT_EQ(another[0].problem, "the container that was listed is not there any more");
  EXPECT_EQ(engine.asked, (std::vector<std::string>{"talker", engine.id, std::string(64, 'b')}));
}

TEST(P30_log_triage, of_a_log_without_an_end_stops_at_its_limit) {
  talking_engine engine(true);
  const auto report = worker_report_on(engine, 25);
  EXPECT_EQ(engine.calls, 3);
  ASSERT_EQ(report.sources.size(), 1U);
  EXPECT_EQ(report.sources[0].lines, 25);
  EXPECT_TRUE(report.sources[0].truncated);
}

TEST(P30_log_triage, counts_a_page_without_stamps_once) {
  talking_engine engine(false);
  const auto report = worker_report_on(engine, 1'000);
  EXPECT_EQ(engine.calls, 1);
  ASSERT_EQ(report.sources.size(), 1U);
  EXPECT_EQ(report.sources[0].lines, 10);
  EXPECT_TRUE(report.sources[0].truncated);
}

/// Says a trace on stderr and something else on stdout, in turns.
class two_voices final : public engine_with_all {
 public:
  void logs(std::string, adapters::log_query query,
            reply_slot<adapters::log_answer> slot) override {
    using enum adapters::log_stream;
    adapters::log_answer page;
    const std::int64_t from = query.since_ns + 1;
    page.lines = {{err, from, "ERROR boom"},
                  {out, from + 1, "INFO served"},
                  {err, from + 2, "\tat a.b.C(C.java:1)"},
                  {out, from + 3, "INFO served"},
                  {err, from + 4, "Caused by: java.io.IOException: disk"}};
    slot.answer(std::move(page));
  }
};

/// Has one container that answers as told, and one that is well.
class half_readable_engine final : public engine_with_all {
 public:
  half_readable_engine(outcome<adapters::log_answer> bad, bool is_away)
      : bad_(std::move(bad)), is_away_(is_away) {}
  void logs(std::string container, adapters::log_query,
            reply_slot<adapters::log_answer> slot) override {
    if (container == "id of bad") return slot.answer(bad_);
    adapters::log_answer page;
    page.lines = {{adapters::log_stream::out, 1, "INFO well"}};
    slot.answer(std::move(page));
  }
  void ping(reply_slot<done> slot) override {
    if (is_away_) return slot.answer(reject(errc::timed_out, "TEST: away"));
    slot.answer(done{});
  }

 private:
  const outcome<adapters::log_answer> bad_;
  const bool is_away_;
};

using made = outcome<std::vector<tasks::produced_artifact>>;

made triage_of(adapters::container_engine& engine, tasks::triage_request request,
               tasks::triage_worker_options options = {}) {
  std::promise<made> answer;
  tasks::triage_worker worker(std::move(options), engine, real_clock());
  worker.run(std::move(request), reply_slot<std::vector<tasks::produced_artifact>>(
                                     [&](made m) { answer.set_value(std::move(m)); }));
  return answer.get_future().get();
}

tasks::triage_report report_in(const made& artifacts) {
  EXPECT_TRUE(artifacts) << artifacts.error().detail;
  if (!artifacts) return {};
  const auto doc = codec::parse_strict(artifacts->front().bytes);
  return codec::decode<tasks::triage_report>(doc->root()).value();
}

made with_a_bad_one(outcome<adapters::log_answer> bad, bool is_away = false) {
  half_readable_engine engine(std::move(bad), is_away);
  tasks::triage_request request;
  request.by.is_first = true;
  request.containers = {{"bad", std::nullopt}, {"good", std::nullopt}};
  return triage_of(engine, request);
}

TEST(RUN8_log_triage, tells_of_a_container_without_a_readable_log_and_reads_the_others) {
  for (const auto code : {errc::invalid, errc::internal, errc::not_found, errc::conflict,
                          errc::engine_unreadable, errc::timed_out}) {
    const auto report = report_in(with_a_bad_one(reject(code, "TEST: no log")));
    ASSERT_EQ(report.sources.size(), 2U);
    EXPECT_EQ(report.sources[0].problem,
              code == errc::not_found ? "there is no such container" : "TEST: no log");
    EXPECT_EQ(report.sources[0].lines, 0);
    EXPECT_EQ(report.sources[1].lines, 1);
    EXPECT_FALSE(report.sources[1].problem);
  }
}

TEST(RUN8_log_triage, waits_for_an_engine_that_is_away) {
  for (const auto code : {errc::engine_unavailable, errc::overloaded}) {
    const auto told = with_a_bad_one(reject(code, "TEST: not now"));
    ASSERT_FALSE(told);
    EXPECT_EQ(told.error().code, code);
  }
  const auto silent = with_a_bad_one(reject(errc::timed_out, "TEST: silence"), true);
  ASSERT_FALSE(silent);
  EXPECT_EQ(silent.error().code, errc::timed_out);
}

TEST(RUN8_log_triage, counts_the_lines_before_what_the_engine_cannot_read) {
  adapters::log_answer part;
  part.lines = {{adapters::log_stream::out, 1, "ERROR the last words"}};
  part.problem = "Error grabbing logs: password=hunter2hunter2";
  const auto report = report_in(with_a_bad_one(part));
  ASSERT_EQ(report.sources.size(), 2U);
  EXPECT_EQ(report.sources[0].lines, 1);
  EXPECT_TRUE(report.sources[0].problem.value().starts_with("Error grabbing logs: "));
  EXPECT_EQ(report.sources[0].problem->find("hunter2"), std::string::npos);
  EXPECT_EQ(report.totals.error, 1);
}

/// "good" has a line, "packed" is no text, "torn" fails behind a line, the rest is not there.
class some_files final : public adapters::log_files {
 public:
  outcome<adapters::log_file_list> list(std::optional<time_us>) const override {
    return adapters::log_file_list{};
  }
  outcome<adapters::log_file_reading> read(
      const std::string& name, std::optional<time_us>,
      const std::function<bool(std::string_view)>& receive) const override {
    adapters::log_file_reading done;
    if (name == "packed") done.no_text = "compressed with gzip";
    if (name == "good" || name == "torn") receive("ERROR a line of " + name);
    if (name == "torn") return reject(errc::unavailable, "TEST: bad block");
    if (name == "absent") return reject(errc::not_found, "TEST: absent");
    return done;
  }
};

made triage_of_files(std::vector<std::string> files) {
  adapters::simulated_engine engine;
  tasks::triage_worker_options options;
  options.open_logs = [](const uuid&) -> outcome<std::unique_ptr<adapters::log_files>> {
    return std::unique_ptr<adapters::log_files>(std::make_unique<some_files>());
  };
  tasks::triage_request request;
  request.files = std::move(files);
  return triage_of(engine, request, options);
}

TEST(RUN8_log_triage, tells_of_a_file_that_is_no_text_or_not_there_and_reads_the_others) {
  const auto report = report_in(triage_of_files({"packed", "absent", "torn", "good"}));
  ASSERT_EQ(report.sources.size(), 4U);
  EXPECT_EQ(report.sources[0].problem, "not read: it is compressed with gzip");
  EXPECT_EQ(report.sources[1].problem, "TEST: absent");
  EXPECT_EQ(report.sources[2].problem, "TEST: bad block");
  EXPECT_EQ(report.sources[2].lines, 1);
  EXPECT_FALSE(report.sources[3].problem);
  EXPECT_EQ(report.totals.error, 2);
  EXPECT_EQ(report_in(triage_of_files({"packed"})).totals.lines, 0) << "said, and no failure";
}

TEST(RUN8_log_triage, of_nothing_but_files_that_are_not_there_is_refused) {
  const auto told = triage_of_files({"absent", "absent"});
  ASSERT_FALSE(told);
  EXPECT_EQ(told.error().code, errc::not_found);
}

TEST(RUN8_log_triage, folds_what_was_said_on_stderr_apart_from_stdout) {
  two_voices engine;
  const auto report = worker_report_on(engine, 100);
  ASSERT_EQ(report.findings.size(), 2U);
  EXPECT_EQ(report.findings[0].text, "error ERROR boom | Caused by: java.io.IOException: disk");
  EXPECT_EQ(report.findings[1].count, 2);
}

}  // namespace
