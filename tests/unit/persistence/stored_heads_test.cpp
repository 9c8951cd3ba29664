// The signed heads come one at a time, in order, from the database and the file (EV7).

#include "persistence/stored_heads.hpp"

#include "tests/unit/persistence/verify_fixture.hpp"

#include <fstream>
#include <gtest/gtest.h>

namespace {

using namespace reeve;
using namespace reeve::persistence;
using namespace reeve::fixture;

class EV7_heads : public ::testing::Test {
 protected:
  EV7_heads() : file(::testing::TempDir() + fresh_stream("heads")) {}
  ~EV7_heads() override { std::filesystem::remove(file); }

  static signed_head head_at(domain::position at, const std::string& hash = "hash") {
    static const auto key = ed25519_key::generate();
    signed_head head;
    head.origin = *parse_uuid("01890a5d-ac96-774b-bcce-b302099a8057");
    head.epoch = 1;
    head.position = at;
    head.hash = sha256(hash);
    sign(head, key);
    return head;
  }
  void put(const signed_head& head) const { ASSERT_TRUE(append_head(file, head)); }
  void store(const signed_head& h) const {
    pqxx::connection connection(db.writer_url());
    pqxx::nontransaction(connection)
        .exec_params("INSERT INTO reeve.checkpoints VALUES ($1, $2, $3, $4, $5, $6, 1)", h.position,
                     to_string(h.origin), h.epoch, "\\x" + to_hex(h.hash), h.public_key,
                     "\\x" + to_hex(*from_base64url(h.signature)));
  }
  outcome<std::vector<signed_head>> all(const std::string& url) const {
    auto stream = head_stream::open(url, file);
    if (!stream) return stream.error();
    std::vector<signed_head> heads;
    for (;;) {
      auto head = stream->next();
      if (!head) return head.error();
      if (!*head) return heads;
      heads.push_back(std::move(**head));
    }
  }

  test_database db;
  std::string file;
};

TEST_F(EV7_heads, both_places_are_one_ascending_list) {
  EXPECT_TRUE(all(db.writer_url())->empty());
  for (const auto at : {2, 5, 9}) store(head_at(at));
  for (const auto at : {1, 5, 5, 7}) put(head_at(at));
  put(head_at(9, "another"));
  const auto heads = all(db.writer_url());
  ASSERT_TRUE(heads) << heads.error().detail;
  EXPECT_EQ(*heads, (std::vector<signed_head>{head_at(1), head_at(2), head_at(5), head_at(7),
                                              head_at(9), head_at(9, "another")}));
  EXPECT_EQ(all("")->size(), 4U) << "the file alone";
}

TEST_F(EV7_heads, more_than_a_page_of_them_is_whole) {
  db.root(
      "INSERT INTO reeve.checkpoints SELECT n * 3, gen_random_uuid(), 1, sha256(n::text::bytea),"
      " 'key', 'sig', 1 FROM generate_series(1, 3000) n");
  const auto heads = all(db.writer_url());
  ASSERT_TRUE(heads) << heads.error().detail;
  ASSERT_EQ(heads->size(), 3000U);
  for (std::size_t i = 0; i < heads->size(); ++i) {
    ASSERT_EQ((*heads)[i].position, static_cast<domain::position>(i + 1) * 3);
  }
}

TEST_F(EV7_heads, those_that_are_signed_later_do_not_belong_to_it) {
  store(head_at(2));
  put(head_at(2));
  auto stream = head_stream::open(db.writer_url(), file);
  ASSERT_TRUE(stream);
  store(head_at(3));
  put(head_at(3));
  EXPECT_EQ(**stream->next(), head_at(2));
  EXPECT_EQ(*stream->next(), std::nullopt);
}

TEST_F(EV7_heads, what_is_wrong_with_the_file_is_named) {
  put(head_at(4));
  put(head_at(3));
  EXPECT_EQ(all("").error().code, errc::invalid);
  EXPECT_NE(all("").error().detail.find("line 2"), std::string::npos) << all("").error().detail;
  std::filesystem::remove(file);
  for (int i = 0; i < 17; ++i) put(head_at(4, std::to_string(i)));
  EXPECT_EQ(all("").error().code, errc::invalid) << "not one position in bounded memory";
  std::ofstream(file) << "{}\n";
  EXPECT_EQ(all("").error().code, errc::invalid);
  EXPECT_EQ(head_stream::open("host=/nowhere dbname=x", file + "x").error().code,
            errc::unavailable);
}

TEST_F(EV7_heads, P5_one_that_the_database_lost_is_told_unless_it_is_the_newest) {
  for (const auto at : {2, 5, 9}) put(head_at(at));
  for (const auto at : {2, 7}) store(head_at(at));
  const auto missing = [&](const std::string& url) {
    auto stream = head_stream::open(url, file);
    std::vector<domain::position> lost;
    for (auto head = stream->next(); head && *head; head = stream->next()) {
      if (stream->is_missing_inside()) lost.push_back((*head)->position);
    }
    return lost;
  };
  EXPECT_EQ(missing(db.writer_url()), std::vector<domain::position>{5});
  EXPECT_TRUE(missing("").empty()) << "there is nothing to be missing in";
}

TEST_F(EV7_heads, the_last_one_is_read_from_the_end) {
  EXPECT_EQ(*read_last_head(file), std::nullopt);
  for (int at = 1; at <= 300; ++at) put(head_at(at));
  std::ofstream(file, std::ios::app) << "{\"epoch\":";
  EXPECT_EQ(**read_last_head(file), head_at(300));
  std::ofstream(file, std::ios::trunc) << "{\"cut";
  EXPECT_EQ(*read_last_head(file), std::nullopt);
  std::ofstream(file, std::ios::trunc) << std::string(100'000, 'x') << "\n";
  EXPECT_EQ(read_last_head(file).error().code, errc::invalid);
  EXPECT_FALSE(append_head(file, head_at(1))) << "nothing is cut off a file that is not ours";
}

}  // namespace
