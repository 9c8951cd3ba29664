#include "base/sealing.hpp"

#include "tests/support/temporary_folder.hpp"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <set>
#include <sys/stat.h>
#include <unistd.h>

namespace {

using namespace reeve;

class ACC4_sealing_key_file : public testing::Test {
 protected:
  std::string path() const { return folder_.at("secrets.key"); }
  void write(const std::string& text, mode_t mode = 0600) const {
    std::ofstream(path(), std::ios::binary) << text;
    ::chmod(path().c_str(), mode);
  }
  std::string refusal() const {
    const auto loaded = sealing_key::load(path());
    return loaded ? "loaded" : loaded.error().detail;
  }

  const support::temporary_folder folder_;
};

std::string opened(const sealing_key& key, std::string_view sealed, std::string_view about) {
  const auto plain = key.open(sealed, about);
  return plain ? std::string(plain->view()) : plain.error().detail;
}

constexpr std::string_view wrong = "it was sealed with another key, or was changed since";

}  // namespace

TEST(ACC4_sealing, opens_what_it_sealed_and_nothing_else) {
  const auto key = sealing_key::generate();
  const std::string value = "correct horse battery staple";
  const auto sealed = key.seal(value, "tenant/db");
  EXPECT_EQ(sealed.size(), value.size() + 40);
  EXPECT_EQ(sealed.find("horse"), sealed.npos);
  EXPECT_EQ(opened(key, sealed, "tenant/db"), value);
  EXPECT_EQ(opened(key, sealed, "tenant/dc"), wrong);
  EXPECT_EQ(opened(sealing_key::generate(), sealed, "tenant/db"), wrong);
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    auto changed = sealed;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_EQ(opened(key, changed, "tenant/db"), wrong) << i;
  }
  EXPECT_EQ(opened(key, sealed.substr(0, 39), "tenant/db"), "nothing is sealed");
}

TEST(ACC4_sealing, the_same_value_is_never_sealed_into_the_same_bytes) {
  const auto key = sealing_key::generate();
  std::set<std::string> all;
  for (int i = 0; i < 100; ++i) all.insert(key.seal("password", "db"));
  EXPECT_EQ(all.size(), 100U);
}

TEST(ACC4_sealing, takes_any_bytes_of_any_size) {
  const auto key = sealing_key::generate();
  for (const std::size_t size : {0, 1, 15, 16, 17, 8192}) {
    const auto value = std::string(size, '\0') + "\xff";
    EXPECT_EQ(opened(key, key.seal(value, ""), ""), value);
  }
}

TEST(ACC4_sealing, digests_tell_values_apart_to_who_has_the_key_only) {
  const auto key = sealing_key::generate();
  EXPECT_EQ(key.digest_of("password"), key.digest_of("password"));
  EXPECT_NE(key.digest_of("password"), key.digest_of("passwore"));
  EXPECT_NE(key.digest_of("password"), sealing_key::generate().digest_of("password"));
  EXPECT_NE(key.digest_of("password"), sha256("password"));
}

TEST(ACC4_sealing, secrets_in_memory_are_wiped_where_they_stood) {
  for (const std::string value :
       {"short", "a value that is too long to stand inside of a string"}) {
    auto given = value;
    const auto* at = given.data();
    secret_text first(std::move(given));
    EXPECT_EQ(first.view(), value);
    // The text keeps its bytes after clear(); they are zero.
    EXPECT_EQ(std::string(at, value.size()), std::string(value.size(), '\0'));
    secret_text second(std::move(first));
    EXPECT_EQ(first.view(), "");
    first = std::move(second);
    EXPECT_EQ(second.view(), "");
    EXPECT_EQ(first.view(), value);
  }
}

TEST_F(ACC4_sealing_key_file, is_made_once_and_closed_to_others) {
  const auto none = sealing_key::load(path());
  ASSERT_TRUE(none) << none.error().detail;
  EXPECT_FALSE(none->has_value());
  const auto key = sealing_key::generate();
  const auto saved = key.save(path());
  ASSERT_TRUE(saved) << saved.error().detail;
  struct stat about {};
  ASSERT_EQ(::stat(path().c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777U, 0600U);
  const auto again = sealing_key::load(path());
  ASSERT_TRUE(again && *again);
  EXPECT_EQ((*again)->id(), key.id());
  EXPECT_EQ(key.id().size(), 16U);
  EXPECT_NE(key.id(), sealing_key::generate().id());
  EXPECT_EQ(opened(**again, key.seal("password", ""), ""), "password");
  const auto second = sealing_key::generate().save(path());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, errc::conflict);
}

TEST_F(ACC4_sealing_key_file, is_refused_when_it_is_no_key_or_not_closed) {
  const std::string zeros(43, 'A');
  write(zeros + "\n", 0640);
  EXPECT_NE(refusal().find("chmod 600"), std::string::npos);
  write(zeros + "\n");
  EXPECT_EQ(refusal(), "loaded");
  for (const std::string& text : {std::string(), zeros, zeros.substr(1) + "\n", zeros + "A",
                                  zeros + "\n\n", std::string(42, 'A') + "!\n"}) {
    write(text);
    EXPECT_NE(refusal(), "loaded") << text.size();
  }
  std::filesystem::remove(path());
  std::filesystem::create_directory(path());
  EXPECT_NE(refusal(), "loaded");
}

TEST_F(ACC4_sealing_key_file, is_refused_when_it_is_a_link_or_cannot_be_read) {
  const std::string text = std::string(43, 'A') + "\n";
  write(text, 0);
  if (::geteuid() != 0) {
    EXPECT_NE(refusal().find("that he may read"), std::string::npos) << refusal();
  }
  write(text, 0620);
  EXPECT_NE(refusal().find("nobody else may write"), std::string::npos) << refusal();
  write(text);
  ASSERT_EQ(refusal(), "loaded");
  std::filesystem::rename(path(), path() + ".elsewhere");
  std::filesystem::create_symlink(path() + ".elsewhere", path());
  EXPECT_NE(refusal().find("no link"), std::string::npos) << refusal();
  std::filesystem::remove(path() + ".elsewhere");
  EXPECT_NE(refusal().find("no link"), std::string::npos) << "one that leads nowhere is no absence";
}
