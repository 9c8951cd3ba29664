// What a repeat under a known key, and a look at a run, cost: counted in events that are read.

#include "actors/command_keys.hpp"

#include "actors/runs/warm_runs.hpp"
#include "tests/unit/actors/runs/memory_log.hpp"
#include "tests/unit/domain/runs/run_steps.hpp"

#include <gtest/gtest.h>

namespace {

using namespace reeve;
using namespace reeve::actors;
using domain::llm_usage_state;
using domain::run_state;

const uuid tenant = steps::tenant;

/// Streams, and one key.
class keyed_reads final : public memory_log::reads {
 public:
  using memory_log::reads::reads;
  void command(uuid, const std::string&, const std::string&, const std::string&,
               reply_slot<std::optional<known_command>> slot) override {
    slot.answer(known);
  }
  std::optional<known_command> known;
};

class P3_work : public ::testing::Test {
 protected:
  template <class State, class Events>
  domain::position write(const uuid& id, const Events& events) {
    const auto stream = domain::stream_of<State>(id);
    persistence::append_request request;
    request.expect.push_back({stream, versions[stream]});
    for (const auto& event : events) {
      auto made = persistence::to_new_event<State>(event);
      made.stream = stream;
      made.tenant = tenant;
      request.events.push_back(std::move(made));
    }
    versions[stream] += static_cast<domain::version>(request.events.size());
    return log.append(request)->last_position;
  }
  void key_for(const std::string& stream, domain::position first, std::int64_t count,
               domain::version version) {
    key.request_digest = sha256("body");
    reads.known = {{key.request_digest, first, count, stream, version}};
  }
  template <class State>
  executed<State> repeated() {
    std::optional<executed<State>> found;
    first_answer<State>(reads, key,
                        reply_slot<maybe_executed<State>>([&](outcome<maybe_executed<State>> r) {
                          if (r && *r) found = **r;
                        }));
    EXPECT_TRUE(found);
    return found.value_or(executed<State>{});
  }

  memory_log::store log;
  keyed_reads reads{log};
  std::map<std::string, domain::version> versions;
  persistence::command_key key{tenant, "token:a", "POST /api/things", "k", {}};
};

domain::run_launched launched(const uuid& run) {
  domain::run_launched e;
  e.id = run;
  e.directive.name = "d";
  e.directive.tasks = {domain::task_spec{}};
  e.jobs = {steps::id_of(1)};
  e.expected_engine = "docker";
  return e;
}

TEST_F(P3_work, of_a_repeated_launch_is_that_of_its_own_events) {
  const auto run = real_ids().next();
  const auto at = write<run_state>(run, std::vector<domain::run_event>{launched(run)});
  const domain::run_event waits = domain::job_waiting{steps::id_of(1), "no_free_place"};
  write<run_state>(run, std::vector<domain::run_event>(5000, waits));
  key_for(domain::stream_of<run_state>(run), at, 1, 1);
  const auto again = repeated<run_state>();
  EXPECT_TRUE(again.replayed);
  EXPECT_EQ(again.at, at);
  EXPECT_EQ(again.state->stream_version, 1);
  EXPECT_EQ(reads.events_given(), 1);
}

TEST_F(P3_work, of_a_repeated_call_does_not_grow_with_the_calls_of_its_job) {
  const auto job = real_ids().next();
  domain::position at = 0;
  for (int n = 1; n <= 50; ++n) {
    domain::llm_call_recorded e;
    e.id = real_ids().next();
    e.job = job;
    e.total_tokens = n;
    at = write<llm_usage_state>(job, std::vector<domain::llm_event>{e});
  }
  key_for(domain::stream_of<llm_usage_state>(job), at, 1, 50);
  EXPECT_EQ(repeated<llm_usage_state>().state->last_call->total_tokens, 50);
  EXPECT_EQ(reads.events_given(), 1);
  key_for(domain::stream_of<llm_usage_state>(job), at - 40, 1, 10);
  EXPECT_EQ(repeated<llm_usage_state>().state->last_call->total_tokens, 10);
  EXPECT_EQ(reads.events_given(), 2);
}

TEST_F(P3_work, of_a_repeat_soon_after_is_none_where_it_would_be_much) {
  recent_answers recent;
  key.request_digest = sha256("body");
  EXPECT_FALSE(recent.find<run_state>(key)->has_value());
  auto state = std::make_shared<run_state>();
  state->stream_version = recent_answers::long_stream - 1;
  recent.put(key, executed<run_state>{state, 7, false});
  EXPECT_FALSE(recent.find<run_state>(key)->has_value()) << "it costs memory and spares little";
  state->stream_version = recent_answers::long_stream;
  recent.put(key, executed<run_state>{state, 7, false});
  const auto found = recent.find<run_state>(key);
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->state, state);
  EXPECT_EQ((*found)->at, 7);
  EXPECT_TRUE((*found)->replayed);
  auto other = key;
  other.request_digest = sha256("other");
  EXPECT_EQ(recent.find<run_state>(other).error().code, errc::key_reused);
  for (std::size_t n = 0; n < recent_answers::kept; ++n) {
    other.key = "k" + std::to_string(n);
    recent.put(other, executed<run_state>{state, 7, false});
  }
  EXPECT_FALSE(recent.find<run_state>(key)->has_value()) << "the oldest goes";
}

TEST_F(P3_work, of_a_look_at_a_run_is_that_of_what_came_since_the_one_before) {
  const auto run = real_ids().next();
  write<run_state>(run, std::vector<domain::run_event>{launched(run)});
  const domain::run_event waits = domain::job_waiting{steps::id_of(1), "no_free_place"};
  write<run_state>(run, std::vector<domain::run_event>(4999, waits));
  const auto warm = std::make_shared<warm_runs>();
  const auto look = [&](const uuid& by) {
    warm_runs::state_ptr found;
    warm->find(reads, by, run, reply_slot<warm_runs::state_ptr>([&](auto r) { found = *r; }));
    return found->stream_version;
  };
  EXPECT_EQ(look(tenant), 5000);
  const auto once = reads.events_given();
  EXPECT_EQ(look(tenant), 5000);
  EXPECT_EQ(reads.events_given(), once);
  write<run_state>(run, std::vector<domain::run_event>(3, waits));
  EXPECT_EQ(look(tenant), 5003);
  EXPECT_EQ(reads.events_given(), once + 3);
}

}  // namespace
