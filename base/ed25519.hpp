#pragma once
// Ed25519 signatures (RFC 8032, through libsodium): signed checkpoints of the log.
//
// A key file holds the 32-byte seed as one line of base64url. It is made with mode 0600, never
// overwrites anything, and is refused if its group or others may read it.

#include "base/outcome.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace reeve {

using ed25519_signature = std::array<std::uint8_t, 64>;

class ed25519_public_key {
 public:
  /// `invalid` unless these are 32 bytes in base64url.
  static outcome<ed25519_public_key> parse(std::string_view base64url);

  bool verify(std::string_view bytes, std::string_view signature) const;
  /// 43 characters of base64url.
  std::string text() const;
  /// The first 16 hexadecimal digits of the SHA-256 of the key's bytes.
  std::string id() const;

  bool operator==(const ed25519_public_key&) const = default;

 private:
  friend class ed25519_key;
  std::array<std::uint8_t, 32> bytes_{};
};

/// A secret key. Its bytes are wiped when it goes; it can be moved and not copied.
class ed25519_key {
 public:
  static ed25519_key generate();
  /// `internal` with the reason; neither path contents nor key bytes are in it.
  static outcome<ed25519_key> load(const std::string& path);
  /// When it answers, file and directory entry are on disk. `conflict` if the path exists.
  outcome<done> save(const std::string& path) const;

  ed25519_key(ed25519_key&& other) noexcept;
  ed25519_key& operator=(ed25519_key&& other) noexcept;
  ~ed25519_key();

  ed25519_signature sign(std::string_view bytes) const;
  const ed25519_public_key& public_key() const { return public_; }

 private:
  ed25519_key() = default;
  static ed25519_key from_seed(const std::array<std::uint8_t, 32>& seed);

  std::array<std::uint8_t, 64> secret_{};  // seed and public key, as libsodium keeps them
  ed25519_public_key public_;
};

inline std::string_view as_view(const ed25519_signature& s) {
  return {reinterpret_cast<const char*>(s.data()), s.size()};
}

}  // namespace reeve
