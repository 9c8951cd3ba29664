// RUN7: an attempt as scripted traces. A line is "input => effects". Timers are kept by
// the test and fire in `wait`; the timeout is 10 s. An execution is "c1@100": its id and its start
// by the engine's clock in milliseconds; with an end "c1@100-400". "up" goes as far as `wait`;
// "own" makes it work of Reeve's own; "starting" asks whether others wait for its start.
#include "domain/runs/attempt.hpp"
#include "tests/unit/domain/runs/attempt_traces.hpp"
#include "tests/unit/domain/runs/attempt_work_traces.hpp"

#include <algorithm>
#include <gtest/gtest.h>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace {

using namespace reeve::domain;
using namespace reeve::domain::attempts;
using attempt_traces::trace;
using attempt_traces::traces;
using attempt_traces::work_traces;

std::vector<std::string> words(const std::string& text, char separator = ' ') {
  std::vector<std::string> out;
  std::stringstream in(text);
  for (std::string each; std::getline(in, each, separator);) {
    if (!each.empty()) out.push_back(each);
  }
  return out;
}

execution execution_of(const std::string& text) {
  const auto parts = words(text, '@');
  execution e{parts.at(0)};
  if (parts.size() < 2) return e;
  const auto times = words(parts[1], '-');
  e.started_at = std::stoll(times.at(0)) * 1000;
  e.phase = times.size() > 1 ? execution_phase::ended : execution_phase::running;
  if (times.size() > 1) e.finished_at = std::stoll(times[1]) * 1000;
  return e;
}

failure failure_of(const std::string& name) {
  static const std::map<std::string, failure> names{{"away", failure::away},
                                                    {"busy", failure::busy},
                                                    {"silent", failure::silent},
                                                    {"broken", failure::broken},
                                                    {"unreadable", failure::unreadable}};
  return names.at(name);
}

end_reason reason_of(const std::string& name) {
  end_reason why{};
  EXPECT_TRUE(from_name(name, why)) << name;
  return why;
}

class stage {
 public:
  stage() { state_.config.timeout_ms = 10'000; }

  std::string play(const std::string& line) {
    said_.clear();
    const auto parts = words(line);
    if (parts.at(0) == "up") {
      for (const char* each : {"begin", "allowed", "written", "submitted c@100", "written"}) {
        play(each);
      }
      said_.clear();
    } else if (parts[0] == "starting") {
      say(is_starting(state_) ? "yes" : "no");
    } else if (parts[0] == "own") {
      state_.config.own = true;
    } else if (parts[0] == "wait") {
      wait(std::stoll(parts.at(1)));
    } else {
      feed(input_of(parts));
    }
    return said_;
  }
  bool closed() const { return state_.phase == phase::closed; }

 private:
  static input input_of(const std::vector<std::string>& p) {
    const auto has = [&](const char* word) {
      return std::find(p.begin(), p.end(), word) != p.end();
    };
    const auto& verb = p[0];
    if (verb == "begin") return begin{};
    if (verb == "resume") return resumed(p);
    if (verb == "allowed") return allowed{};
    if (verb == "refused") return refused{reason_of(p.at(1))};
    if (verb == "reached") return reached{};
    if (verb == "failed") return failed{failure_of(p.at(1)), has("sent")};
    if (verb == "written") return written{};
    if (verb == "moved") return moved{};
    if (verb == "unwritten") return unwritten{};
    if (verb == "submitted") return submitted{execution_of(p.at(1))};
    if (verb == "found") return seen(p);
    if (verb == "watched") return watched{std::stoll(p.at(1))};
    if (verb == "noted") return stop_written{};
    if (verb == "stopped") return stopped{p.at(1) == "it"};
    if (verb == "unstopped") return stop_failed{failure_of(p.at(1))};
    if (verb == "collected") {
      collected made;
      if (has("log")) made.log = blob_ref{};
      made.gone = has("gone");
      if (has("over")) made.told = end_reason::disk_limit;
      if (has("starved")) made.told = end_reason::out_of_memory;
      if (has("file")) made.artifacts.push_back({});
      return made;
    }
    if (verb == "forgotten") return forgotten{p.size() == 1};
    if (verb == "back") return engine_back{};
    if (verb == "turn") return turn{};
    if (verb == "cancel") return cancel{};
    if (verb == "retry") return operator_retries{};
    EXPECT_EQ(verb, "discard");
    return operator_discards{};
  }

  /// "resume c@100 adopted crashed works=1 rest=500"
  static input resumed(const std::vector<std::string>& p) {
    resume r;
    r.rest_ms = 10'000;
    for (std::size_t i = 1; i < p.size(); ++i) {
      if (p[i].find('@') != std::string::npos) r.recorded = execution_of(p[i]);
      if (p[i] == "adopted") r.taken_up = true;
      if (p[i] == "crashed") r.crashed = true;
      if (p[i] == "cancelled") r.cancelled = true;
      if (p[i] == "quarantined") r.quarantined = true;
      if (p[i].starts_with("stopping=")) r.stopping = reason_of(p[i].substr(9));
      if (p[i].starts_with("works=")) r.works = std::stoll(p[i].substr(6));
      if (p[i].starts_with("rest=")) r.rest_ms = std::stoll(p[i].substr(5));
    }
    return r;
  }

  static input seen(const std::vector<std::string>& p) {
    static const std::map<std::string, found_where> places{
        {"nothing", found_where::nowhere},
        {"foreign", found_where::foreign},
        {"erased", found_where::erased},
        {"elsewhere", found_where::other_engine}};
    const auto place = places.find(p.at(1));
    if (place != places.end()) return found{place->second, {}};
    auto what = execution_of(p[1]);
    what.oom_killed = p.size() > 2 && p[2] == "oom";
    if (p.size() > 2 && p[2].starts_with("ran=")) what.ran_us = 1000 * std::stoll(p[2].substr(4));
    return found{found_where::here, what};
  }

  void feed(const input& what) {
    auto result = step(std::move(state_), what);
    state_ = std::move(result.state);
    for (const auto& each : result.effects) {
      std::visit([this](const auto& e) { show(e); }, each);
    }
  }

  void wait(std::int64_t ms) {
    const auto until = now_ms_ + ms;
    while (!timers_.empty() && timers_.begin()->first <= until) {
      const auto [at, token] = *timers_.begin();
      timers_.erase(timers_.begin());
      now_ms_ = at;
      feed(timer_fired{token});
    }
    now_ms_ = until;
  }

  void say(const std::string& what) { said_ += said_.empty() ? what : ", " + what; }
  static std::string shown(const execution& e) {
    return e.id + "@" + std::to_string(e.started_at / 1000);
  }
  void show(const ask_allowed& /*e*/) { say("ask"); }
  void show(const write_intent& /*e*/) { say("intent"); }
  void show(const write_refusal& e) { say("refuse " + std::string(name_of(e.why))); }
  void show(const submit& /*e*/) { say("submit"); }
  void show(const withhold& e) { say("withhold " + std::string(name_of(e.why))); }
  void show(const reach& /*e*/) { say("reach"); }
  void show(const find& /*e*/) { say("find"); }
  void show(const write_started& e) { say((e.adopted ? "adopted " : "started ") + shown(e.what)); }
  void show(const watch& e) { say("watch " + e.id); }
  void show(const write_stop& e) { say("stopping " + std::string(name_of(e.why))); }
  void show(const stop& e) { say("stop " + e.id); }
  void show(const collect& e) { say("collect " + e.id); }
  void show(const write_end& e) {
    say("end " + std::string(name_of(e.why)) +
        (e.exit_code ? " " + std::to_string(*e.exit_code) : "") + (e.oom_killed ? " oom" : "") +
        (e.log ? " log" : "") + (e.log_incomplete ? " incomplete" : "") +
        (e.artifacts.empty() ? "" : " file"));
  }
  void show(const forget& /*e*/) { say("forget"); }
  void show(const write_work& e) { say("work " + std::to_string(e.n)); }
  void show(const ask_turn& e) { say("ask turn after " + std::to_string(e.after_ms)); }
  void show(const write_quarantine& e) { say("quarantine " + std::to_string(e.crashes)); }
  void show(const tell_waiting& /*e*/) { say("waiting"); }
  void show(const set_timer& e) { timers_.emplace(now_ms_ + e.after_ms, e.token); }
  void show(const attempts::close& /*e*/) { say("close"); }

  attempts::state state_;
  std::int64_t now_ms_ = 0;
  std::multimap<std::int64_t, std::int64_t> timers_;
  std::string said_;
};

class attempt_trace : public testing::TestWithParam<trace> {};

TEST_P(attempt_trace, does_what_it_should) {
  stage s;
  for (const char* line : GetParam().lines) {
    const std::string text = line;
    const auto arrow = text.find("=>");
    const auto input = text.substr(0, arrow);
    auto wanted = arrow == std::string::npos ? std::string() : text.substr(arrow + 2);
    wanted.erase(0, wanted.find_first_not_of(' ') == std::string::npos ? wanted.size() : 1);
    const auto said = s.play(input);
    if (arrow != std::string::npos) {
      ASSERT_EQ(said, wanted) << "in the line: " << text;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(RUN7, attempt_trace, testing::ValuesIn(traces),
                         [](const auto& info) { return std::string(info.param.name); });
INSTANTIATE_TEST_SUITE_P(RUN7_work, attempt_trace, testing::ValuesIn(work_traces),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(RUN7_traces, are_many_and_each_has_its_own_name) {
  std::vector<std::string> names;
  for (const auto& each : traces) names.emplace_back(each.name);
  for (const auto& each : work_traces) names.emplace_back(each.name);
  std::sort(names.begin(), names.end());
  EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
  EXPECT_GE(names.size(), 60U);
}

}  // namespace
