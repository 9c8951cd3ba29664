// P10, P31: the leader's session is cut while one of its calls to the engine is under way and
// arrives late, and a standby goes on. Nothing is executed twice, and what succeeded stays a
// success. The same with a program whose leadership never ends must be seen to execute twice.

#include "tests/support/chaos.hpp"
#include "tests/support/engine.hpp"
#include "tests/support/planted.hpp"
#include "tests/support/tally.hpp"
#include "tests/support/unix_proxy.hpp"
#include "tests/support/work.hpp"

#include <gtest/gtest.h>

using nlohmann::json;
using support::server;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

struct late_call {
  const char* name;
  const char* first_line;
};

constexpr late_call calls[] = {
    {"create", "^POST .*/containers/create"},
    {"archive", "^PUT .*/archive"},
    {"start", "^POST .*/start"},
    {"remove", "^DELETE .*/containers/"},
};

/// How long the leader that lost its session stays away: until the other one leads and it can see
/// that, or for good.
enum class loss { until_succeeded, for_good };

struct result {
  long starts = 0;
  std::string status;
  bool good() const { return starts == 1 && status == "success"; }
};

/// Two servers on one database and one engine; the first leads, and its way to both can be
/// disturbed.
class trial {
 public:
  explicit trial(const std::string& leaders_program = {})
      : folder_(support::work_dir(), "x"),
        database_proxy_(folder_.path() / ".s.PGSQL.5432",
                        folder_of(database_.url()) / ".s.PGSQL.5432"),
        engine_proxy_(folder_.path() / "engine", support::engine_socket()),
        first_(leader(leaders_program)),
        second_(standby()),
        cleanup_(support::engine(), "reeve.tenant=" + support::tenant_of(first_.api())) {
    second_.start_without_waiting();
    support::allow_image(first_.api());
  }

  /// `watched`: how long a second execution is looked for, once the late call has arrived.
  result run(const late_call& call, std::chrono::milliseconds delay, loss how,
             std::chrono::milliseconds watched = 3s) {
    engine_proxy_.delay_next(call.first_line, delay);
    const json run = support::launch(first_.api(), support::inline_launch({starts_.task("once")}));
    const std::string id = run.at("id");
    if (!support::eventually([&] { return engine_proxy_.has_met(); }))
      throw std::runtime_error(std::string("no call came: ") + call.name);
    database_proxy_.cut_off();
    second_.await_ready();
    if (how == loss::until_succeeded) database_proxy_.let_in();
    const support::api_client api(second_.address(), first_.token());
    const auto ended = support::await_run(api, id, 40s);
    support::eventually(delay + 5s, [&] { return engine_proxy_.has_handed_on(); });
    // What the first one still wants to do, it does now: it has its answer.
    support::eventually(watched, [&] { return starts_.starts_of("once") > 1; });
    return {starts_.starts_of("once"), ended.at("status")};
  }
  server& second() { return second_; }

 private:
  static fs::path folder_of(const std::string& url) {
    const auto begin = url.find("host=") + 5;
    return url.substr(begin, url.find('&', begin) - begin);
  }
  server leader(const std::string& program) {
    auto options = common();
    options.docker = "unix://" + (folder_.path() / "engine").string();
    options.database_url =
        "postgresql:///" + database_.name() + "?host=" + folder_.path().string() + "&user=reeve";
    const support::other_program now(program);
    return server(options);
  }
  server standby() {
    auto options = common();
    options.docker = support::real_engine();
    options.database_url = database_.url();
    options.start = false;
    return server(options);
  }
  support::server_options common() const {
    support::server_options options;
    options.environment["REEVE_MOUNT_ROOTS"] = starts_.root();
    return options;
  }
  support::tally starts_;
  support::test_database database_;
  support::scratch_dir folder_;
  support::unix_proxy database_proxy_;
  support::unix_proxy engine_proxy_;
  server first_;
  server second_;
  support::engine_cleanup cleanup_;
};

class P10_double_execution : public testing::TestWithParam<late_call> {
 protected:
  static void TearDownTestSuite() { support::tell_row("double_execution", bad, 0, done); }
  static inline int done = 0;
  static inline int bad = 0;
};

}  // namespace

TEST_P(P10_double_execution, never_happens_when_the_leader_is_cut_during_a_slow_call) {
  REEVE_TEST_TIME_LIMIT(90 * support::chaos_repeats());
  support::dice dice;
  for (int n = 0; n < support::chaos_repeats(); ++n) {
    // Half of them longer than lease and margin together.
    const bool is_long = dice.between(0, 1) == 1;
    const auto delay = is_long ? dice.moment(3600, 10'000) : dice.moment(300, 3400);
    const auto how = dice.between(0, 1) == 1 ? loss::for_good : loss::until_succeeded;
    trial one;
    const auto seen = one.run(GetParam(), delay, how);
    ++done;
    bad += seen.good() ? 0 : 1;
    EXPECT_EQ(seen.starts, 1) << GetParam().name << ", " << delay.count() << " ms, "
                              << (how == loss::for_good ? "for good" : "until succeeded");
    EXPECT_EQ(seen.status, "success") << GetParam().name << ", " << delay.count() << " ms, "
                                      << (how == loss::for_good ? "for good" : "until succeeded");
    support::expect_whole_log(one.second());
  }
}
INSTANTIATE_TEST_SUITE_P(late, P10_double_execution, testing::ValuesIn(calls),
                         [](const auto& about) { return std::string(about.param.name); });

TEST(P10_planted_defect, of_a_leadership_that_never_ends_is_seen_as_a_second_execution) {
  REEVE_TEST_TIME_LIMIT(90);
  trial one(support::planted_program());
  // Long enough for the standby to have finished the run and removed the marker with its volume.
  const auto seen = one.run(calls[1], 12s, loss::for_good, 15s * support::time_factor());
  EXPECT_GT(seen.starts, 1) << "the defect was not seen; the run ended as " << seen.status;
}
