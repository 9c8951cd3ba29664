#pragma once
// The token of an attempt: "rva_" and 112 characters of base64url, which are the ids of its tenant,
// run and job, its number, and a mark made with a key (BLAKE2b with 32 bytes, base/sealing.hpp). It
// is derived and kept nowhere: whoever has the key makes the same text again, and reads in it whose
// it is. Whether that attempt still runs is asked elsewhere (api/llm_attempt.hpp).

#include "base/ids.hpp"
#include "base/sealing.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace reeve {

/// An attempt, by its ids; `number` is 1..4,294,967,295.
struct attempt_name {
  uuid tenant;
  uuid run;
  uuid job;
  std::int64_t number = 0;
  bool operator==(const attempt_name&) const = default;
};

inline constexpr std::size_t attempt_token_bytes = 116;

/// Always the same for the same attempt and key.
std::string attempt_token(const sealing_key& key, const attempt_name& whose);

/// Nothing if the text is not letter by letter what `attempt_token` gives for that attempt: each
/// token has one spelling. Compares in constant time.
std::optional<attempt_name> attempt_of(const sealing_key& key, std::string_view token);

}  // namespace reeve
