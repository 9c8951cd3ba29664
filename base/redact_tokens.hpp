#pragma once
// Secrets that are known by their published form alone: tokens of well-known issuers.

#include "base/redact_named.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace reeve {

/// The characters of a run; `second_part` are those of `url`, kept apart.
enum class run_of : std::uint8_t {
  hex,
  alnum,
  word,
  url,
  second_part,
  dotted,
  path,
  base64,
  value,
  count
};

/// Where runs of characters end. What was found is kept, so that looking from every place of one
/// long run costs no more than looking once.
class run_ends {
 public:
  explicit run_ends(std::string_view line) : line_(line) {}
  std::size_t end(std::size_t from, run_of kind);

 private:
  struct range {
    std::size_t begin = 1;
    std::size_t end = 0;
  };
  std::string_view line_;
  std::array<range, static_cast<std::size_t>(run_of::count)> known_;
};

/// The beginnings of all forms, in lower case, to be looked for.
std::vector<std::string_view> token_beginnings();
/// Whether what has this form is a secret wherever it stands: no key that is meant to be public,
/// and nothing that is found by its randomness only.
bool is_always_secret(std::size_t form);
/// The form with this number, its beginning having been found at [begin, end) in some case. False
/// if it is not there after all; else the secret's bytes.
bool read_token(std::size_t form, std::string_view line, std::size_t begin, std::size_t end,
                run_ends& runs, secret_span& out);

}  // namespace reeve
