#pragma once
// What PostgreSQL keeps of a password (RFC 5802 with SHA-256, RFC 7677). Made here, so that the
// password itself never travels in a statement, which a server may write to its log. Inside
// persistence/ only.

#include <string>
#include <string_view>

namespace reeve::persistence {

/// 4,096 as PostgreSQL has it; the passwords are 192 random bits, so more would protect nothing.
inline constexpr int scram_iterations = 4096;

/// "SCRAM-SHA-256$4096:<salt>$<stored key>:<server key>". The password is ASCII; `salt` is bytes,
/// 16 of them as a rule.
std::string scram_verifier(std::string_view password, std::string_view salt,
                           int iterations = scram_iterations);

}  // namespace reeve::persistence
