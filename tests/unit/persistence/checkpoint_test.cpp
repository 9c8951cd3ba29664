// Signed heads: their bytes are frozen, and a second one that contradicts the first is never made
// (EV6, P5).

#include "persistence/checkpoint_keeper.hpp"
#include "tests/unit/persistence/verify_fixture.hpp"

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <gtest/gtest.h>
#include <iterator>
#include <memory>
#include <mutex>
#include <sys/stat.h>

namespace {

using namespace reeve;
using namespace reeve::persistence;
using namespace reeve::fixture;

signed_head plain_head() {
  signed_head head;
  head.origin = *parse_uuid("01890a5d-ac96-774b-bcce-b302099a8057");
  head.epoch = 3;
  head.position = 258;
  head.hash = sha256("hash");
  return head;
}

/// With so many events that it is signed at once.
journal_head head_of_a_long_log() {
  journal_head head;
  head.position = 20'000;
  return head;
}

std::string content_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

TEST(EV6_checkpoint, the_signed_bytes_are_frozen) {
  auto head = plain_head();
  head.key_id = "0123456789abcdef";
  EXPECT_EQ(to_hex(signed_bytes(head)),
            "72656576652d636865636b706f696e742d7631"
            "01890a5dac96774bbcceb302099a8057"
            "0000000000000003"
            "0000000000000102" +
                to_hex(sha256("hash")) + "30313233343536373839616263646566");
  EXPECT_EQ(signed_bytes(head).size(), 99U);
}

TEST(EV6_checkpoint, every_signed_field_counts) {
  const auto key = ed25519_key::generate();
  auto good = plain_head();
  sign(good, key);
  ASSERT_TRUE(is_genuine(good));
  const std::vector<std::function<void(signed_head&)>> changes{
      [](auto& h) { h.origin.bytes[3] ^= 1; },
      [](auto& h) { ++h.epoch; },
      [](auto& h) { --h.position; },
      [](auto& h) { h.hash[31] ^= 1; },
      [](auto& h) { h.key_id[0] = h.key_id[0] == '0' ? '1' : '0'; },
      [](auto& h) { h.signature[5] = h.signature[5] == 'A' ? 'B' : 'A'; },
      [](auto& h) { h.signature.pop_back(); },
      [](auto& h) { h.public_key = ed25519_key::generate().public_key().text(); },
      [](auto& h) { h.public_key = "x"; },
  };
  for (std::size_t i = 0; i < changes.size(); ++i) {
    auto head = good;
    changes[i](head);
    EXPECT_FALSE(is_genuine(head)) << "change " << i;
  }
}

class EV6_heads : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { log = new signed_log; }
  static void TearDownTestSuite() { delete log; }
  EV6_heads() : file(::testing::TempDir() + fresh_stream("heads")) {
    std::ofstream(file) << content_of(log->options.heads_file);
    options = log->options;
    options.heads_file = file;
  }
  ~EV6_heads() override { std::filesystem::remove(file); }

  void expect_refused(const journal_head& head) {
    const auto before = content_of(file);
    const auto made = sign_head(options, head);
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code, errc::conflict) << made.error().detail;
    EXPECT_EQ(content_of(file), before) << "nothing was written";
  }

  static signed_log* log;
  std::string file;
  checkpoint_options options;
};

signed_log* EV6_heads::log = nullptr;

TEST_F(EV6_heads, the_file_grows_and_survives_a_line_that_was_cut_off) {
  const auto before = read_heads(file);
  ASSERT_TRUE(before);
  ASSERT_EQ(before->size(), 3U);
  std::ofstream(file, std::ios::app) << "{\"epoch\":3,\"ha";
  EXPECT_EQ(read_heads(file)->size(), 3U);
  auto head = plain_head();
  sign(head, ed25519_key::generate());
  ASSERT_TRUE(append_head(file, head));
  const auto after = read_heads(file);
  ASSERT_TRUE(after) << after.error().detail;
  ASSERT_EQ(after->size(), 4U);
  EXPECT_EQ(after->back(), head);
}

TEST_F(EV6_heads, a_fresh_file_is_for_its_owner_only) {
  const auto fresh = file + ".fresh";
  EXPECT_TRUE(read_heads(fresh)->empty());
  auto head = plain_head();
  sign(head, ed25519_key::generate());
  ASSERT_TRUE(append_head(fresh, head));
  struct stat info {};
  ASSERT_EQ(::stat(fresh.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
  std::filesystem::remove(fresh);
}

TEST_F(EV6_heads, a_file_that_cannot_be_opened_is_not_a_missing_one) {
  const auto loop = file + ".loop";
  std::filesystem::create_symlink(loop, loop);
  EXPECT_EQ(read_heads(loop).error().code, errc::invalid);
  EXPECT_EQ(read_last_head(loop).error().code, errc::invalid);
  std::filesystem::remove(loop);
}

TEST_F(EV6_heads, a_damaged_file_is_not_read_over) {
  std::ofstream(file, std::ios::app) << "{}\n";
  EXPECT_EQ(read_heads(file).error().code, errc::invalid);
  EXPECT_FALSE(sign_head(options, log->last));
}

TEST_F(EV6_heads, the_same_head_is_given_again) {
  const auto before = content_of(file);
  const auto again = sign_head(options, log->last);
  ASSERT_TRUE(again) << again.error().detail;
  EXPECT_EQ(again->signature, read_heads(file)->back().signature);
  EXPECT_EQ(content_of(file), before);
}

TEST_F(EV6_heads, P5_a_second_head_that_contradicts_is_never_signed) {
  auto head = log->last;
  head.hash[0] ^= 1;
  expect_refused(head);  // the same position, another hash
  head = log->last;
  --head.position;
  expect_refused(head);  // history was cut short
  head = log->last;
  head.origin = real_ids().next();
  ++head.position;
  expect_refused(head);  // another log
}

/// An older backup was restored and has grown beyond the signed head since.
TEST_F(EV6_heads, P29_a_history_without_the_signed_head_is_never_signed) {
  auto stolen = read_heads(file)->back();
  const auto key = ed25519_key::load(options.key_file);
  ASSERT_TRUE(key);
  stolen.hash[0] ^= 1;
  sign(stolen, *key);
  ASSERT_TRUE(append_head(file, stolen));
  auto head = log->last;
  ++head.position;
  expect_refused(head);
}

TEST_F(EV6_heads, P5_a_forged_last_line_is_not_believed) {
  auto forged = read_heads(file)->back();
  forged.epoch = 77;
  ASSERT_TRUE(append_head(file, forged));
  expect_refused(log->last);
}

TEST_F(EV6_heads, what_the_file_has_reaches_the_database_later) {
  log->db.root(
      "ALTER TABLE reeve.checkpoints DISABLE TRIGGER ALL;"
      "DELETE FROM reeve.checkpoints WHERE position = " +
      std::to_string(log->last.position));
  ASSERT_TRUE(sign_head(options, log->last));
  EXPECT_EQ(log->db.root("SELECT count(*) FROM reeve.checkpoints")[0][0].as<int>(), 3);
}

TEST(EV6_keeper, signs_the_newest_head_at_the_end) {
  signed_log log;
  journal writer(journal_on(log.db.writer_url()));
  ASSERT_TRUE(eventually([&] { return writer.open().ok(); }));
  const auto head = writer.head();
  {
    checkpoint_keeper keeper(log.options, [&] { return head; });
  }
  const auto heads = read_heads(log.options.heads_file);
  ASSERT_TRUE(heads);
  ASSERT_EQ(heads->size(), 4U);
  EXPECT_EQ(heads->back().position, head.position);
  EXPECT_TRUE(is_genuine(heads->back()));
  const auto result = verify_database(log.db.writer_url(), log.trusting());
  ASSERT_TRUE(result);
  EXPECT_EQ(result->what, "");
  EXPECT_EQ(result->checkpoints, 4);
}

TEST(EV6_keeper, signs_on_demand_and_gives_the_same_signature_again) {
  signed_log log;
  journal writer(journal_on(log.db.writer_url()));
  ASSERT_TRUE(eventually([&] { return writer.open().ok(); }));
  std::mutex mutex;
  auto head = writer.head();
  checkpoint_keeper keeper(log.options, [&] {
    std::lock_guard lock(mutex);
    return head;
  });
  const auto ask = [&] {
    auto answer = std::make_shared<std::promise<outcome<signed_head>>>();
    keeper.sign_now(reply_slot<signed_head>(
        [answer](outcome<signed_head> made) { answer->set_value(std::move(made)); }));
    return answer->get_future();
  };
  const auto made = ask().get();
  ASSERT_TRUE(made) << made.error().detail;
  EXPECT_EQ(made->position, head.position);
  EXPECT_TRUE(is_genuine(*made));
  auto first = ask(), second = ask();
  EXPECT_EQ(*first.get(), *made);
  EXPECT_EQ(*second.get(), *made);
  EXPECT_EQ(read_heads(log.options.heads_file)->size(), 4U);
  ASSERT_TRUE(append_one(writer, append_to(fresh_stream(), 0, log.tenant)));
  {
    std::lock_guard lock(mutex);
    head = writer.head();
  }
  EXPECT_EQ(ask().get()->position, made->position + 1);
  {
    std::lock_guard lock(mutex);
    head.hash[0] ^= 1;
  }
  EXPECT_EQ(ask().get().error().code, errc::conflict) << "it contradicts the one before";
  std::lock_guard lock(mutex);
  head = writer.head();
}

/// The head has one event more each time that somebody looks: whoever tries to sign looks once
/// more.
TEST(EV6_keeper, does_not_try_each_second_what_has_failed) {
  signed_log log;
  std::ofstream(log.options.heads_file, std::ios::app) << "{}\n";
  std::mutex mutex;
  std::vector<domain::position> seconds;
  log.options.on_progress = [&](const journal_head& head) {
    std::lock_guard lock(mutex);
    seconds.push_back(head.position);
  };
  auto head = head_of_a_long_log();
  const auto enough = [&] {
    std::lock_guard lock(mutex);
    return seconds.size() >= 3;
  };
  {
    checkpoint_keeper keeper(log.options, [&] {
      ++head.position;
      return head;
    });
    ASSERT_TRUE(eventually(enough));
  }
  EXPECT_EQ(seconds[1], seconds[0] + 2) << "it was tried at once: there is much to sign";
  EXPECT_EQ(seconds[2], seconds[1] + 1);
}

TEST(EV6_keeper, tells_the_log_once_why_a_head_is_not_signed) {
  std::string folder = std::filesystem::temp_directory_path() / "reeve-keeper-XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  checkpoint_options options;
  options.heads_file = folder + "/heads";
  std::ofstream(options.heads_file) << "{}\n";
  std::atomic<domain::position> at{0};
  ::testing::internal::CaptureStderr();
  {
    checkpoint_keeper keeper(options, [&] {
      journal_head head;
      head.position = at;
      return head;
    });
    // Of one that was overtaken, of one whose file is broken, and as the first again.
    for (const domain::position here : {0, 5, 0}) {
      at = here;
      for (int i = 0; i < 3; ++i) {
        auto answer = std::make_shared<std::promise<bool>>();
        keeper.sign_now(reply_slot<signed_head>(
            [answer](const outcome<signed_head>& made) { answer->set_value(made.ok()); }));
        EXPECT_FALSE(answer->get_future().get());
      }
    }
  }
  const auto log = ::testing::internal::GetCapturedStderr();
  int told = 0;
  for (auto next = log.find("was not signed"); next != log.npos; ++told) {
    next = log.find("was not signed", next + 1);
  }
  EXPECT_EQ(told, 3) << log;
  std::filesystem::remove_all(folder);
}

TEST(EV6_keeper, says_that_heads_are_not_signed_until_one_is) {
  signed_log log;
  journal writer(journal_on(log.db.writer_url()));
  ASSERT_TRUE(eventually([&] { return writer.open().ok(); }));
  const auto head = writer.head();
  checkpoint_keeper keeper(log.options, [&] { return head; });
  const auto ask = [&] {
    auto answer = std::make_shared<std::promise<outcome<signed_head>>>();
    keeper.sign_now(reply_slot<signed_head>(
        [answer](outcome<signed_head> made) { answer->set_value(std::move(made)); }));
    return answer->get_future().get();
  };
  log.db.root("REVOKE INSERT ON reeve.checkpoints FROM " + log.db.writer());
  const auto refused = ask();
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().detail.find("42501"), std::string::npos) << refused.error().detail;
  EXPECT_TRUE(keeper.is_failing());
  log.db.root("GRANT INSERT ON reeve.checkpoints TO " + log.db.writer());
  EXPECT_TRUE(ask());
  EXPECT_FALSE(keeper.is_failing());
}

}  // namespace
