// A log that was changed is found out, whatever was changed (P5), from the database and from an
// export, and the first position that does not fit is named (EV7).

#include "codec/codec.hpp"
#include "tests/unit/persistence/verify_fixture.hpp"

#include <algorithm>
#include <fstream>
#include <gtest/gtest.h>
#include <random>

namespace {

using namespace reeve;
using namespace reeve::persistence;
using namespace reeve::fixture;

class EV7_verify : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    shared = new signed_log;
    lines = lines_of(shared->exported());
  }
  static void TearDownTestSuite() { delete shared; }

  static bool is_event(const std::string& line) { return line.starts_with("{\"causation_id\""); }
  /// The position of the event on this line or, for other lines, of the event before it plus one.
  static domain::position position_at(std::size_t index) {
    domain::position at = 0;
    for (std::size_t i = 0; i <= index; ++i) at += is_event(lines[i]) ? 1 : 0;
    return is_event(lines[index]) ? at : at + 1;
  }

  static signed_log* shared;
  static text_lines lines;
};

signed_log* EV7_verify::shared = nullptr;
text_lines EV7_verify::lines;

TEST_F(EV7_verify, a_log_that_nobody_changed_fits) {
  const auto live = verify_database(shared->db.writer_url(), shared->trusting());
  ASSERT_TRUE(live) << live.error().detail;
  EXPECT_EQ(live->what, "");
  EXPECT_EQ(live->head, shared->last.position);
  EXPECT_EQ(live->events, shared->last.position);
  EXPECT_EQ(live->hash, shared->last.hash);
  EXPECT_EQ(live->checkpoints, 3);
  const auto exported = verify_text(text_of(lines), shared->trusting());
  ASSERT_TRUE(exported) << exported.error().detail;
  EXPECT_EQ(exported->what, "");
  EXPECT_EQ(exported->hash, shared->last.hash);
  EXPECT_EQ(exported->checkpoints, 3);
  EXPECT_EQ(exported->origin, shared->last.origin);
}

TEST_F(EV7_verify, an_empty_log_is_a_log) {
  test_database empty;
  const auto result = verify_database(empty.writer_url(), {});
  ASSERT_TRUE(result) << result.error().detail;
  EXPECT_TRUE(result->good());
  EXPECT_EQ(result->events, 0);
}

TEST_F(EV7_verify, P5_a_flipped_byte_is_found_at_its_position) {
  for (std::size_t i = 1; i < lines.size(); ++i) {
    if (!is_event(lines[i])) continue;
    auto changed = lines;
    const auto at = changed[i].size() / 2;
    changed[i][at] = changed[i][at] == 'x' ? 'y' : 'x';
    EXPECT_EQ(found_in(text_of(changed), {}), position_at(i)) << "line " << i;
  }
}

/// Every bit of every byte counts, so capitals and spaces do too.
TEST_F(EV7_verify, P5_a_thousand_random_mutations_are_all_found) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const auto below = [&](std::size_t limit) {
    return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random);
  };
  const auto whole = text_of(lines);
  int missed = 0;
  for (int i = 0; i < 1500; ++i) {
    auto changed = lines;
    std::string text;
    const auto a = below(lines.size());
    const auto kind = i % 6;
    if (kind == 1) changed.erase(changed.begin() + static_cast<long>(a));
    if (kind == 2) std::swap(changed[a], changed[(a + 1 + below(lines.size() - 1)) % lines.size()]);
    if (kind == 3)
      changed.insert(changed.begin() + static_cast<long>(below(lines.size())), lines[a]);
    text = text_of(changed);
    if (kind == 0) text[below(text.size())] ^= static_cast<char>(1 << below(8));
    if (kind == 4) text.resize(below(text.size() - 1));
    if (kind == 5) text.insert(below(text.size() - 1), 1, static_cast<char>(below(256)));
    if (text == whole) continue;
    if (!found_in(text, {"", shared->public_key}) && ++missed < 5) {
      ADD_FAILURE() << "mutation " << i << " of kind " << kind << " was missed";
    }
  }
  EXPECT_EQ(missed, 0);
}

/// Somebody who can write everything makes a chain anew: only a head outside tells.
class P5_rewrite : public EV7_verify {
 protected:
  /// All events from `from` on hashed again after `change` was made to the first of them.
  static text_lines rewritten(std::size_t from,
                              const std::function<void(domain::event_record&)>& change) {
    text_lines forged{lines[0]};
    digest hash = genesis_hash(shared->last.origin);
    for (std::size_t i = 1; i < lines.size(); ++i) {
      if (!is_event(lines[i])) continue;
      auto event = *import_line(lines[i])->event;
      if (i == from) change(event);
      event.leaf = leaf_of(event);
      event.hash = hash = chain_hash(hash, event.leaf);
      forged.push_back(export_line(event));
    }
    forged.push_back(end_of_export(0, forged.size() - 1));
    return forged;
  }
};

TEST_F(P5_rewrite, a_whole_new_chain_is_caught_by_a_head_from_outside) {
  const auto forged = text_of(rewritten(2, [](auto& e) { e.payload = "{\"forged\":true}"; }));
  EXPECT_EQ(found_in(forged, {}), std::nullopt) << "in itself it fits";
  const auto heads = *read_heads(shared->options.heads_file);
  EXPECT_EQ(found_in(forged, shared->trusting()), heads.front().position);
}

TEST_F(P5_rewrite, a_log_that_was_cut_short_is_caught_by_a_head_from_outside) {
  auto cut = rewritten(0, {});
  cut.erase(cut.end() - 3, cut.end());
  cut.push_back(end_of_export(0, cut.size() - 1));
  EXPECT_EQ(found_in(text_of(cut), {}), std::nullopt) << "in itself it fits";
  EXPECT_EQ(found_in(text_of(cut), shared->trusting()), shared->last.position - 1);
}

TEST_F(P5_rewrite, rules_beyond_the_chain_are_checked_even_if_the_hashes_fit) {
  using event = domain::event_record;
  const std::vector<std::function<void(event&)>> changes{
      [](event& e) { e.version += 1; },       [](event& e) { e.epoch = 0; },
      [](event& e) { e.recorded_at_us = 1; }, [](event& e) { e.payload_format = 256; },
      [](event& e) { e.position += 1; },
  };
  const std::size_t last_event = lines.size() - 3;  // a head and the end stand behind it
  ASSERT_TRUE(is_event(lines[last_event]));
  for (std::size_t i = 0; i < changes.size(); ++i) {
    EXPECT_EQ(found_in(text_of(rewritten(last_event, changes[i])), {}), shared->last.position)
        << "change " << i;
  }
}

TEST_F(P5_rewrite, a_head_of_another_key_is_not_believed) {
  auto forged = rewritten(2, [](auto& e) { e.payload = "{}"; });
  const auto event = *import_line(forged[forged.size() - 2])->event;
  signed_head head;
  head.position = event.position;
  head.origin = shared->last.origin;
  head.epoch = event.epoch;
  head.hash = event.hash;
  sign(head, ed25519_key::generate());
  forged.back() = codec::encode(export_checkpoint{head});
  forged.push_back(end_of_export(1, static_cast<std::size_t>(event.position)));
  EXPECT_EQ(found_in(text_of(forged), {}), std::nullopt);
  EXPECT_EQ(found_in(text_of(forged), {"", shared->public_key}), event.position);
}

TEST_F(EV7_verify, what_is_no_export_is_refused) {
  for (const auto* text : {"", "{}\n", "{\"reeve_export\":2,\"origin\":\"x\"}\n", "\x28\xb5\x2f"}) {
    const auto result = verify_text(text);
    ASSERT_FALSE(result) << text;
    EXPECT_EQ(result.error().code, errc::invalid);
  }
}

TEST_F(EV7_verify, EV10_an_export_for_one_tenant_tells_nothing_of_others) {
  const auto text = shared->exported(shared->tenant);
  EXPECT_EQ(text.find(to_string(shared->other)), std::string::npos);
  EXPECT_NE(text.find(to_string(shared->tenant)), std::string::npos);
  const auto result = verify_text(text, shared->trusting());
  ASSERT_TRUE(result) << result.error().detail;
  EXPECT_EQ(result->what, "");
  EXPECT_EQ(result->hash, shared->last.hash);
  EXPECT_EQ(result->tenant, shared->tenant);
  EXPECT_EQ(result->leaves, leaves_in(lines_of(text)));
  auto changed = lines_of(text);
  const auto leaf = std::find_if(changed.begin(), changed.end(),
                                 [](const auto& line) { return line.starts_with("{\"leaf\""); });
  ASSERT_NE(leaf, changed.end());
  (*leaf)[12] = (*leaf)[12] == '0' ? '1' : '0';
  EXPECT_NE(found_in(text_of(changed), shared->trusting()), std::nullopt);
}

TEST_F(EV7_verify, P5_a_stream_that_was_blanked_is_no_whole_export) {
  const auto victim = import_line(lines[5])->event->stream;
  auto blanked = lines;
  domain::position first = 0;
  for (auto& line : blanked) {
    if (!is_event(line)) continue;
    const auto event = *import_line(line)->event;
    if (event.stream != victim) continue;
    if (first == 0) first = event.position;
    line = leaf_line(event);
  }
  ASSERT_GT(first, 0);
  EXPECT_EQ(found_in(text_of(blanked), shared->trusting()), first) << "its header says whole";
}

/// That it was right to leave them out nobody can tell; how many there are is said.
TEST_F(EV7_verify, P5_what_could_not_be_seen_is_said) {
  auto filtered = lines_of(shared->exported(shared->tenant));
  const auto honest = verify_text(text_of(filtered), shared->trusting());
  const auto own = std::find_if(filtered.begin(), filtered.end(), is_event);
  ASSERT_NE(own, filtered.end());
  const auto victim = import_line(*own)->event->stream;
  std::int64_t blanked = 0;
  for (auto& line : filtered) {
    if (!is_event(line) || import_line(line)->event->stream != victim) continue;
    line = leaf_line(*import_line(line)->event);
    ++blanked;
  }
  EXPECT_NE(found_in(text_of(filtered), shared->trusting()), std::nullopt) << "its end says more";
  filtered.back() = end_of_export(3, static_cast<std::size_t>(shared->last.position),
                                  static_cast<std::size_t>(honest->leaves + blanked));
  const auto result = verify_text(text_of(filtered), shared->trusting());
  EXPECT_EQ(result->what, "");
  EXPECT_EQ(result->leaves, honest->leaves + blanked);
  EXPECT_EQ(result->signed_to, shared->last.position);
  EXPECT_EQ(verify_text(text_of(lines))->leaves, 0);
  EXPECT_EQ(verify_text(text_of(lines))->tenant, std::nullopt);
}

TEST_F(EV7_verify, P5_an_event_of_another_tenant_does_not_pass_for_the_one_that_is_named) {
  auto renamed = lines_of(shared->exported());
  auto header = *codec::decode_text<export_header>(renamed.front());
  header.tenant = shared->tenant;
  renamed.front() = codec::encode(header);
  EXPECT_EQ(found_in(text_of(renamed), shared->trusting()), 1) << "the election is the system's";
}

}  // namespace
