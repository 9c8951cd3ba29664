#pragma once
// What a name says of its value.

#include <cstdint>
#include <string_view>

namespace reeve {

enum class name_kind : std::uint8_t {
  harmless,
  // A secret only if the value looks like one: "auth", "sig", "signature", "tokens".
  vague,
  doubtful,  // "SECRET_CLIENT", "USE_TOKEN": a secret or a word about one, as for session
  session,   // "session_id": as vague, but no number and no address
  token,     // of a parser as well as of a user
  password,
  pass,  // "pass" alone: also the outcome of a test, a stage of a compiler
  pwd,   // "pwd" alone: also the working directory
  authorization,
  cookie,
};

/// `name`: letters, digits, '_', '.', '-'. Its last 100 characters are looked at.
name_kind kind_of_name(std::string_view name);

}  // namespace reeve
