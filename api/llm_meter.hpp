#pragma once
// What a call of a language model comes to, seen from what passes by. Pure; keeps numbers only.

#include "codec/llm_json.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace reeve::api {

/// What is recorded of a call.
struct llm_metered {
  std::int64_t prompt = 0;  // 0..codec::most_llm_tokens, both
  std::int64_t completion = 0;
  bool is_estimate = false;  // one of them, or both
  bool operator==(const llm_metered&) const = default;
};

/// Where an upstream told no counts, or the call was cut: four bytes of what was sent are about a
/// token, and so are four of an answer, whether or not the client was given them; a chunk is one at
/// least. An answer of which nothing came is 0. So nobody gets round a budget by going away early,
/// or by an upstream that says all in one chunk.
llm_metered estimate_of(std::size_t request_bytes, std::int64_t completion_tokens);
std::int64_t tokens_of(std::size_t bytes);

/// What the upstream told, and an estimate of each count that it did not.
llm_metered metered_as(const codec::llm_told_counts& told, const llm_metered& estimate);

/// Of an answer that comes in chunks.
class llm_meter {
 public:
  /// `wants_usage`: the client asked for the chunk with the counts, and so is given it.
  llm_meter(std::size_t request_bytes, bool wants_usage)
      : request_bytes_(request_bytes), wants_usage_(wants_usage) {}

  /// `broken`: it is an error or no chunk at all, and nothing of it is for the client. It counts
  /// all the same: all bytes of what cannot be read, and what an error's choices say.
  enum class step { pass, drop, done, broken };
  step take(std::string_view data);
  /// So much came of a chunk that did not end, or was too large.
  void take_begun(std::size_t bytes) { said_bytes_ += bytes; }

  llm_metered sum() const;

 private:
  std::size_t request_bytes_;
  bool wants_usage_;
  bool is_done_ = false;
  std::int64_t chunks_ = 0;
  std::size_t said_bytes_ = 0;  // of what those say
  codec::llm_told_counts told_;
};

}  // namespace reeve::api
