// What a server says of read models that it did not build (C8).

#include "persistence/read_models.hpp"

#include "persistence/advisory_locks.hpp"
#include "persistence/projection_build.hpp"
#include "tests/unit/persistence/replay_fixture.hpp"

#include <gtest/gtest.h>

namespace {

using namespace reeve;
using namespace reeve::persistence;
using namespace reeve::fixture;

class C8_read_models : public read_models_of_a_log {
 protected:
  /// Asked for by hand, and a first one, so that it is tried before lead() is over.
  void make_stale() {
    db.root(
        "UPDATE reeve.projections SET version = version + 7, asked_at_us = 7, failure = NULL"
        " WHERE name = 'tokens'");
  }
  bool is_as_it_was() {
    return db.root(
                 "SELECT 1 FROM reeve.projections WHERE name = 'tokens' AND asked_at_us = 7"
                 " AND failure IS NULL")
               .size() == 1;
  }
  std::unique_ptr<read_models> models() {
    read_store_config reading;
    reading.url = db.reader_url();
    reading.board = &board;
    reads = std::make_unique<read_store>(reading);
    return std::make_unique<read_models>(read_models::options{
        options.owner_url, db.writer_url(), &board, reads.get(), &tokens_by_hash, &holder});
  }

  projection_board board;
  token_table tokens_by_hash;
  std::unique_ptr<read_store> reads;
};

/// Whoever leads now may build it, and tells those who ask what became of it.
TEST_F(C8_read_models, who_does_not_lead_says_nothing_of_what_another_builds) {
  live_through();
  ASSERT_TRUE(models()->lead()) << "once, so that each has a row";
  const int session = holder;
  pqxx::connection other(options.owner_url);
  pqxx::nontransaction(other).exec("SELECT pg_advisory_lock(" + std::string(build_lock_key) + ")");
  make_stale();
  holder = -1;
  build_options wanted;
  wanted.owner_url = options.owner_url;
  wanted.list = {&projection_named("tokens")};
  wanted.holder = [this] { return holder.load(); };
  EXPECT_EQ(build_projections(wanted).error().code, errc::fenced);
  for (const int told : {-1, 0}) {
    holder = told;
    ASSERT_TRUE(models()->lead());
    EXPECT_TRUE(is_as_it_was()) << told;
  }
  holder = session;
  ASSERT_TRUE(models()->lead());
  EXPECT_FALSE(is_as_it_was()) << "who leads ends the other builder and builds";
  EXPECT_EQ(board.of(projection_named("tokens")).state, projection_state::live);
}

}  // namespace
