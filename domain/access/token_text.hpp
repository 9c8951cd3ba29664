#pragma once
// The text of a token: "rv_<32 hexadecimal digits of the id>_<secret>". It is shown once, when the
// token is made; who sends it names the token by it and proves it.

#include "base/ids.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace reeve::domain {

struct token_parts {
  uuid id;
  std::string_view secret;  // of the text
};

std::string token_text(const uuid& id, std::string_view secret);

/// Nothing for a text of another form, or of more than 256 bytes.
std::optional<token_parts> parts_of_token(std::string_view text);

}  // namespace reeve::domain
