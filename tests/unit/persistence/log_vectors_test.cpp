// The published vectors of the log's format: ten events with their leaves and hashes, and a signed
// head. FROZEN: the file was written once by this code; a change of it is a change of every log
// that exists. docs/verify_log.py, which shares no code with this, checks it too.

#include "codec/codec.hpp"
#include "persistence/checkpoint.hpp"
#include "persistence/export.hpp"
#include "persistence/leaf.hpp"
#include "tests/support/source_dir.hpp"

#include <fstream>
#include <gtest/gtest.h>
#include <iterator>

namespace {

using namespace reeve;
using namespace reeve::persistence;

std::string vector_content(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

const std::string vectors = support::source_dir() + "/tests/unit/data/log_vectors.json";

struct vector_file {
  std::string text;
  std::optional<codec::json_doc> doc;
  vector_file() : text(vector_content(vectors)) {
    auto parsed = codec::parse_strict(text);
    if (parsed) doc.emplace(std::move(*parsed));
  }
  codec::json_node at(std::string_view key) const { return *doc->root().find(key); }
};

TEST(EV6_vectors, ten_events_have_the_frozen_leaves_and_hashes) {
  const vector_file file;
  ASSERT_TRUE(file.doc);
  const auto origin = parse_uuid(file.at("origin").as_string());
  ASSERT_TRUE(origin);
  digest hash = genesis_hash(*origin);
  EXPECT_EQ(to_hex(hash), file.at("genesis").as_string());
  const auto events = file.at("events");
  ASSERT_EQ(events.size(), 10U);
  for (std::size_t i = 0; i < events.size(); ++i) {
    const auto line = import_line(events.at(i).text());
    ASSERT_TRUE(line && line->event) << "event " << i + 1;
    const auto& event = *line->event;
    EXPECT_EQ(to_hex(leaf_of(event)), events.at(i).find("leaf")->as_string()) << event.position;
    hash = chain_hash(hash, event.leaf);
    EXPECT_EQ(to_hex(hash), events.at(i).find("hash")->as_string()) << event.position;
  }
}

/// What is easy to get wrong is in it.
TEST(EV6_vectors, cover_what_is_easy_to_get_wrong) {
  const vector_file file;
  ASSERT_TRUE(file.doc);
  bool sealed = false, negative = false, huge = false, wide = false, null_and_empty = false;
  const auto events = file.at("events");
  for (std::size_t i = 0; i < events.size(); ++i) {
    const auto event = *import_line(events.at(i).text())->event;
    sealed = sealed || (event.payload_format == domain::payload_sealed && event.key_id);
    negative = negative || event.recorded_at_us < 0;
    huge = huge || event.epoch == INT64_MAX;
    wide = wide || event.stream.find("\xf0\x9f\x9a\x82") != std::string::npos;
    null_and_empty = null_and_empty || (event.payload.empty() && !event.meta.request_digest &&
                                        event.meta.traceparent.empty());
  }
  EXPECT_TRUE(sealed && negative && huge && wide && null_and_empty);
}

TEST(EV6_vectors, the_signed_head_is_frozen) {
  const vector_file file;
  ASSERT_TRUE(file.doc);
  const auto head = codec::decode<signed_head>(file.at("checkpoint"));
  ASSERT_TRUE(head) << head.error().detail;
  EXPECT_EQ(to_hex(signed_bytes(*head)), file.at("checkpoint_signed_bytes").as_string());
  EXPECT_TRUE(is_genuine(*head));
}

}  // namespace
