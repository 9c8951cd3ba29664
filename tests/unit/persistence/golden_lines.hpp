#pragma once
// The golden lines: every version of every event that was ever written.

#include "codec/codec.hpp"
#include "domain/aggregates.hpp"
#include "tests/support/source_dir.hpp"

#include <fstream>
#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace reeve::fixture {

struct golden_line {
  std::string type;
  std::int64_t schema_version = 0;
  domain::json_text payload;
  static constexpr auto fields() {
    using domain::field;
    return std::tuple{field("type", &golden_line::type),
                      field("schema_version", &golden_line::schema_version),
                      field("payload", &golden_line::payload)};
  }
};

inline std::vector<std::string> texts() {
  std::ifstream in(support::source_dir() + "/tests/unit/data/golden_events.ndjson");
  std::vector<std::string> lines;
  for (std::string text; std::getline(in, text);) lines.push_back(text);
  EXPECT_FALSE(lines.empty());
  return lines;
}

inline std::vector<golden_line> golden() {
  std::vector<golden_line> lines;
  for (const auto& text : texts()) {
    auto line = codec::decode_text<golden_line>(text);
    EXPECT_TRUE(line) << text;
    if (!line) continue;
    EXPECT_EQ(codec::encode(*line), text) << "a line is canonical";
    lines.push_back(std::move(*line));
  }
  return lines;
}

}  // namespace reeve::fixture
