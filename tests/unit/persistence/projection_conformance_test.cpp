// Every projection there is, over a log with every event there is: what the appends wrote, what a
// build makes of the log, what a replay makes of it and what follows the log by itself are the same
// rows (C8, P6, EV8). A projection without a row here, and an event that is not in the log, fail.

#include "persistence/pg_session.hpp"
#include "persistence/projection_build.hpp"
#include "persistence/row_writer.hpp"
#include "persistence/tail_fold.hpp"
#include "tests/unit/persistence/golden_lines.hpp"
#include "tests/unit/persistence/replay_fixture.hpp"

#include <set>

namespace {

using namespace reeve;
using namespace reeve::domain;
using namespace reeve::persistence;
using namespace reeve::fixture;

/// The ids that the golden lines name.
uuid golden_id(char last) {
  return *parse_uuid(std::string("01000000-0000-7000-0000-00000000000") + last);
}

class conformance : public read_models_of_a_log {
 protected:
  conformance() {
    tenant = golden_id('7');
    write_all(aggregates{});
  }

  template <class... States>
  void write_all(type_list<States...>) {
    (write_stream<States>(static_cast<const domain::event_of<States>*>(nullptr)), ...);
  }

  /// One stream with an event of each type, in the order of the variant: what ends it is the last.
  template <class State, class... Events>
  void write_stream(const std::variant<Events...>*) {
    author<State> one(log, tenant, stream_of<State>(id_of<State>()));
    (one.write({domain::event_of<State>(first_of<Events>())}), ...);
    (types.insert(std::string(Events::type)), ...);
  }

  template <class State>
  uuid id_of() const {
    if constexpr (std::is_same_v<State, directive_state>) return golden_id('1');
    if constexpr (std::is_same_v<State, run_state>) return golden_id('6');
    if constexpr (std::is_same_v<State, llm_usage_state>) return golden_id('5');
    return tenant;
  }

  template <class Event>
  Event first_of() const {
    for (const auto& line : lines) {
      if (line.type != Event::type || line.schema_version != schema_version_of<Event>()) continue;
      auto event = codec::decode_text<Event>(line.payload.text);
      if (event) return std::move(*event);
    }
    throw std::runtime_error("no golden line for " + std::string(Event::type));
  }

  /// All rows as text, in the order of their keys.
  std::string rows_of(const projection& of, const std::string& table) {
    return db
        .root("SELECT COALESCE(string_agg(r, E'\\n' ORDER BY r), '') FROM (SELECT (" +
              columns_of(of) + ")::text AS r FROM " + table + ") s")[0][0]
        .as<std::string>();
  }

  std::vector<golden_line> lines = golden();
  std::set<std::string> types;
};

TEST_F(conformance, C8_every_projection_is_the_same_however_it_is_made) {
  ASSERT_TRUE(follow());
  for (const auto& row : db.root("SELECT DISTINCT type FROM reeve.events")) {
    types.erase(row[0].c_str());
  }
  EXPECT_TRUE(types.empty()) << *types.begin() << " is not in the log";
  const auto same = replayed();
  EXPECT_EQ(same.different_rows, 0);
  for (const auto& d : same.differences) ADD_FAILURE() << d.table << " " << d.column;

  auto session = connect_session(options.owner_url, "conformance");
  row_writer writer(*session, {projections().begin(), projections().end()});
  for (const auto* of : projections()) {
    const auto live = rows_of(*of, table_of(*of));
    EXPECT_FALSE(live.empty()) << of->name << " has no row: add an event that makes one";

    build_options built;
    built.owner_url = options.owner_url;
    built.list = {of};
    const auto made = build_projections(built);
    ASSERT_TRUE(made) << of->name << ": " << made.error().detail;
    EXPECT_EQ(rows_of(*of, table_of(*of)), live) << of->name << " as it is built";

    const auto copy = "public." + std::string(of->name);
    db.root("CREATE TABLE " + copy + " (LIKE " + table_of(*of) + " INCLUDING ALL)");
    tail_fold tail(options.owner_url, {of}, 0);
    const auto went = tail.advance([&](const commit_notice& notice) -> outcome<done> {
      pqxx::work tx(*session);
      writer.write(tx, *of, copy, notice.rows);
      tx.commit();
      return done{};
    });
    ASSERT_TRUE(went) << of->name << ": " << went.error().detail;
    EXPECT_EQ(rows_of(*of, copy), live) << of->name << " as it is followed";
  }
  EXPECT_EQ(replayed().different_rows, 0);
}

}  // namespace
