#pragma once
// A log with several streams, tenants and epochs, its signed heads, and its export as lines.

#include "persistence/checkpoint_keeper.hpp"
#include "persistence/export.hpp"
#include "persistence/leaf.hpp"
#include "persistence/verify.hpp"
#include "tests/unit/persistence/journal_fixture.hpp"

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

namespace reeve::fixture {

using text_lines = std::vector<std::string>;

inline text_lines lines_of(const std::string& text) {
  text_lines lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

inline std::string text_of(const text_lines& lines) {
  std::string text;
  for (const auto& line : lines) text += line + "\n";
  return text;
}

/// All heads of a file.
inline outcome<std::vector<persistence::signed_head>> read_heads(const std::string& path) {
  std::vector<persistence::signed_head> heads;
  for (persistence::head_lines lines(path);;) {
    auto head = lines.next();
    if (!head) return head.error();
    if (!*head) return heads;
    heads.push_back(std::move(**head));
  }
}

class signed_log {
 public:
  signed_log() : folder_(std::filesystem::temp_directory_path() / fresh_stream("reeve-heads")) {
    std::filesystem::create_directory(folder_);
    options = {db.writer_url(), folder_ / "heads.ndjson", folder_ / "signing.key"};
    for (int leader = 0; leader < 3; ++leader) fill();
  }
  ~signed_log() { std::filesystem::remove_all(folder_); }
  signed_log(const signed_log&) = delete;
  signed_log& operator=(const signed_log&) = delete;

  /// One leader: its election, then appends to old and new streams, and a signed head.
  void fill() {
    persistence::journal log(journal_on(db.writer_url()));
    // The lock of the leader before goes with its session, which ends a moment after its close.
    if (!eventually([&] { return log.open().ok(); })) {
      throw std::runtime_error("the journal does not open");
    }
    const std::string fresh = fresh_stream();
    streams_.push_back(fresh);
    versions_.push_back(0);
    for (std::size_t i = 0; i < streams_.size(); ++i) {
      for (const char* payload : {"{\"text\":\"M\xc3\xbcller \\\"x\\\" \\n\"}", "{}"}) {
        auto request = append_to(streams_[i], versions_[i]++, i % 2 == 0 ? tenant : other, payload);
        auto& meta = request.events[0].meta;
        if (i % 2 == 0) meta.causation_id = 1;
        if (i % 2 == 1) meta.request_digest = sha256(payload);
        meta.traceparent =
            i % 2 == 0 ? "" : "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000001-01";
        if (!append_one(log, request)) throw std::runtime_error("an append failed");
      }
    }
    const auto head = sign_head(options, log.head());
    if (!head) throw std::runtime_error(head.error().detail);
    public_key = head->public_key;
    last = log.head();
  }

  std::string exported(const std::optional<uuid>& only = std::nullopt) const {
    std::string text;
    const auto result = persistence::export_log(db.writer_url(), options.heads_file, only,
                                                [&](std::string_view piece) {
                                                  text += piece;
                                                  return true;
                                                });
    if (!result) throw std::runtime_error(result.error().detail);
    return text;
  }

  persistence::verify_options trusting() const { return {options.heads_file, public_key}; }

  test_database db;
  persistence::checkpoint_options options;
  uuid tenant = real_ids().next();
  uuid other = real_ids().next();
  std::string public_key;
  persistence::journal_head last;

 private:
  std::filesystem::path folder_;
  text_lines streams_;
  std::vector<domain::version> versions_;
};

/// The last line of an export.
inline std::string end_of_export(std::size_t checkpoints, std::size_t events,
                                 std::size_t leaves = 0) {
  return "{\"reeve_export_end\":{\"checkpoints\":" + std::to_string(checkpoints) +
         ",\"events\":" + std::to_string(events) + ",\"leaves\":" + std::to_string(leaves) + "}}";
}

/// What an export for one tenant has of somebody else's event.
inline std::string leaf_line(const domain::event_record& e) {
  return "{\"leaf\":\"" + to_hex(e.leaf) + "\",\"position\":" + std::to_string(e.position) + "}";
}

inline std::int64_t leaves_in(const text_lines& lines) {
  return std::count_if(lines.begin(), lines.end(),
                       [](const auto& line) { return line.starts_with("{\"leaf\""); });
}

/// Exactly as a file of this text would be read; a last line without an end is a line too.
inline outcome<persistence::verify_result> verify_text(
    const std::string& text, const persistence::verify_options& options = {}) {
  std::istringstream in(text);
  return persistence::verify_export(
      [&]() -> std::optional<std::string> {
        std::string line;
        if (!std::getline(in, line)) return std::nullopt;
        return line;
      },
      options);
}

/// Whether something was found, and where; a text that is no export at all counts as found at 0.
inline std::optional<domain::position> found_in(const std::string& text,
                                                const persistence::verify_options& options) {
  const auto result = verify_text(text, options);
  if (!result) return 0;
  return result->first_bad;
}

}  // namespace reeve::fixture
