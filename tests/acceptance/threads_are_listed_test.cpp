// Every thread of a server has a name and stands in docs/threads.md (OPS2).

#include "tests/support/server.hpp"
#include "tests/support/source_dir.hpp"
#include "tests/support/work.hpp"

#include <fstream>
#include <gtest/gtest.h>
#include <sstream>

namespace {

using namespace std::chrono_literals;

struct listed {
  std::string number;  // "1", "some"; others are not there always
  std::string where;
};

std::string trimmed(std::string text) {
  text.erase(0, std::min(text.find_first_not_of(' '), text.size()));
  text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

/// The names in the backquotes of a text.
std::vector<std::string> quoted_in(const std::string& text) {
  std::vector<std::string> found;
  for (auto at = text.find('`'); at != std::string::npos; at = text.find('`', at)) {
    const auto end = text.find('`', at + 1);
    if (end == std::string::npos) break;
    found.push_back(text.substr(at + 1, end - at - 1));
    at = end + 1;
  }
  return found;
}

std::map<std::string, listed> table() {
  std::map<std::string, listed> rows;
  std::ifstream in(support::source_dir() + "/docs/threads.md");
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with("| `")) continue;
    std::stringstream cells(line.substr(1));
    std::string names, number, where;
    std::getline(cells, names, '|');
    std::getline(cells, number, '|');
    std::getline(cells, where, '|');
    for (const auto& name : quoted_in(names)) rows[name] = {trimmed(number), trimmed(where)};
  }
  return rows;
}

std::map<std::string, int> threads_of(pid_t pid) {
  std::map<std::string, int> counts;
  std::error_code gone;
  for (std::filesystem::directory_iterator it("/proc/" + std::to_string(pid) + "/task", gone), end;
       !gone && it != end; it.increment(gone)) {
    std::ifstream in(it->path() / "comm");
    std::string name;
    if (std::getline(in, name)) ++counts[name];
  }
  return counts;
}

}  // namespace

TEST(OPS2_threads, have_names_and_stand_in_the_list) {
  const auto rows = table();
  ASSERT_GT(rows.size(), 10U);
  support::server server;
  const auto api = server.api();
  // Whatever comes with the first work is there after it.
  ASSERT_EQ(api.post("/api/runs/launch", {{"tasks", {"task1", "task1", "task1", "task1"}}}).status,
            201);
  std::map<std::string, int> seen;
  std::string missing;
  const auto all_there = [&] {
    seen = threads_of(server.pid());
    for (const auto& [name, row] : rows) {
      missing = name;
      const bool wanted = row.number == "1" || row.number == "some";
      if (wanted && !seen.contains(name)) return false;
    }
    return true;
  };
  EXPECT_TRUE(support::eventually(10s * support::time_factor(), all_there))
      << missing << " is listed and not there";
  for (const auto& [name, count] : seen) {
    ASSERT_TRUE(rows.contains(name)) << "\"" << name << "\" is in no list";
    if (rows.at(name).number.starts_with("1")) {
      EXPECT_EQ(count, 1) << name;
    }
  }
}

TEST(OPS2_threads, that_stand_in_the_tree_stand_there) {
  support::server server;
  const auto agents = server.api().get("/api/agents").json();
  const auto text = agents.dump();
  for (const auto& [name, row] : table()) {
    for (const auto& path : quoted_in(row.where)) {
      if (!path.starts_with("root")) continue;
      EXPECT_NE(text.find("\"path\":\"" + path + "\""), std::string::npos) << name << ": " << path;
    }
  }
}
