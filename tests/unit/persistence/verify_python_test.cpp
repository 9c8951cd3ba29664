// The second implementation of the log's format (docs/verify_log.py, Python, written from the
// published description) says the same as ours: of the vectors, of exports, and of changed ones.

#include "tests/support/source_dir.hpp"
#include "tests/unit/persistence/verify_fixture.hpp"

#include <cstdio>
#include <fstream>
#include <gtest/gtest.h>
#include <random>
#include <sys/wait.h>

namespace {

using namespace reeve;
using namespace reeve::persistence;
using namespace reeve::fixture;

struct python_result {
  int status = -1;
  std::string output;
};

python_result run_python(const std::string& arguments) {
  python_result result;
  const std::string command =
      "/usr/bin/python3 '" + support::source_dir() + "/docs/verify_log.py' " + arguments + " 2>&1";
  FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return result;
  char piece[4096];
  for (std::size_t n = 0; (n = std::fread(piece, 1, sizeof piece, pipe)) > 0;) {
    result.output.append(piece, n);
  }
  const int status = ::pclose(pipe);
  result.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return result;
}

class EV6_python : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { log = new signed_log; }
  static void TearDownTestSuite() { delete log; }
  EV6_python() : file(::testing::TempDir() + fresh_stream("export")) {}
  ~EV6_python() override { std::filesystem::remove(file); }

  python_result check(const std::string& text, const std::string& more = "") const {
    std::ofstream(file, std::ios::binary) << text;
    return run_python(more + " '" + file + "'");
  }

  static signed_log* log;
  std::string file;
};

signed_log* EV6_python::log = nullptr;

TEST_F(EV6_python, agrees_with_the_vectors) {
  const auto result =
      run_python("--vectors '" + support::source_dir() + "/tests/unit/data/log_vectors.json'");
  EXPECT_EQ(result.status, 0) << result.output;
  EXPECT_NE(result.output.find("10 events, 1 checkpoints"), std::string::npos) << result.output;
}

TEST_F(EV6_python, agrees_with_exports) {
  for (const auto& text : {log->exported(), log->exported(log->tenant)}) {
    const auto result =
        check(text, "--heads '" + log->options.heads_file + "' --key=" + log->public_key);
    EXPECT_EQ(result.status, 0) << result.output;
    EXPECT_NE(result.output.find(to_hex(log->last.hash)), std::string::npos) << result.output;
    EXPECT_EQ(result.output.find("not checked"), std::string::npos) << result.output;
    const bool filtered = text != log->exported();
    EXPECT_EQ(result.output.find("Only events of tenant") != std::string::npos, filtered);
  }
  EXPECT_EQ(check("{}\n").status, 2);
}

TEST_F(EV6_python, P5_finds_what_we_find_where_we_find_it) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const auto whole = lines_of(log->exported());
  for (int i = 0; i < 16; ++i) {
    auto changed = whole;
    const auto a = 1 + random() % (changed.size() - 1);
    if (i % 4 == 0) changed.erase(changed.begin() + static_cast<long>(a));
    if (i % 4 == 1) changed[a][random() % changed[a].size()] ^= 1;
    if (i % 4 == 2) changed.resize(a);
    if (i % 4 == 3) changed.insert(changed.begin() + static_cast<long>(a), changed[a]);
    const auto text = text_of(changed);
    const auto ours = found_in(text, {"", log->public_key});
    ASSERT_TRUE(ours) << "change " << i;
    const auto theirs = check(text, "--key=" + log->public_key);
    EXPECT_EQ(theirs.status, 1) << theirs.output;
    EXPECT_TRUE(theirs.output.starts_with("Position " + std::to_string(*ours) + " "))
        << "change " << i << " of line " << a << ": ours " << *ours << ", theirs " << theirs.output;
  }
}

TEST_F(EV6_python, P5_a_blanked_event_is_found_where_ours_finds_it) {
  auto lines = lines_of(log->exported());
  const auto event = *import_line(lines[3])->event;
  lines[3] = leaf_line(event);
  EXPECT_EQ(found_in(text_of(lines), {}), event.position);
  const auto theirs = check(text_of(lines));
  EXPECT_EQ(theirs.status, 1) << theirs.output;
  EXPECT_TRUE(theirs.output.starts_with("Position " + std::to_string(event.position) + " "))
      << theirs.output;
}

TEST_F(EV6_python, P5_a_cut_log_is_caught_by_a_head_from_outside) {
  auto lines = lines_of(log->exported());
  std::erase_if(lines, [](const auto& line) { return line.starts_with("{\"checkpoint\""); });
  lines.erase(lines.end() - 3, lines.end());
  lines.push_back(end_of_export(0, lines.size() - 1));
  EXPECT_EQ(check(text_of(lines)).status, 0);
  const auto result = check(text_of(lines), "--heads '" + log->options.heads_file + "'");
  EXPECT_EQ(result.status, 1) << result.output;
  EXPECT_NE(result.output.find("Position " + std::to_string(log->last.position - 1)),
            std::string::npos)
      << result.output;
}

}  // namespace
