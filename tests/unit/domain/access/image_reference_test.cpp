// References of images: the grammar, the defaults, patterns. Vectors of the distribution project
// are read from the corpora when they are beside the project; our own always hold.

#include "domain/access/image_reference.hpp"

#include "codec/json.hpp"
#include "tests/support/source_dir.hpp"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <iostream>
#include <random>
#include <set>
#include <sstream>

namespace {

using namespace reeve;
using namespace reeve::domain;

constexpr const char* refused = "refused";
const std::string hex64(64, 'f');

std::string normal(std::string_view text) {
  const auto ref = parse_image_reference(text);
  if (!ref) {
    EXPECT_EQ(ref.error().code, errc::invalid);
    EXPECT_FALSE(ref.error().detail.empty());
  }
  return ref ? to_string(*ref) : refused;
}

TEST(CTR2_image_reference, fills_in_registry_library_and_tag) {
  EXPECT_EQ(normal("busybox"), "docker.io/library/busybox:latest");
  EXPECT_EQ(normal("busybox:1.36"), "docker.io/library/busybox:1.36");
  EXPECT_EQ(normal("team/app"), "docker.io/team/app:latest");
  EXPECT_EQ(normal("docker.io/busybox"), "docker.io/library/busybox:latest");
  EXPECT_EQ(normal("index.docker.io/library/busybox"), "docker.io/library/busybox:latest");
  EXPECT_EQ(normal("localhost/app"), "localhost/app:latest");
  EXPECT_EQ(normal("localhost:1/box:1"), "localhost:1/box:1");
  EXPECT_EQ(normal("localhost:5000"), "docker.io/library/localhost:5000");
  EXPECT_EQ(normal("r.example.com:5000/a/b/c:x"), "r.example.com:5000/a/b/c:x");
  EXPECT_EQ(normal("Registry/app"), "Registry/app:latest");
  EXPECT_EQ(normal("[2001:db8::1]:5000/repo"), "[2001:db8::1]:5000/repo:latest");
  EXPECT_EQ(normal("app@sha256:" + hex64), "docker.io/library/app@sha256:" + hex64);
  EXPECT_EQ(normal("app:1@sha256:" + hex64), "docker.io/library/app:1@sha256:" + hex64);
}

TEST(CTR2_image_reference, takes_the_separators_of_the_grammar) {
  for (const char* good : {"a.b", "a_b", "a__b", "a-b", "a---b", "a1/b2", "0", "a:_x", "a:X.y-z"}) {
    EXPECT_NE(normal(good), refused) << good;
  }
  EXPECT_EQ(parse_image_reference("a:" + std::string(128, 't'))->tag.size(), 128U);
}

TEST(CTR2_image_reference, refuses_what_no_engine_takes) {
  const std::string tag129(129, 'a');
  for (const std::string& bad : {std::string(),
                                 std::string(":tag"),
                                 std::string("@sha256:") + hex64,
                                 std::string("Upper"),
                                 std::string("a/Upper"),
                                 std::string("a//b"),
                                 std::string("-a"),
                                 std::string("a-"),
                                 std::string("a..b"),
                                 std::string("a___b"),
                                 std::string("a_.b"),
                                 std::string("a/b/"),
                                 std::string("/a"),
                                 std::string("a:"),
                                 std::string("a:b:c"),
                                 std::string("a:.x"),
                                 std::string("a:-x"),
                                 std::string("a b"),
                                 std::string("a\nb"),
                                 std::string("a*"),
                                 "a:" + tag129,
                                 std::string("a@sha256:ff"),
                                 "a@md5:" + hex64,
                                 "a@sha256:" + std::string(64, 'F'),
                                 "a@sha256:" + hex64 + "@sha256:" + hex64,
                                 hex64,
                                 std::string("https://host/a"),
                                 std::string("[fe80::1%eth0]:5000/a"),
                                 std::string("[::1]"),
                                 std::string("host:port/a"),
                                 std::string("host:/a"),
                                 std::string("host:123456/a"),
                                 std::string("-h.io/a"),
                                 std::string("h-.io/a"),
                                 std::string("h..io/a"),
                                 std::string(".io/a"),
                                 std::string("a\0b", 3)}) {
    EXPECT_EQ(normal(bad), refused) << bad;
  }
}

TEST(CTR2_image_reference, measures_the_path_with_its_default_folder) {
  const std::string library = "library/";
  EXPECT_NE(normal(std::string(255 - library.size(), 'a')), refused);
  EXPECT_EQ(normal(std::string(256 - library.size(), 'a')), refused);
  EXPECT_NE(normal("localhost:1/" + std::string(255, 'a')), refused);
  EXPECT_EQ(normal("localhost:1/" + std::string(256, 'a')), refused);
}

TEST(CTR2_image_reference, is_stable_under_normalisation_for_any_text) {
  const std::uint64_t seed = 20'261'121;
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::cout << "seed " << seed << "\n";
  std::mt19937_64 random(seed);
  const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  const std::vector<std::string> pieces{"a",
                                        "b1",
                                        ".",
                                        "_",
                                        "__",
                                        "-",
                                        "/",
                                        ":",
                                        "@",
                                        "localhost",
                                        "docker.io",
                                        "sha256:",
                                        hex64,
                                        "A",
                                        "*",
                                        " ",
                                        "[",
                                        "::1]",
                                        "library/",
                                        ":5000/",
                                        "\xc3",
                                        "%",
                                        "\n",
                                        std::string(1, '\0'),
                                        "\\",
                                        "1.36",
                                        "index.docker.io/",
                                        std::string(120, 'z')};
  int good = 0;
  for (int i = 0; i < 100'000; ++i) {
    std::string text;
    for (auto n = below(9); n > 0; --n) text += pieces[below(pieces.size())];
    const auto ref = parse_image_reference(text);
    if (!ref) continue;
    ++good;
    const auto once = to_string(*ref);
    EXPECT_EQ(normal(once), once) << text;
    EXPECT_FALSE(ref->registry.empty() || ref->path.empty()) << text;
    EXPECT_FALSE(ref->tag.empty() && ref->digest.empty()) << text;
    EXPECT_TRUE(image_matches(once, *ref)) << text;
    EXPECT_EQ(text.find('*'), std::string::npos) << text;
  }
  EXPECT_GT(good, 2000);
}

TEST(CTR2_image_pattern, has_a_registry_and_one_asterisk_at_its_end) {
  for (const char* good : {"localhost:1/*", "localhost:1/team/*", "docker.io/library/box:1.*",
                           "docker.io/*", "[::1]:5000/*"}) {
    EXPECT_TRUE(check_image_pattern(good)) << good;
  }
  for (const std::string& bad :
       {std::string(), std::string("*"), std::string("a*b"), std::string("box*"), std::string("**"),
        std::string("localhost:1/**"), std::string("*/box"), std::string("lo calhost/a*"),
        std::string("team/*"), std::string("/*"), std::string("localhost:1/box"),
        std::string("localhost:1/a@sha256:*"), std::string("host:port/*"),
        std::string("localhost:1/a\0*", 15), "localhost:1/" + std::string(400, 'a') + "*"}) {
    EXPECT_FALSE(check_image_pattern(bad)) << bad;
  }
}

TEST(CTR2_image_pattern, matches_only_below_its_stem) {
  const auto box = *parse_image_reference("localhost:1/team/box:1.2");
  for (const char* good :
       {"localhost:1/*", "localhost:1/team/*", "localhost:1/team/bo*", "localhost:1/team/box:*",
        "localhost:1/team/box:1.*", "localhost:1/team/box:1.2"}) {
    EXPECT_TRUE(image_matches(good, box)) << good;
  }
  for (const char* bad : {"localhost:1/teams/*", "localhost:2/*", "localhost:1/team/box:2*",
                          "localhost:1/team/box:1", "docker.io/*", ""}) {
    EXPECT_FALSE(image_matches(bad, box)) << bad;
  }
}

TEST(CTR2_image_pattern, of_tags_fits_no_digest_because_an_engine_would_ignore_the_tag) {
  const auto pinned = *parse_image_reference("localhost:1/team/box:1.2@sha256:" + hex64);
  EXPECT_FALSE(image_matches("localhost:1/team/box:1.*", pinned));
  EXPECT_FALSE(image_matches("localhost:1/team/box:*", pinned));
  EXPECT_TRUE(image_matches("localhost:1/team/*", pinned));
  EXPECT_TRUE(image_matches(to_string(pinned), pinned));
}

// ---- vectors of the distribution project ----

std::filesystem::path vectors(const char* name) {
  return std::filesystem::path(support::source_dir()) / "../shared/corpora/distribution-reference" /
         name;
}

std::string text_of(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

/// The value of what the vectors hold: quoted texts and strings.Repeat("a", 3), joined by " + ".
std::string evaluated(std::string_view expression) {
  std::string value;
  while (!expression.empty()) {
    const auto open = expression.find('"');
    const auto close = expression.find('"', open + 1);
    if (close == std::string_view::npos) {
      ADD_FAILURE() << "not understood: " << expression;
      return value;
    }
    const auto text = expression.substr(open + 1, close - open - 1);
    std::size_t times = 1;
    auto end = close + 1;
    if (expression.substr(0, open) == "strings.Repeat(") {
      times = std::stoul(std::string(expression.substr(close + 3)));
      end = expression.find(')', close) + 1;
    }
    for (std::size_t i = 0; i < times; ++i) value += text;
    expression.remove_prefix(end);
    if (expression.starts_with(" + ")) expression.remove_prefix(3);
  }
  return value;
}

std::string field_of(const codec::json_node& row, const char* name) {
  const auto field = row.find(name);
  return field ? evaluated(field->as_string()) : std::string();
}

/// Repository with the defaults, by rules written apart from those that are tested.
std::string with_defaults(const std::string& repository) {
  const auto slash = repository.find('/');
  if (slash == std::string::npos) return "docker.io/library/" + repository;
  const auto first = repository.substr(0, slash);
  const bool host = first == "localhost" || first.find_first_of(".:") != std::string::npos;
  return host ? repository : "docker.io/" + repository;
}

void check_parsed(const codec::json_node& row) {
  const auto input = field_of(row, "input");
  const auto tag = field_of(row, "tag");
  const auto digest = field_of(row, "digest");
  std::string expected = with_defaults(field_of(row, "repository"));
  if (!tag.empty()) expected += ":" + tag;
  if (!digest.empty()) expected += "@" + digest;
  if (tag.empty() && digest.empty()) expected += ":latest";
  EXPECT_EQ(normal(input), expected) << input;
}

void check_error(const codec::json_node& row) {
  const auto input = field_of(row, "input");
  const auto err = row.find("err")->as_string();
  if (err == "ErrNameNotCanonical") {
    // Refused by a reader of canonical names: we take them and change them.
    EXPECT_NE(normal(input), input);
    EXPECT_NE(normal(input), refused) << input;
  } else if (input == "example.com/repo:tag") {
    // The one row of a reader that wants a digest.
    EXPECT_EQ(normal(input), input);
  } else {
    EXPECT_EQ(normal(input), refused) << input;
  }
}

/// Rows that join a name with a tag or a digest. Their digests are too short to be real ones.
void check_joined(const codec::json_node& row) {
  const auto joined = field_of(row, "combined");
  if (!field_of(row, "digest").empty()) {
    EXPECT_EQ(normal(joined), refused) << joined;
  } else {
    EXPECT_EQ(normal(joined), with_defaults(field_of(row, "name")) + ":" + field_of(row, "tag"));
  }
}

TEST(CTR2_image_reference, agrees_with_every_row_of_the_distribution_projects_references) {
  const auto file = vectors("reference_vectors.json");
  if (!std::filesystem::exists(file)) return;  // our own vectors above hold everywhere
  const auto doc = codec::parse_strict(text_of(file));
  ASSERT_TRUE(doc);
  for (std::size_t i = 0; i < doc->root().size(); ++i) {
    const auto row = doc->root().at(i);
    if (row.find("combined")) {
      check_joined(row);
    } else if (row.find("err")) {
      check_error(row);
    } else {
      check_parsed(row);
    }
  }
  EXPECT_GT(doc->root().size(), 60U);
}

void check_all(const codec::json_node& root, const char* list, bool good) {
  const auto names = *root.find(list);
  EXPECT_GT(names.size(), 5U);
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto name = names.at(i).as_string();
    EXPECT_EQ(normal(name) != refused, good) << list << ": " << name;
  }
}

TEST(CTR2_image_reference, agrees_with_every_row_of_the_distribution_projects_names) {
  const auto file = vectors("normalize_vectors.json");
  if (!std::filesystem::exists(file)) return;  // our own vectors above hold everywhere
  const auto doc = codec::parse_strict(text_of(file));
  ASSERT_TRUE(doc);
  check_all(doc->root(), "validRepoNames", true);
  check_all(doc->root(), "invalidRepoNames", false);
  check_all(doc->root(), "validRepositoryNames", true);
  check_all(doc->root(), "invalidRepositoryNames", false);
  const auto rows = *doc->root().find("parse_repository_info");
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto row = rows.at(i);
    for (const char* form : {"familiar", "full", "ambiguous"}) {
      const auto text = row.find(form)->as_string();
      if (text.empty()) continue;
      const auto ref = parse_image_reference(text);
      ASSERT_TRUE(ref) << text;
      EXPECT_EQ(ref->registry, row.find("domain")->as_string()) << text;
      EXPECT_EQ(ref->path, row.find("remote")->as_string()) << text;
    }
  }
}

}  // namespace
