#pragma once
// Signed heads of the log: whoever keeps one outside of the database can tell later whether the log
// was cut short or written anew. FROZEN; these 99 bytes are signed with Ed25519:
//
//   "reeve-checkpoint-v1" | origin | epoch | position | hash | key id
//      19 ASCII bytes        16        8        8        32     16 hexadecimal digits
//
// Integers are big-endian two's complement; the key id is that of base/ed25519.hpp.
//
// The file of heads has one line of JSON a head and only grows.

#include "base/digest.hpp"
#include "base/ed25519.hpp"
#include "base/ids.hpp"
#include "base/outcome.hpp"
#include "domain/event.hpp"
#include "domain/fields.hpp"

#include <cstdint>
#include <fstream>
#include <optional>
#include <string>
#include <tuple>

namespace reeve::persistence {

struct signed_head {
  domain::position position = 0;
  uuid origin;
  std::int64_t epoch = 0;     // of the event at `position`
  digest hash{};              // of the event at `position`
  std::string public_key;     // base64url
  std::string key_id;         // 16 hexadecimal digits
  std::string signature;      // base64url
  time_us created_at_us = 0;  // not in its JSON, because nothing vouches for it
  bool operator==(const signed_head&) const = default;

  static constexpr auto fields() {
    using domain::field;
    return std::tuple{
        field("position", &signed_head::position),     field("origin", &signed_head::origin),
        field("epoch", &signed_head::epoch),           field("hash", &signed_head::hash),
        field("public_key", &signed_head::public_key), field("key_id", &signed_head::key_id),
        field("signature", &signed_head::signature)};
  }
};

/// What is signed; public key, signature and time are not part of it.
std::string signed_bytes(const signed_head& head);

/// Fills in public key, key id and signature.
void sign(signed_head& head, const ed25519_key& key);

/// The key id is that of the public key, and the signature is the key's.
bool is_genuine(const signed_head& head);

/// The heads of a file, one after the other; none if there is no such file. A last line without its
/// end was cut off while it was written and does not count; nor do heads that are added meanwhile.
class head_lines {
 public:
  explicit head_lines(std::string path);
  /// Nothing at the end. `invalid` names the line that is no head.
  outcome<std::optional<signed_head>> next();
  /// The number of the line that next() gave last.
  std::int64_t line() const { return line_; }

 private:
  std::string path_;
  std::ifstream in_;
  std::int64_t left_ = 0;  // bytes
  bool is_unreadable_ = false;
  std::int64_t line_ = 0;
};

/// The last one; only the end of the file is read. `invalid` if that is no head.
outcome<std::optional<signed_head>> read_last_head(const std::string& path);

/// Adds a head to the file, made with mode 0600. When it answers, the line is on disk. What a
/// cut-off write left at the end is removed first.
outcome<done> append_head(const std::string& path, const signed_head& head);

}  // namespace reeve::persistence
