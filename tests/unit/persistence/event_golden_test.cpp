// Every version of every event ever written stays readable: golden lines are decoded and encoded
// again to the same bytes (EV11). A new event, and a new version of one, needs a line at the end of
// the file; a line is never changed.

#include "codec/codec.hpp"
#include "persistence/event_codec_port.hpp"
#include "tasks/task_kinds.hpp"
#include "tests/unit/persistence/golden_lines.hpp"

#include <set>

namespace {

using namespace reeve;
using namespace reeve::domain;
using reeve::fixture::golden;
using reeve::fixture::golden_line;
using reeve::fixture::texts;

/// The lines that must keep their bytes, and the digest of them. It may be moved on to take in
/// further lines, at a release for instance.
constexpr std::size_t frozen_lines = 71;
constexpr const char* frozen_digest =
    "0cfe94d64df35743f4d15c631bbd765b3da672c4bc76fc5588a2dd3eeac84ab5";

/// A type and a version of it: "run_started 1".
std::string name(std::string_view type, std::int64_t version) {
  return std::string(type) + " " + std::to_string(version);
}

/// The event and the older versions that it is made from.
template <class Event>
void add_versions(std::set<std::string>& all) {
  all.insert(name(Event::type, schema_version_of<Event>()));
  if constexpr (requires { typename Event::previous; }) {
    add_versions<typename Event::previous>(all);
  }
}

/// Same bytes as the struct of the line's own version, whichever that is.
template <class Event>
void expect_same_bytes(const golden_line& line) {
  if (line.schema_version == schema_version_of<Event>()) {
    const auto event = codec::decode_text<Event>(line.payload.text);
    ASSERT_TRUE(event) << line.type << ": " << event.error().detail << " " << event.error().field;
    EXPECT_EQ(codec::encode(*event), line.payload.text) << line.type;
  } else if constexpr (requires { typename Event::previous; }) {
    expect_same_bytes<typename Event::previous>(line);
  } else {
    ADD_FAILURE() << "no such version: " << name(line.type, line.schema_version);
  }
}

template <class Variant>
struct golden_of;

template <class... Events>
struct golden_of<std::variant<Events...>> {
  static void add(std::set<std::string>& all) { (add_versions<Events>(all), ...); }
  static bool check(const golden_line& line) {
    bool found = false;
    ((line.type == Events::type ? (found = true, expect_same_bytes<Events>(line)) : void()), ...);
    return found;
  }
};

/// What the server does with a record: into the present version, and back into what it would
/// write now.
template <class State>
void expect_readable(const golden_line& line) {
  event_record r;
  r.type = line.type;
  r.schema_version = static_cast<int>(line.schema_version);
  r.payload = line.payload.text;
  const auto event = persistence::from_record<State>(r);
  ASSERT_TRUE(event) << line.type << ": " << event.error().detail;
  const auto again = persistence::to_new_event<State>(*event);
  EXPECT_EQ(again.type, line.type);
  EXPECT_GE(again.schema_version, line.schema_version);
  if (again.schema_version == line.schema_version) {
    EXPECT_EQ(again.payload, line.payload.text);
  }
}

template <class State>
bool check(const golden_line& line) {
  if (!golden_of<event_of<State>>::check(line)) return false;
  expect_readable<State>(line);
  return true;
}

/// How many aggregates know the line's type.
template <class... States>
int readers_of(const golden_line& line, type_list<States...>) {
  return ((check<States>(line) ? 1 : 0) + ...);
}

template <class... States>
std::set<std::string> versions_of(type_list<States...>) {
  std::set<std::string> all;
  (golden_of<event_of<States>>::add(all), ...);
  return all;
}

TEST(EV11_golden, every_version_of_every_event_loads_and_keeps_its_bytes) {
  std::set<std::string> read;
  for (const auto& line : golden()) {
    EXPECT_EQ(readers_of(line, aggregates{}), 1)
        << line.type << " belongs to exactly one aggregate";
    read.insert(name(line.type, line.schema_version));
  }
  EXPECT_EQ(read, versions_of(aggregates{}))
      << "an event without a golden line, or a line without an event";
}

TEST(EV11_golden, lines_once_written_are_never_changed) {
  const auto lines = texts();
  ASSERT_GE(lines.size(), frozen_lines);
  std::string bytes;
  for (std::size_t i = 0; i < frozen_lines; ++i) bytes += lines[i] + "\n";
  EXPECT_EQ(to_hex(sha256(bytes)), frozen_digest) << "put new lines at the end";
}

template <named_enum Enum>
void expect_words(const std::string& file, const std::string& before, const std::string& after) {
  for (const auto word : enum_names<Enum>::names) {
    if constexpr (requires(Enum e) { is_terminal(e); }) {
      Enum value{};
      ASSERT_TRUE(from_name(word, value));
      if (!is_terminal(value)) continue;  // no event ends in it
    }
    const auto text = before + std::string(word) + after;
    EXPECT_NE(file.find(text), std::string::npos) << text << " is in no golden line";
  }
}

TEST(EV11_golden, lines_hold_every_word_of_the_closed_lists) {
  std::string file;
  for (const auto& line : texts()) file += line + "\n";
  expect_words<end_reason>(file, "\"reason\":\"", "\"");
  expect_words<token_role>(file, "\"role\":\"", "\"");
  for (const auto& kind : tasks::task_kind_rows()) {
    const auto text = "\"kind\":\"" + std::string(kind.name) + "\"";
    EXPECT_NE(file.find(text), std::string::npos) << text << " is in no golden line";
  }
  const std::string rest = "\"},\"schema_version\":1,\"type\":\"";
  expect_words<job_status>(file, "\"status\":\"", rest + "job_finished\"");
  expect_words<run_status>(file, "{\"status\":\"", rest + "run_finished\"");
}

TEST(EV11_golden, what_is_not_known_is_refused) {
  const auto read = [](std::string type, int version, std::string payload) {
    event_record r;
    r.type = std::move(type);
    r.schema_version = version;
    r.payload = std::move(payload);
    return persistence::from_record<run_state>(r);
  };
  EXPECT_TRUE(read("run_started", 1, "{}"));
  EXPECT_FALSE(read("run_started", 0, "{}"));
  EXPECT_FALSE(read("run_started", 2, "{}"));
  EXPECT_FALSE(read("run_paused", 1, "{}"));
  EXPECT_FALSE(read("token_revoked", 1, R"({"id":"01000000-0000-7000-0000-000000000008"})"));
  EXPECT_FALSE(read("run_started", 1, R"({"more":1})"));
  EXPECT_FALSE(read("run_finished", 1, R"({"status":"paused"})"));
  EXPECT_EQ(read("run_paused", 1, "{}").error().code, errc::internal);
  event_record sealed;
  sealed.type = "run_started";
  sealed.payload = "{}";
  sealed.payload_format = payload_sealed;
  EXPECT_FALSE(persistence::from_record<run_state>(sealed));
}

}  // namespace
