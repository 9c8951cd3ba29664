#pragma once
// What the pass-through of language models reads in OpenAI's JSON: a few members that say where a
// call goes and what it came to. No text of a prompt or a completion is looked at or kept; it only
// has to be JSON, and its bytes are counted.

#include "base/outcome.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace reeve::codec {

struct llm_request {
  std::string model;         // as it stands there, any text
  bool streams = false;      // `stream`
  bool wants_usage = false;  // `stream_options.include_usage`

  /// Where the body is changed to ask for it.
  struct place {
    std::size_t begin = 0, end = 0;  // of a value; alike: there is none
    bool is_there() const { return end > begin; }
  };
  place options;        // of `stream_options`, an object or null
  place include_usage;  // in it
  std::size_t first_member = 0;
  bool has_options = false;  // other ones than that
};

/// `invalid` with the member's pointer, or with none for what is no JSON object. A member that
/// counts here may stand in it once, and in its own spelling only: readers that take `Model` for
/// `model`, or the last of two, would read something else.
outcome<llm_request> read_llm_request(std::string_view body);

/// The same request, asking for the counts behind the last chunk.
std::string asking_for_usage(std::string_view body, const llm_request& read);

/// Of one call. More would be no count, neither told nor recorded.
inline constexpr std::int64_t most_llm_tokens = 1'000'000'000;

/// What an answer tells of itself. Nothing: it does not, or says what can be none.
struct llm_told_counts {
  std::optional<std::int64_t> prompt;      // 0..most_llm_tokens, both
  std::optional<std::int64_t> completion;  // embeddings have none
  bool is_there() const { return prompt || completion; }
  bool operator==(const llm_told_counts&) const = default;
};

/// An answer, or a chunk of one.
struct llm_answer {
  llm_told_counts told;
  bool has_choices = false;  // one or more
  /// Bytes of the texts in its choices' `delta`, `message` and `text`, decoded, whatever they are
  /// called there but for roles, ids and types. All its bytes, if it has no list of choices: then
  /// nobody knows where its text is.
  std::size_t said_bytes = 0;
  bool has_error = false;
  std::string error_code;  // of the error, if it is a text
};

/// `invalid`: it is no JSON object.
outcome<llm_answer> read_llm_answer(std::string_view text);

}  // namespace reeve::codec
