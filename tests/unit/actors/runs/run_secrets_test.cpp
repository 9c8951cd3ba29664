// A job gets secrets of its tenant: which versions is in the log before it starts, and one that is
// gone by then ends it (ACC4).

#include "tests/unit/actors/runs/run_world.hpp"
#include "tests/unit/tasks/container/memory_values.hpp"

namespace {

using namespace run_world;

domain::task_spec task_with_secret() {
  auto task = steps::container_task("a");
  std::get<domain::container_params>(task.params).env =
      domain::env_map{{"DB_PASSWORD", domain::secret_ref{"db"}}};
  return task;
}

struct with_secrets : world {
  with_secrets() {
    put("hunter2-hunter2");
    ports.attempts.secret_values = &values;
  }
  void put(const std::string& value) {
    const auto id = steps::id_of(++made);
    values.held[id] = value;
    steps::take(secrets, decide(secrets, domain::put_secret{"db", id, sha256(value)}));
  }
  /// As the attempt finds them.
  void now_are(const domain::secret_list_state& list) { ports.attempts.secrets = always(list); }

  int made = 0;
  secrets_fixture::memory_values values;
};

TEST(ACC4_job, has_the_version_of_its_start_in_its_intent) {
  with_secrets here;
  here.launch(task_with_secret());
  here.put("hunter3-hunter3");
  here.now_are(here.secrets);
  here.start();
  ASSERT_TRUE(here.comes_to("run_finished"));
  const auto job = here.state().jobs.front();
  EXPECT_EQ(job.status, domain::job_status::success);
  ASSERT_EQ(job.attempts.size(), 1U);
  EXPECT_EQ(job.attempts[0].intent.secrets, (std::vector<domain::secret_use>{{"db", 2}}));
  for (const auto& record : here.log.read(here.stream, 0)) {
    EXPECT_EQ(record.payload.find("hunter"), std::string::npos) << record.type;
  }
}

TEST(ACC4_job, whose_secret_was_deleted_before_its_start_says_so) {
  with_secrets here;
  here.launch(task_with_secret());
  steps::take(here.secrets, decide(here.secrets, domain::delete_secret{"db"}));
  here.now_are(here.secrets);
  here.start();
  ASSERT_TRUE(here.comes_to("run_finished"));
  const auto job = here.state().jobs.front();
  EXPECT_EQ(job.status, domain::job_status::failed);
  EXPECT_EQ(job.reason, domain::end_reason::input_missing);
  EXPECT_TRUE(job.attempts.empty()) << "nothing was begun";
}

TEST(ACC4_job, whose_secret_cannot_be_opened_says_so) {
  with_secrets here;
  here.values.trouble = reject(errc::internal, "the key is lost");
  here.launch(task_with_secret());
  here.now_are(here.secrets);
  here.start();
  ASSERT_TRUE(here.comes_to("run_finished"));
  EXPECT_EQ(here.state().jobs.front().reason, domain::end_reason::internal_error);
}

}  // namespace
