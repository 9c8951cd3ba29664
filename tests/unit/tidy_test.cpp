// The style of the house, enforced: every tracked file is checked, and every check is checked with
// a planted defect.

#include "base/named_thread.hpp"
#include "tests/support/source_dir.hpp"
#include "tests/unit/tidy_structure.hpp"
#include "tests/unit/tidy_text.hpp"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <iterator>

namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using tidy::finding;
using tidy::source;

namespace fs = std::filesystem;

/// Tracked and new files; without git, everything outside of build folders.
std::vector<std::string> project_files(const fs::path& root) {
  std::vector<std::string> paths;
  if (fs::exists(root / ".git")) {
    const std::string command = "git -C '" + root.string() +
                                "' -c safe.directory='*' -c core.quotePath=false ls-files --cached "
                                "--others --exclude-standard";
    if (FILE* pipe = ::popen(command.c_str(), "r")) {
      char line[4096];
      while (std::fgets(line, sizeof line, pipe) != nullptr) {
        paths.emplace_back(line, std::string_view(line).find_last_not_of('\n') + 1);
      }
      if (::pclose(pipe) == 0 && !paths.empty()) return paths;
      paths.clear();
    }
  }
  for (auto it = fs::recursive_directory_iterator(root); it != fs::end(it); ++it) {
    const std::string name = it->path().filename();
    if (name == ".git" || name == "build" || name == "var" || name == ".cache") {
      it.disable_recursion_pending();
    } else if (it->is_regular_file()) {
      paths.push_back(fs::relative(it->path(), root));
    }
  }
  return paths;
}

/// Ours and text: no licence texts, no built or recorded files.
bool is_checked(const std::string& path) {
  if (path.starts_with("web/dist/") || path.find("/data/") != std::string::npos) return false;
  if (path == "run" || path == "test" || path == ".ci/run" || path == "Dockerfile") return true;
  for (const char* ending : {".cpp", ".hpp", ".c", ".def", ".sql", ".sh", ".cmake", ".py", ".md",
                             ".txt", ".json", ".yml", ".example"}) {
    if (path.ends_with(ending)) return true;
  }
  return false;
}

/// Lines of prose and of data may be as long as they must.
bool has_long_lines(const std::string& path) {
  for (const char* ending : {".md", ".json", ".txt", ".cmake", ".yml"}) {
    if (path.ends_with(ending)) return true;
  }
  return false;
}

std::vector<source> read_project() {
  const fs::path root = support::source_dir();
  std::vector<source> files;
  for (const auto& path : project_files(root)) {
    std::ifstream in(root / path, std::ios::binary);
    // A file that is tracked and was just removed is not there.
    if (!is_checked(path) || !in) continue;
    files.push_back({path, {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()}});
  }
  return files;
}

const std::vector<source>& project() {
  static const std::vector<source> files = read_project();
  return files;
}

std::string told(const std::vector<finding>& findings) {
  std::string out;
  for (const auto& one : findings) {
    out += one.path + ":" + std::to_string(one.line) + ": " + one.advice + "\n";
  }
  return out;
}

std::string walls_of(const std::string& path, const std::string& line) {
  return told(tidy::check_walls({{path, "#include " + line + "\n"}}));
}

std::string function_of(std::size_t lines) {
  std::string text = "int f(int a) {\n";
  for (std::size_t i = 2; i < lines; ++i) text += "  a += \"}{\"[0];  // }\n";
  return text + "}\n";
}

}  // namespace

TEST(STYLE_tree, keeps_the_walls) {
  ASSERT_GT(project().size(), 20U);
  EXPECT_EQ(told(tidy::check_walls(project())), "");
}

TEST(STYLE_tree, keeps_its_structure) {
  EXPECT_EQ(told(tidy::check_structure(project())), "");
}

TEST(STYLE_tree, keeps_the_sizes) {
  std::vector<finding> findings;
  for (const auto& file : project()) {
    if (has_long_lines(file.path)) continue;
    for (auto& one : tidy::check_sizes(file)) findings.push_back(std::move(one));
  }
  EXPECT_EQ(told(findings), "");
}

TEST(STYLE_tree, speaks_of_reeve_alone) {
  // Of a clone right below the root there is nothing to tell from other paths.
  const fs::path root = support::source_dir();
  const std::string here = root.parent_path() == root.root_path() ? "\v" : root.string() + "/";
  std::vector<finding> findings;
  for (const auto& file : project()) {
    for (auto& one : tidy::check_words(file, here)) findings.push_back(std::move(one));
  }
  EXPECT_EQ(told(findings), "");
}

TEST(STYLE_tree, starts_no_thread_without_a_name) {
  std::vector<finding> findings;
  for (const auto& file : project()) {
    for (auto& one : tidy::check_threads(file)) findings.push_back(std::move(one));
  }
  EXPECT_EQ(told(findings), "");
}

/// A recipe that names a file of yesterday is worse than none.
TEST(STYLE_tree, has_the_files_that_its_guides_name) {
  for (const char* guide : {"ARCHITECTURE.md", "CONTRIBUTING.md"}) {
    std::ifstream in(fs::path(support::source_dir()) / guide);
    const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    std::size_t named = 0;
    for (std::size_t at = text.find('`'), end; at != text.npos; at = text.find('`', end + 1)) {
      end = text.find('`', at + 1);
      const std::string path = text.substr(at + 1, end - at - 1);
      const bool is_file = path.find('/') != path.npos && path.find('.') != path.npos &&
                           path.find_first_of(" <>*{}()") == path.npos && path[0] != '/';
      if (!is_file) continue;
      ++named;
      EXPECT_TRUE(fs::exists(fs::path(support::source_dir()) / path)) << guide << ": " << path;
    }
    EXPECT_GT(named, 5U) << guide;
  }
}

TEST(STYLE_tree, has_gapless_and_unchanged_migrations) {
  EXPECT_EQ(told(tidy::check_migrations(project())), "");
}

TEST(STYLE_walls, let_through_what_the_table_permits) {
  EXPECT_EQ(walls_of("base/log.cpp", "<spdlog/spdlog.h>"), "");
  EXPECT_EQ(walls_of("domain/runs/run.hpp", "\"base/outcome.hpp\""), "");
  EXPECT_EQ(walls_of("codec/json.cpp", "<nlohmann/json.hpp>"), "");
  EXPECT_EQ(walls_of("persistence/journal.cpp", "<pqxx/pqxx>"), "");
  EXPECT_EQ(walls_of("api/http_server.cpp", "<boost/beast/http.hpp>"), "");
  EXPECT_EQ(walls_of("api/http_session.hpp", "<boost/asio/ip/tcp.hpp>"), "");
  EXPECT_EQ(walls_of("api/routes/runs.cpp", "\"actors/command_port.hpp\""), "");
  EXPECT_EQ(walls_of("api/routes/runs.cpp", "\"persistence/read_port.hpp\""), "");
  EXPECT_EQ(walls_of("api/llm_pass.cpp", "\"adapters/llm_call_port.hpp\""), "");
  EXPECT_EQ(walls_of("cli/main.cpp", "<CLI/CLI.hpp>"), "");
  EXPECT_EQ(walls_of("tests/acceptance/x_test.cpp", "\"tests/support/server.hpp\""), "");
}

TEST(STYLE_walls, catch_planted_includes) {
  const std::vector<std::pair<std::string, std::string>> planted = {
      {"base/clock.cpp", "<spdlog/spdlog.h>"},
      {"api/llm_pass.cpp", "\"adapters/llm_caller.hpp\""},
      {"base/clock.cpp", "\"domain/event.hpp\""},
      {"domain/runs/run.cpp", "<chrono>"},
      {"domain/runs/run.cpp", "<nlohmann/json.hpp>"},
      {"domain/runs/run.cpp", "\"base/log.hpp\""},
      {"domain/runs/run.cpp", "\"codec/json.hpp\""},
      {"codec/json.hpp", "<nlohmann/json.hpp>"},
      {"codec/json.cpp", "<pqxx/pqxx>"},
      {"persistence/journal.cpp", "<boost/asio.hpp>"},
      {"persistence/journal.cpp", "<nlohmann/json.hpp>"},
      {"persistence/journal.cpp", "\"actors/command_port.hpp\""},
      {"adapters/docker.cpp", "<caf/all.hpp>"},
      {"adapters/docker.cpp", "\"persistence/journal.hpp\""},
      {"actors/run.cpp", "<boost/beast.hpp>"},
      {"actors/run.cpp", "<nlohmann/json.hpp>"},
      {"api/route.cpp", "<boost/beast/http.hpp>"},
      {"api/http_types.hpp", "<boost/beast/http.hpp>"},
      {"api/routes/runs.cpp", "<boost/asio/post.hpp>"},
      {"api/route.cpp", "\"actors/executor.hpp\""},
      {"api/route.cpp", "\"persistence/journal.hpp\""},
      {"api/http_server.cpp", "<nlohmann/json.hpp>"},
      {"cli/main.cpp", "<pqxx/pqxx>"},
      {"tests/acceptance/x_test.cpp", "\"base/outcome.hpp\""},
      {"tests/support/http.cpp", "<boost/beast.hpp>"},
      {"api/route.cpp", "\"route.hpp\""},
  };
  for (const auto& [path, line] : planted) {
    EXPECT_THAT(walls_of(path, line), HasSubstr(path + ":1: ")) << line;
  }
}

TEST(STYLE_walls, tell_ports_by_their_names) {
  for (const char* path : {"actors/x.cpp", "tasks/triage/x.cpp"}) {
    EXPECT_EQ(walls_of(path, "\"persistence/append_port.hpp\""), "");
    EXPECT_EQ(walls_of(path, "\"adapters/engine_port.hpp\""), "");
    // Whatever it holds.
    EXPECT_THAT(walls_of(path, "\"persistence/leaf.hpp\""), HasSubstr("*_port.hpp"));
    EXPECT_THAT(walls_of(path, "\"adapters/tar.hpp\""), HasSubstr("*_port.hpp"));
  }
  EXPECT_THAT(walls_of("api/x.cpp", "\"persistence/append_port.hpp\""), HasSubstr("read_port"));
}

TEST(STYLE_walls, let_ports_hold_nothing_of_their_rooms) {
  const std::string port = "persistence/append_port.hpp";
  EXPECT_EQ(walls_of(port, "<string>"), "");
  EXPECT_EQ(walls_of(port, "\"base/ids.hpp\""), "");
  EXPECT_EQ(walls_of(port, "\"persistence/read_port.hpp\""), "");
  EXPECT_THAT(walls_of(port, "<pqxx/pqxx>"), HasSubstr("a port has std"));
  EXPECT_THAT(walls_of(port, "<sys/stat.h>"), HasSubstr("a port has std"));
  EXPECT_THAT(walls_of(port, "\"persistence/leaf.hpp\""), HasSubstr("a port has std"));
  EXPECT_THAT(walls_of("adapters/engine_port.hpp", "\"codec/json.hpp\""),
              HasSubstr("a port has std"));
  EXPECT_EQ(walls_of("persistence/leaf.hpp", "<pqxx/pqxx>"), "");
}

TEST(STYLE_walls, see_includes_however_they_are_written) {
  for (const char* text :
       {"#include  <caf/all.hpp>", "# include <caf/all.hpp>", "  #include<caf/all.hpp>",
        "#\tinclude\t<caf/all.hpp>", "#include_next <caf/all.hpp>", "#include SOME_HEADER"}) {
    EXPECT_THAT(tidy::check_walls({{"domain/x.hpp", std::string(text) + "\n"}}), SizeIs(1)) << text;
  }
  EXPECT_THAT(tidy::check_walls({{"domain/x.hpp", "// #include <caf/all.hpp>\n"}}), IsEmpty());
}

namespace {

/// Whether one of the findings says this of this file.
std::string structure_of(const std::vector<source>& files) {
  return told(tidy::check_structure(files));
}

}  // namespace

TEST(STYLE_structure, follows_includes_through_our_own_headers) {
  const source run{"domain/runs/run.cpp", "#include \"base/one.hpp\"\n"};
  const source one{"base/one.hpp", "#include \"base/two.hpp\"\n"};
  const source clean{"base/two.hpp", "#include <string>\n"};
  const source dirty{"base/two.hpp", "#include <caf/actor.hpp>\n"};
  EXPECT_EQ(structure_of({run, one, clean}), "");
  EXPECT_THAT(structure_of({run, one, dirty}),
              HasSubstr("domain/runs/run.cpp:1: is compiled with caf in it, through base/two.hpp"));
}

TEST(STYLE_structure, finds_rooms_without_a_row_and_files_that_are_none) {
  EXPECT_THAT(structure_of({{"helpers/x.cpp", "int a;\n"}}), HasSubstr("no row in the table"));
  EXPECT_THAT(structure_of({{"base/x.cpp", "#include \"base/x.inc\"\n"}}),
              HasSubstr("base/x.cpp:1: includes base/x.inc"));
}

TEST(STYLE_structure, finds_headers_that_nobody_uses) {
  const source header{"base/x.hpp", "int x();\n"};
  const source own{"base/x.cpp", "#include \"base/x.hpp\"\n"};
  const source test{"tests/unit/base/x_test.cpp", "#include \"base/x.hpp\"\n"};
  const source user{"base/y.cpp", "#include \"base/x.hpp\"\n"};
  EXPECT_THAT(structure_of({header, own, test}), HasSubstr("base/x.hpp:1: nobody uses it"));
  EXPECT_EQ(structure_of({header, own, test, user}), "");
}

TEST(STYLE_structure, finds_circles_between_rooms) {
  const source a{"domain/a/a.hpp", "#include \"domain/b/b.hpp\"\n"};
  const source b{"domain/b/b.hpp", "#include \"domain/c/c.hpp\"\n"};
  const source c{"domain/c/c.hpp", "#include \"domain/a/d.hpp\"\n"};
  const source d{"domain/a/d.hpp", "int d;\n"};
  const source user{"domain/all.cpp", "#include \"domain/a/a.hpp\"\n"};
  EXPECT_THAT(structure_of({a, b, c, d, user}), HasSubstr("include each other"));
  EXPECT_EQ(structure_of({a,
                          b,
                          {"domain/c/c.hpp", "int c;\n"},
                          {"domain/d.cpp", "#include \"domain/a/d.hpp\"\n"},
                          d,
                          user}),
            "");
}

TEST(STYLE_walls, allow_one_unit_with_the_argument_parser) {
  const source first{"cli/options.cpp", "#include <CLI/CLI.hpp>\n"};
  const source second{"cli/verify.cpp", "#include <CLI/CLI.hpp>\n"};
  EXPECT_THAT(tidy::check_walls({first}), IsEmpty());
  EXPECT_THAT(tidy::check_walls({first, second}), SizeIs(1));
}

TEST(STYLE_sizes, have_their_limits_exactly_where_they_are) {
  EXPECT_THAT(tidy::check_sizes({"a.cpp", std::string(100, 'x') + "\n"}), IsEmpty());
  EXPECT_THAT(tidy::check_sizes({"a.cpp", std::string(101, 'x') + "\n"}), SizeIs(1));
  std::string wide;
  for (int i = 0; i < 100; ++i) wide += "µ";
  EXPECT_THAT(tidy::check_sizes({"a.cpp", wide + "\n"}), IsEmpty());
  EXPECT_THAT(tidy::check_sizes({"a.cpp", std::string(400, '\n')}), IsEmpty());
  EXPECT_THAT(tidy::check_sizes({"a.cpp", std::string(401, '\n')}), SizeIs(1));
  EXPECT_THAT(tidy::check_sizes({"a.hpp", "int a;\n"}), SizeIs(1));
  EXPECT_THAT(tidy::check_sizes({"a.cpp", function_of(70)}), IsEmpty());
  EXPECT_THAT(tidy::check_sizes({"a.cpp", function_of(71)}), SizeIs(1));
}

TEST(STYLE_sizes, find_functions_wherever_they_hide) {
  const std::string lines(69, '\n');
  const std::vector<std::string> long_ones = {
      "namespace a {\nclass b {\n public:\n  int c() const {" + lines + "\n  }\n};\n}\n",
      "template <class T>\nstruct s {\n  s() : a_{1}, b_{2} {" + lines + "\n  }\n  int a_, b_;\n};",
      "TEST(a, b) {" + lines + "\n}\n",
      "const auto f = [](int a) {" + lines + "\n};\n",
      "#define X {\nint g() {" + lines + "\n}\n",
      "auto big = 1'000; auto raw = R\"x({{{ \" )x\"; char c = '{';\nint h() {" + lines + "\n}\n",
  };
  for (const auto& text : long_ones) {
    EXPECT_THAT(tidy::check_sizes({"a.cpp", text}), SizeIs(1)) << text;
  }
  const std::vector<std::string> harmless = {
      "namespace a {" + lines + lines + "}\n",
      "class a : public b<int (*)(int)> {" + lines + lines + "};\n",
      "const int table[] = {" + lines + lines + "};\n",
      "template <class T>\n  requires(sizeof(T) > 1)\nstruct s {" + lines + lines + "};\n",
  };
  for (const auto& text : harmless) {
    EXPECT_THAT(tidy::check_sizes({"a.cpp", text}), IsEmpty()) << text;
  }
}

TEST(STYLE_words, catch_what_does_not_belong_here) {
  const std::string here = "/home/somebody/project/";
  for (const std::string& text :
       {"// see " + here + "x", std::string("// TO") + "DO: x", std::string("GTEST_") + "SKIP();",
        std::string("std::this_thread::sleep_") + "for(1s);"}) {
    EXPECT_THAT(tidy::check_words({"a_test.cpp", "int a;\n" + text + "\n"}, here), SizeIs(1))
        << text;
  }
  EXPECT_THAT(tidy::check_words({"a.cpp", "// how it works\n"}, here), IsEmpty());
}

TEST(STYLE_threads, are_started_by_their_name) {
  for (const char* text : {"t_ = std::thread([] {});", "std::thread{work}.detach();",
                           "auto f = std::async(std::launch::async, g);", "std::jthread t(f);"}) {
    EXPECT_THAT(tidy::check_threads({"cli/a.cpp", std::string(text) + "\n"}), SizeIs(1)) << text;
    EXPECT_THAT(tidy::check_threads({"tests/a_test.cpp", std::string(text) + "\n"}), IsEmpty());
  }
  EXPECT_THAT(tidy::check_threads({"cli/a.hpp", "std::thread thread_;\n"}), IsEmpty());
}

TEST(STYLE_migrations, catch_gaps_twins_and_changes) {
  const auto sum = [](const std::string& text) { return reeve::to_hex(reeve::sha256(text)); };
  const source first{"migrations/001_log.sql", "SELECT 1;\n"};
  const source second{"migrations/002_read.sql", "-- follows " + sum(first.text) + "\nSELECT 2;\n"};
  const source third{"migrations/003_more.sql",
                     "-- follows " + sum(first.text + second.text) + "\nSELECT 3;\n"};
  const auto told_of = [&](const std::vector<source>& files) {
    return told(tidy::check_migrations(files, {1, sum(first.text)}));
  };
  EXPECT_EQ(told_of({first, second, third}), "");
  EXPECT_EQ(told_of({third, first, second}), "") << "the names order them";

  const auto changed = [](source file) {
    file.text += "SELECT 4;\n";
    return file;
  };
  EXPECT_THAT(told_of({changed(first), second, third}), HasSubstr("was changed"));
  EXPECT_THAT(told_of({first, changed(second), third}), HasSubstr("003_more.sql:1: an old"));
  EXPECT_THAT(told_of({}), HasSubstr("is gone"));
  EXPECT_THAT(told_of({second, third}), HasSubstr("no gaps"));
  EXPECT_THAT(told_of({first, third}), HasSubstr("no gaps"));
  const source twin{"migrations/002_other.sql", second.text};
  EXPECT_THAT(told_of({first, second, twin}), HasSubstr("no twins"));
  const source fresh{"migrations/003_new.sql", "SELECT 3;\n"};
  EXPECT_THAT(told_of({first, second, fresh}),
              HasSubstr("its first line is \"-- follows " + sum(first.text + second.text)));
}
