#include "persistence/private_postgres.hpp"

#include "persistence/child_process.hpp"
#include "persistence/roles.hpp"
#include "tests/unit/persistence/journal_fixture.hpp"

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <pqxx/pqxx>
#include <pwd.h>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

namespace {

using namespace reeve;
using namespace reeve::persistence;
using reeve::fixture::eventually;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

/// PostgreSQL refuses to be root, so a test that is root runs it as the package's user.
std::string unprivileged() {
  return ::geteuid() == 0 ? "postgres" : "";
}

/// One cluster for all these tests, because making one takes seconds: each leaves it stopped.
class private_cluster : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    auto pattern = (fs::temp_directory_path() / "reeve-pg-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    // PostgreSQL's user has to come through.
    ASSERT_EQ(::chmod(pattern.c_str(), 0755), 0);
    root_ = pattern;
  }
  static void TearDownTestSuite() { fs::remove_all(root_); }

  static private_postgres_options options() {
    private_postgres_options o;
    o.folder = (root_ / "pg").string();
    o.run_as = unprivileged();
    return o;
  }
  static fs::path data() { return root_ / "pg/data"; }
  static std::unique_ptr<private_postgres> start() {
    auto made = private_postgres::start(options());
    if (made) return std::move(*made);
    ADD_FAILURE() << made.error().detail;
    return nullptr;
  }
  static pid_t postmaster() {
    std::ifstream in(data() / "postmaster.pid");
    pid_t pid = 0;
    in >> pid;
    return pid;
  }
  static int answer(const std::string& url) {
    pqxx::connection connection(url);
    return pqxx::nontransaction(connection).exec1("SELECT 6 * 7")[0].as<int>();
  }
  /// A server in our folder that is nobody's child of ours by the rules: no death signal.
  static pid_t start_orphan() {
    child_options call;
    call.arguments = {binaries() + "/postgres", "-D", data().string(),    "-k",
                      (root_ / "pg").string(),  "-c", "listen_addresses="};
    call.log_file = (root_ / "pg/postgresql.log").string();
    call.run_as = unprivileged();
    const pid_t pid = spawn_child(call);
    EXPECT_TRUE(eventually([&] { return is_ready(pid); }));
    return pid;
  }
  static bool is_ready(pid_t pid) {
    std::ifstream in(data() / "postmaster.pid");
    std::string line, last;
    for (int i = 0; i < 8 && std::getline(in, line); ++i) last = i == 7 ? line : "";
    return postmaster() == pid && last.starts_with("ready");
  }
  static std::string binaries() {
    std::string best;
    for (const auto& entry : fs::directory_iterator("/usr/lib/postgresql")) {
      if (fs::exists(entry.path() / "bin/postgres")) best = std::max(best, entry.path().string());
    }
    return best + "/bin";
  }

  static fs::path root_;
};
fs::path private_cluster::root_;

TEST_F(private_cluster, DESIGN_private_it_is_made_reachable_by_socket_only_and_stopped) {
  auto pg = start();
  ASSERT_NE(pg, nullptr);
  EXPECT_TRUE(pg->alive());
  EXPECT_EQ(answer(pg->owner_url()), 42);
  EXPECT_EQ(pg->owner_url(), private_postgres::owner_url_of(options().folder));
  pqxx::connection connection(pg->owner_url());
  pqxx::nontransaction tx(connection);
  const auto setting = [&](const std::string& name) {
    return tx.exec1("SELECT current_setting('" + name + "')")[0].as<std::string>();
  };
  EXPECT_EQ(setting("listen_addresses"), "");
  EXPECT_EQ(setting("data_checksums"), "on");
  EXPECT_EQ(setting("server_encoding"), "UTF8");
  EXPECT_EQ(setting("fsync"), "on");
  EXPECT_EQ(setting("synchronous_commit"), "on");
  EXPECT_EQ(setting("log_parameter_max_length_on_error"), "0");
  struct stat about {};
  ASSERT_EQ(::stat((root_ / "pg").c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0700U);
  const auto pid = postmaster();
  pg.reset();
  EXPECT_FALSE(is_running(pid));
  EXPECT_FALSE(fs::exists(data() / "postmaster.pid")) << "it was not stopped in order";
}

TEST_F(private_cluster, DESIGN_private_peers_have_their_names_and_no_other) {
  auto pg = start();
  ASSERT_NE(pg, nullptr);
  roles_options roles;
  roles.owner_url = pg->owner_url();
  roles.peer = true;
  const auto logins = ensure_roles(roles);
  ASSERT_TRUE(logins) << logins.error().detail;
  EXPECT_EQ(logins->writer_role, private_writer);
  EXPECT_EQ(answer(logins->writer_url), 42);
  EXPECT_EQ(answer(logins->reader_url), 42);
  {
    pqxx::connection connection(pg->owner_url());
    pqxx::nontransaction(connection)
        .exec("DROP ROLE IF EXISTS stranger; CREATE ROLE stranger LOGIN");
  }
  const auto socket = "host='" + (root_ / "pg").string() + "' dbname=reeve user=";
  EXPECT_THROW(pqxx::connection(socket + "stranger"), pqxx::broken_connection);
}

TEST_F(private_cluster, DESIGN_private_what_was_written_is_there_at_the_next_start) {
  auto pg = start();
  ASSERT_NE(pg, nullptr);
  {
    pqxx::connection connection(pg->owner_url());
    pqxx::nontransaction(connection).exec("CREATE TABLE IF NOT EXISTS kept AS SELECT 7 AS n");
  }
  pg = nullptr;
  pg = start();
  ASSERT_NE(pg, nullptr);
  pqxx::connection connection(pg->owner_url());
  EXPECT_EQ(pqxx::nontransaction(connection).exec1("SELECT n FROM kept")[0].as<int>(), 7);
}

TEST_F(private_cluster, DESIGN_private_a_second_server_meets_the_lock) {
  auto pg = start();
  ASSERT_NE(pg, nullptr);
  const auto second = private_postgres::start(options());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, errc::conflict);
  EXPECT_EQ(answer(pg->owner_url()), 42) << "the first one was harmed";
}

TEST_F(private_cluster, DESIGN_private_a_command_goes_on_beside_a_server_at_once) {
  auto pg = start();
  ASSERT_NE(pg, nullptr);
  auto looking = options();
  looking.use = folder_use::look;
  looking.lock_wait_ms = 600'000;  // far longer than the test may take
  const auto second = private_postgres::start(looking);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, errc::conflict);
  EXPECT_EQ(answer(private_postgres::owner_url_of(looking.folder)), 42);
}

TEST_F(private_cluster, DESIGN_private_a_server_waits_for_a_command_and_not_for_a_server) {
  { ASSERT_NE(start(), nullptr); }
  auto looking = options();
  looking.use = folder_use::look;
  auto looker = private_postgres::start(looking);
  ASSERT_TRUE(looker) << looker.error().detail;
  auto serving = options();
  serving.lock_wait_ms = 0;
  int asked = 0;
  serving.is_ended = [&] { return ++asked == 3; };
  const auto ended = private_postgres::start(serving);
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, errc::unavailable) << "a signal ends the wait";
  serving.is_ended = [&] {
    if (++asked == 6) looker->reset();
    return false;
  };
  const auto served = private_postgres::start(serving);
  ASSERT_TRUE(served) << served.error().detail;
  EXPECT_GE(asked, 6);
  EXPECT_EQ(answer((*served)->owner_url()), 42);
  serving.is_ended = nullptr;
  EXPECT_EQ(private_postgres::start(serving).error().code, errc::conflict);
  serving.use = folder_use::look;
  EXPECT_EQ(private_postgres::start(serving).error().code, errc::conflict);
}

TEST_F(private_cluster, DESIGN_private_what_a_crash_left_in_the_lock_file_is_nobodys_word) {
  { ASSERT_NE(start(), nullptr); }
  const auto path = root_ / "pg/lock";
  for (const char* left : {"serve\n", "look\n", "of a later version\n"}) {
    std::ofstream(path, std::ios::trunc) << left;
    auto looking = options();
    looking.use = folder_use::look;
    const auto looker = private_postgres::start(looking);
    ASSERT_TRUE(looker) << left << looker.error().detail;
    std::ifstream in(path);
    std::string word;
    EXPECT_TRUE(in >> word);
    EXPECT_EQ(word, "look");
  }
}

TEST_F(private_cluster, DESIGN_private_it_is_revived_after_it_was_killed) {
  auto pg = start();
  ASSERT_NE(pg, nullptr);
  const auto first = postmaster();
  EXPECT_TRUE(pg->revive()) << "nothing to do";
  EXPECT_EQ(postmaster(), first);
  ASSERT_EQ(::kill(first, SIGKILL), 0);
  ASSERT_TRUE(eventually([&] { return !pg->alive(); }));
  const auto revived = pg->revive();
  ASSERT_TRUE(revived) << revived.error().detail;
  EXPECT_NE(postmaster(), first);
  EXPECT_EQ(answer(pg->owner_url()), 42);
}

TEST_F(private_cluster, DESIGN_private_it_dies_with_a_parent_that_is_killed) {
  int channel[2];
  ASSERT_EQ(::pipe(channel), 0);
  const pid_t parent = ::fork();
  ASSERT_GE(parent, 0);
  if (parent == 0) {
    const auto made = private_postgres::start(options());
    const pid_t pid = made ? postmaster() : 0;
    if (::write(channel[1], &pid, sizeof pid) != sizeof pid) ::_exit(1);
    for (;;) ::pause();
  }
  ::close(channel[1]);
  pid_t pid = 0;
  EXPECT_EQ(::read(channel[0], &pid, sizeof pid), static_cast<ssize_t>(sizeof pid));
  ::close(channel[0]);
  ::kill(parent, SIGKILL);
  EXPECT_EQ(wait_child(parent, 20'000), 128 + SIGKILL);
  ASSERT_GT(pid, 0);
  EXPECT_TRUE(eventually([&] { return !is_running(pid); }));
  EXPECT_NE(start(), nullptr);
}

TEST_F(private_cluster, DESIGN_private_an_orphan_is_found_and_stopped) {
  { ASSERT_NE(start(), nullptr); }
  const pid_t orphan = start_orphan();
  auto pg = start();
  ASSERT_NE(pg, nullptr);
  EXPECT_FALSE(is_running(orphan));
  EXPECT_NE(wait_child(orphan, 0), -1);
  EXPECT_NE(postmaster(), orphan);
  EXPECT_EQ(answer(pg->owner_url()), 42);
}

TEST_F(private_cluster, DESIGN_private_an_orphan_is_found_by_a_relative_path_too) {
  { ASSERT_NE(start(), nullptr); }
  const pid_t orphan = start_orphan();
  const auto here = fs::current_path();
  fs::current_path(root_);
  auto relative = options();
  relative.folder = "./pg/../pg";
  auto pg = private_postgres::start(relative);
  fs::current_path(here);
  ASSERT_TRUE(pg) << pg.error().detail;
  EXPECT_FALSE(is_running(orphan));
  EXPECT_NE(wait_child(orphan, 0), -1);
  EXPECT_EQ(answer((*pg)->owner_url()), 42);
}

TEST_F(private_cluster, DESIGN_private_a_stale_pid_that_is_now_somebody_elses_is_left_alone) {
  { ASSERT_NE(start(), nullptr); }
  child_options call;
  call.arguments = {"/bin/sleep", "600"};
  call.log_file = (root_ / "sleep.log").string();
  call.run_as = unprivileged();
  const pid_t stranger = spawn_child(call);
  std::ofstream(data() / "postmaster.pid") << stranger << "\n"
                                           << data().string() << "\n1\n5432\n\n\n\nready   \n";
  auto pg = private_postgres::start(options());
  EXPECT_TRUE(pg) << pg.error().detail;
  EXPECT_TRUE(is_running(stranger));
  if (pg) {
    EXPECT_EQ(answer((*pg)->owner_url()), 42);
  }
  ::kill(stranger, SIGKILL);
  EXPECT_EQ(wait_child(stranger, 20'000), 128 + SIGKILL);
}

TEST_F(private_cluster, DESIGN_private_another_version_is_never_migrated_silently) {
  { ASSERT_NE(start(), nullptr); }
  const auto file = data() / "PG_VERSION";
  const auto kept = root_ / "PG_VERSION";
  fs::copy_file(file, kept, fs::copy_options::overwrite_existing);
  std::ofstream(file, std::ios::trunc) << "9.6\n";
  const auto refused = private_postgres::start(options());
  const auto seen = private_postgres::look(options().folder);
  fs::copy_file(kept, file, fs::copy_options::overwrite_existing);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, errc::invalid);
  EXPECT_THAT(refused.error().detail, HasSubstr("pg_upgrade"));
  ASSERT_FALSE(seen);
  EXPECT_EQ(seen.error(), refused.error());
  const auto startable = private_postgres::look(options().folder);
  ASSERT_TRUE(startable);
  EXPECT_TRUE(startable->is_there);
  EXPECT_GE(startable->major, 15);
  const auto none = private_postgres::look((root_ / "none").string());
  EXPECT_TRUE(none && !none->is_there);
  EXPECT_FALSE(fs::exists(root_ / "none"));
}

TEST_F(private_cluster, DESIGN_private_a_look_makes_none) {
  auto looking = options();
  looking.use = folder_use::look;
  looking.folder = (root_ / "none").string();
  const auto none = private_postgres::start(looking);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, errc::not_found);
  EXPECT_THAT(none.error().detail, HasSubstr(looking.folder));
  EXPECT_FALSE(fs::exists(root_ / "none"));
}

TEST_F(private_cluster, DESIGN_private_a_start_that_was_cut_off_leaves_no_half_cluster) {
  auto other = options();
  other.folder = (root_ / "half with 'blanks'").string();
  fs::create_directories(fs::path(other.folder) / "data.new");
  std::ofstream(fs::path(other.folder) / "data.new/PG_VERSION") << "15\n";
  auto pg = private_postgres::start(other);
  ASSERT_TRUE(pg) << pg.error().detail;
  EXPECT_EQ(answer((*pg)->owner_url()), 42);
  EXPECT_FALSE(fs::exists(fs::path(other.folder) / "data.new"));
}

TEST_F(private_cluster, DESIGN_private_root_must_name_a_user) {
  if (::geteuid() != 0) {
    EXPECT_TRUE(options().run_as.empty()) << "nothing to name: the test is not root";
    return;
  }
  auto nobody = options();
  nobody.run_as = "";
  EXPECT_EQ(private_postgres::start(nobody).error().code, errc::invalid);
  nobody.run_as = "no-such-user";
  EXPECT_FALSE(private_postgres::start(nobody));
}

TEST_F(private_cluster, DESIGN_private_a_folder_of_somebody_else_is_refused) {
  if (::geteuid() != 0) return;  // only root can make one
  const auto path = root_ / "foreign";
  fs::create_directories(path);
  const passwd* stranger = ::getpwnam("nobody");
  ASSERT_NE(stranger, nullptr);
  ASSERT_EQ(::chown(path.c_str(), stranger->pw_uid, stranger->pw_gid), 0);
  auto there = options();
  there.folder = path.string();
  const auto refused = private_postgres::start(there);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, errc::unavailable);
  EXPECT_THAT(refused.error().detail, HasSubstr("somebody else"));
}

}  // namespace
