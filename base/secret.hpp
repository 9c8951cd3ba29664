#pragma once
// Secrets in memory: texts that are wiped, and new ones.

#include <string>
#include <string_view>

namespace reeve {

/// 256 random bits of the operating system, as base64url: 43 characters.
std::string make_secret();

/// The bytes of a secret. They are wiped when it goes or is moved from; it is not copied. What was
/// made of them meanwhile (a request's body, an environment) is its owner's to forget.
class secret_text {
 public:
  secret_text() = default;
  /// Takes the bytes and wipes where they stood.
  explicit secret_text(std::string&& bytes);
  secret_text(secret_text&& other) noexcept;
  secret_text& operator=(secret_text&& other) noexcept;
  ~secret_text();

  std::string_view view() const { return bytes_; }

 private:
  std::string bytes_;
};

/// Overwrites the bytes, which the compiler may not leave out, and empties the text.
void wipe(std::string& bytes);

}  // namespace reeve
