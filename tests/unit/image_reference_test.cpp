// References of images: the grammar, the defaults, patterns. Vectors of the distribution project
// are read from the corpora when they are beside the project; our own always hold.

#include "domain/image_reference.hpp"

#include "codec/json.hpp"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <random>
#include <sstream>

namespace {

using namespace reeve;
using namespace reeve::domain;

std::string normal(std::string_view text) {
  const auto ref = parse_image_reference(text);
  return ref ? to_string(*ref) : "refused";
}

const std::string hex64(64, 'f');

TEST(CTR2_image_reference, fills_in_registry_library_and_tag) {
  EXPECT_EQ(normal("busybox"), "docker.io/library/busybox:latest");
  EXPECT_EQ(normal("busybox:1.36"), "docker.io/library/busybox:1.36");
  EXPECT_EQ(normal("team/app"), "docker.io/team/app:latest");
  EXPECT_EQ(normal("index.docker.io/library/busybox"), "docker.io/library/busybox:latest");
  EXPECT_EQ(normal("localhost/app"), "localhost/app:latest");
  EXPECT_EQ(normal("localhost:1/box:1"), "localhost:1/box:1");
  EXPECT_EQ(normal("r.example.com:5000/a/b/c:x"), "r.example.com:5000/a/b/c:x");
  EXPECT_EQ(normal("[2001:db8::1]:5000/repo"), "[2001:db8::1]:5000/repo:latest");
  EXPECT_EQ(normal("app@sha256:" + hex64), "docker.io/library/app@sha256:" + hex64);
  EXPECT_EQ(normal("app:1@sha256:" + hex64), "docker.io/library/app:1@sha256:" + hex64);
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
                                 std::string("a/b/"),
                                 std::string("/a"),
                                 std::string("a:"),
                                 std::string("a:b:c"),
                                 std::string("a b"),
                                 std::string("a\nb"),
                                 std::string("a:") + tag129,
                                 std::string("a@sha256:ff"),
                                 std::string("a@md5:") + hex64,
                                 hex64,
                                 std::string("https://host/a"),
                                 std::string("[fe80::1%eth0]:5000/a"),
                                 std::string("host:port/a"),
                                 std::string(256, 'a'),
                                 std::string("a\0b", 3)}) {
    EXPECT_EQ(normal(bad), "refused") << bad;
  }
}

TEST(CTR2_image_reference, is_stable_under_normalisation) {
  std::mt19937_64 random(20260101);
  const std::string alphabet = "ab1.:/@_-A*";
  int good = 0;
  for (int i = 0; i < 50'000; ++i) {
    std::string text;
    for (std::size_t n = random() % 14; n > 0; --n) text += alphabet[random() % alphabet.size()];
    const auto ref = parse_image_reference(text);
    if (!ref) continue;
    ++good;
    EXPECT_EQ(normal(to_string(*ref)), to_string(*ref)) << text;
  }
  EXPECT_GT(good, 1000);
}

TEST(CTR2_image_pattern, matches_only_below_its_stem) {
  const auto box = *parse_image_reference("localhost:1/team/box:1");
  EXPECT_TRUE(check_image_pattern("localhost:1/team/*"));
  EXPECT_TRUE(image_matches("localhost:1/team/*", box));
  EXPECT_TRUE(image_matches("localhost:1/team/box:*", box));
  EXPECT_FALSE(image_matches("localhost:1/teams/*", box));
  EXPECT_FALSE(image_matches("localhost:2/*", box));
  for (const char* bad : {"*", "a*b", "box*", "**", "localhost:1/**", "*/box", "lo calhost/a*"}) {
    EXPECT_FALSE(check_image_pattern(bad)) << bad;
  }
}

std::string text_of(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

/// "\"text\"" of the vectors; rows that are expressions of another language are not ours to run.
std::optional<std::string> plain(std::string_view quoted) {
  const bool whole = quoted.size() >= 2 && quoted.front() == '"' && quoted.back() == '"';
  if (!whole || quoted.find('"', 1) != quoted.size() - 1) return std::nullopt;
  return std::string(quoted.substr(1, quoted.size() - 2));
}

TEST(CTR2_image_reference, agrees_with_the_distribution_projects_names) {
  const std::filesystem::path file = std::filesystem::path(REEVE_SOURCE_DIR) /
                                     "../shared/corpora/distribution-reference/"
                                     "normalize_vectors.json";
  if (!std::filesystem::exists(file)) return;  // our own vectors above hold everywhere
  const auto doc = codec::parse_strict(text_of(file));
  ASSERT_TRUE(doc);
  const auto valid = *doc->root().find("validRepoNames");
  for (std::size_t i = 0; i < valid.size(); ++i) {
    EXPECT_NE(normal(valid.at(i).as_string()), "refused") << valid.at(i).as_string();
  }
  const auto invalid = *doc->root().find("invalidRepoNames");
  for (std::size_t i = 0; i < invalid.size(); ++i) {
    EXPECT_EQ(normal(invalid.at(i).as_string()), "refused") << invalid.at(i).as_string();
  }
}

TEST(CTR2_image_reference, agrees_with_the_distribution_projects_references) {
  const std::filesystem::path file = std::filesystem::path(REEVE_SOURCE_DIR) /
                                     "../shared/corpora/distribution-reference/"
                                     "reference_vectors.json";
  if (!std::filesystem::exists(file)) return;  // our own vectors above hold everywhere
  const auto doc = codec::parse_strict(text_of(file));
  ASSERT_TRUE(doc);
  int compared = 0;
  for (std::size_t i = 0; i < doc->root().size(); ++i) {
    const auto row = doc->root().at(i);
    const auto input = row.find("input");
    const auto text = input ? plain(input->as_string()) : std::nullopt;
    // Names without a repository are of another function of theirs (WithTag, ParseAnyReference).
    if (!text || (!row.find("repository") && !row.find("err"))) continue;
    if (const auto err = row.find("err")) {
      const bool of_another =
          err->as_string() == "ErrNameNotCanonical" || *text == "example.com/repo:tag";
      if (!of_another) {
        EXPECT_EQ(normal(*text), "refused") << *text;
      }
    } else {
      EXPECT_NE(normal(*text), "refused") << *text;
    }
    ++compared;
  }
  EXPECT_GT(compared, 40);
}

}  // namespace
