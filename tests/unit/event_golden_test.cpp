// Every version of every event ever written stays readable: golden lines are decoded and encoded
// again to the same bytes (EV11). A new event needs a line; a line is never changed.

#include "codec/codec.hpp"
#include "domain/access.hpp"
#include "domain/allowlist.hpp"
#include "domain/directive.hpp"
#include "domain/llm.hpp"
#include "domain/run.hpp"
#include "domain/system_events.hpp"

#include <fstream>
#include <gtest/gtest.h>
#include <set>

namespace {

using namespace reeve;
using namespace reeve::domain;

struct golden_line {
  std::string type;
  std::int64_t schema_version = 0;
  json_text payload;
  static constexpr auto fields() {
    return std::tuple{field("type", &golden_line::type),
                      field("schema_version", &golden_line::schema_version),
                      field("payload", &golden_line::payload)};
  }
};

std::vector<golden_line> golden() {
  std::ifstream in(REEVE_SOURCE_DIR "/tests/unit/data/golden_events.ndjson");
  std::vector<golden_line> lines;
  for (std::string text; std::getline(in, text);) {
    auto line = codec::decode_text<golden_line>(text);
    EXPECT_TRUE(line) << text;
    if (line) lines.push_back(std::move(*line));
  }
  return lines;
}

template <class Variant, std::size_t... I>
void add_types(std::set<std::string>& types, std::index_sequence<I...>) {
  (types.insert(std::string(std::variant_alternative_t<I, Variant>::type)), ...);
}

template <class... Variants>
std::set<std::string> types_of() {
  std::set<std::string> types;
  (add_types<Variants>(types, std::make_index_sequence<std::variant_size_v<Variants>>()), ...);
  return types;
}

template <class Variant>
void check(const golden_line& line, std::set<std::string>& read) {
  std::set<std::string> types = types_of<Variant>();
  if (!types.contains(line.type)) return;
  const auto event = codec::decode_event<Variant>(line.type, static_cast<int>(line.schema_version),
                                                  line.payload.text);
  ASSERT_TRUE(event) << line.type << ": " << event.error().detail << " " << event.error().field;
  EXPECT_EQ(codec::encode_event(*event), line.payload.text) << line.type;
  read.insert(line.type);
}

TEST(EV11_golden, every_event_has_a_line_that_loads_for_ever) {
  std::set<std::string> read;
  for (const auto& line : golden()) {
    check<run_event>(line, read);
    check<directive_event>(line, read);
    check<image_list_event>(line, read);
    check<container_list_event>(line, read);
    check<llm_event>(line, read);
    check<access_event>(line, read);
    check<system_event>(line, read);
    check<std::variant<leader_elected>>(line, read);
  }
  const auto all = types_of<run_event, directive_event, image_list_event, container_list_event,
                            llm_event, access_event, system_event, std::variant<leader_elected>>();
  EXPECT_EQ(read, all) << "an event without a golden line, or a line without an event";
}

TEST(EV11_golden, an_unknown_version_is_refused) {
  EXPECT_FALSE(codec::decode_event<run_event>("run_started", 2, "{}"));
  EXPECT_FALSE(codec::decode_event<run_event>("run_paused", 1, "{}"));
  EXPECT_FALSE(codec::decode_event<run_event>("run_started", 1, R"({"more":1})"));
}

}  // namespace
