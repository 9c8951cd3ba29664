#include "base/ed25519.hpp"

#include "base/digest.hpp"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace {

using namespace reeve;

/// A directory of this test's own that goes with it.
class ED25519_key_file : public testing::Test {
 protected:
  ED25519_key_file() {
    std::string name = testing::TempDir() + "reeve-key-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) ADD_FAILURE() << "no temporary directory";
    directory_ = name;
  }
  ~ED25519_key_file() override { std::filesystem::remove_all(directory_); }

  std::string path(const std::string& name = "key") const { return directory_ / name; }
  void write(const std::string& text, mode_t mode = 0600) const {
    std::ofstream(path(), std::ios::binary) << text;
    ::chmod(path().c_str(), mode);
  }
  std::string load_error() const {
    const auto loaded = ed25519_key::load(path());
    return loaded ? "loaded" : loaded.error().detail;
  }

  std::filesystem::path directory_;
};

}  // namespace

TEST(EV6_ed25519, signs_and_verifies) {
  const auto key = ed25519_key::generate();
  const auto signature = key.sign("origin/1/42");
  const auto& known = key.public_key();
  EXPECT_TRUE(known.verify("origin/1/42", as_view(signature)));
  EXPECT_FALSE(known.verify("origin/1/43", as_view(signature)));
  EXPECT_FALSE(known.verify("origin/1/42", as_view(signature).substr(1)));
  EXPECT_FALSE(known.verify("origin/1/42", ""));
  for (std::size_t i = 0; i < signature.size(); ++i) {
    auto changed = signature;
    changed[i] ^= 1;
    EXPECT_FALSE(known.verify("origin/1/42", as_view(changed)));
  }
  EXPECT_FALSE(ed25519_key::generate().public_key().verify("origin/1/42", as_view(signature)));
}

TEST(EV6_ed25519, public_keys_have_text_and_id) {
  const auto key = ed25519_key::generate();
  const auto text = key.public_key().text();
  EXPECT_EQ(text.size(), 43U);
  const auto parsed = ed25519_public_key::parse(text);
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(*parsed, key.public_key());
  EXPECT_TRUE(parsed->verify("x", as_view(key.sign("x"))));
  EXPECT_EQ(parsed->id(), to_hex(sha256(*from_base64url(text))).substr(0, 16));
  for (const auto* bad : {"", "AAAA", "not base64url!"}) {
    EXPECT_EQ(ed25519_public_key::parse(bad).error().code, errc::invalid);
  }
}

TEST_F(ED25519_key_file, agrees_with_rfc_8032_test_3) {
  write(
      to_base64url(*from_hex("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7")));
  const auto key = ed25519_key::load(path());
  ASSERT_TRUE(key.ok()) << key.error().detail;
  EXPECT_EQ(to_hex(*from_base64url(key->public_key().text())),
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025");
  EXPECT_EQ(to_hex(as_view(key->sign("\xaf\x82"))),
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
            "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a");
}

TEST_F(ED25519_key_file, saves_once_and_privately) {
  const auto key = ed25519_key::generate();
  const auto mask = ::umask(0);
  const auto saved = key.save(path());
  ::umask(mask);
  ASSERT_TRUE(saved.ok()) << saved.error().detail;
  struct stat about {};
  ASSERT_EQ(::stat(path().c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 07777U, 0600U);
  EXPECT_EQ(about.st_size, 44);
  const auto loaded = ed25519_key::load(path());
  ASSERT_TRUE(loaded.ok()) << loaded.error().detail;
  EXPECT_EQ(loaded->public_key(), key.public_key());
  EXPECT_EQ(loaded->sign("x"), key.sign("x"));
  EXPECT_EQ(ed25519_key::generate().save(path()).error().code, errc::conflict);
  EXPECT_EQ(ed25519_key::load(path())->public_key(), key.public_key());
}

TEST_F(ED25519_key_file, refuses_what_it_should_not_trust) {
  const std::string good = std::string(43, 'A') + "\n";
  EXPECT_NE(load_error().find("cannot be opened"), std::string::npos);
  write(good);
  EXPECT_EQ(load_error(), "loaded");
  for (const mode_t mode : {0640, 0604, 0620, 0601}) {
    write(good, mode);
    EXPECT_NE(load_error().find("chmod 600"), std::string::npos) << mode;
  }
  for (const auto& bad : {std::string(), std::string(42, 'A'), std::string(44, 'A'), good + "x",
                          good + "\n", std::string(42, 'A') + "!", std::string(42, 'A') + "B"}) {
    write(bad);
    EXPECT_NE(load_error().find("does not hold one line"), std::string::npos) << bad;
  }
  std::filesystem::remove(path());
  ::mkfifo(path().c_str(), 0600);
  EXPECT_NE(load_error().find("is not a file"), std::string::npos);
}

TEST_F(ED25519_key_file, says_why_it_could_not_be_saved) {
  const auto key = ed25519_key::generate();
  const auto result = key.save(path("absent/key"));
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, errc::internal);
  EXPECT_NE(result.error().detail.find("cannot be created"), std::string::npos);
}

TEST(EV6_ed25519, a_moved_key_still_signs) {
  auto key = ed25519_key::generate();
  const auto expected = key.sign("x");
  auto moved = std::move(key);
  EXPECT_EQ(moved.sign("x"), expected);
  auto other = ed25519_key::generate();
  other = std::move(moved);
  EXPECT_EQ(other.sign("x"), expected);
}
