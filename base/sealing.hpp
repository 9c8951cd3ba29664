#pragma once
// Sealing: secrets at rest, encrypted and bound to what they are of (XChaCha20-Poly1305 of
// libsodium, draft-irtf-cfrg-xchacha; a fresh random nonce of 24 bytes each time). One key of 32
// bytes; what seals, what makes digests and what makes marks are keys of their own, derived from it
// (BLAKE2b, crypto_kdf).
//
// A key file holds the key as one line of base64url. It is made with mode 0600, never overwrites
// anything, and is refused unless it is this user's own and closed to group and others.

#include "base/digest.hpp"
#include "base/outcome.hpp"
#include "base/secret.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace reeve {

/// Its bytes are wiped when it goes; it can be moved and not copied.
class sealing_key {
 public:
  static sealing_key generate();
  /// Nothing: there is no such file. `internal` with the reason; no key bytes are in it.
  static outcome<std::optional<sealing_key>> load(const std::string& path);
  /// When it answers, file and folder entry are on disk. `conflict` if the path exists.
  outcome<done> save(const std::string& path) const;

  sealing_key(sealing_key&& other) noexcept;
  sealing_key& operator=(sealing_key&& other) noexcept;
  ~sealing_key();

  /// Tells keys apart, and nothing about them: 16 hexadecimal digits.
  std::string id() const;
  /// The nonce and what is sealed, 40 bytes longer than `plain`. Opened only with the same `about`.
  std::string seal(std::string_view plain, std::string_view about) const;
  /// `invalid`: sealed with another key, of something else, or changed since.
  outcome<secret_text> open(std::string_view sealed, std::string_view about) const;
  /// A digest that nobody can try out values with who does not have the key.
  digest digest_of(std::string_view bytes) const;
  /// Proves that these bytes were made with this key (base/attempt_token.hpp).
  digest mark_of(std::string_view bytes) const;

 private:
  using bytes = std::array<std::uint8_t, 32>;
  enum class purpose : std::uint64_t { sealing = 1, digests = 2, naming = 3, marks = 4 };

  sealing_key() = default;
  bytes derived(purpose what) const;
  digest keyed(purpose what, std::string_view bytes) const;

  bytes key_{};
};

}  // namespace reeve
