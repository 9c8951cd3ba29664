#pragma once
// Secrets in memory: texts that are wiped, and new ones.

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

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

/// Text that may hold a secret among other things, such as the body of a request: whatever becomes
/// of it, its bytes are wiped where they stood, also those that it has grown out of. It goes as a
/// text does; who takes a std::string of it has to see to that one.
class wiped_text {
 public:
  wiped_text() = default;
  explicit wiped_text(std::string&& bytes) { *this = std::move(bytes); }
  wiped_text(const wiped_text& other) : bytes_(other.bytes_) {}
  wiped_text(wiped_text&& other) noexcept { *this = std::move(other); }
  wiped_text& operator=(const wiped_text& other);
  wiped_text& operator=(wiped_text&& other) noexcept;
  wiped_text& operator=(std::string bytes);
  ~wiped_text();

  void reserve(std::size_t bytes);
  void append(std::string_view bytes);

  bool empty() const { return bytes_.empty(); }
  std::size_t size() const { return bytes_.size(); }
  std::string_view view() const { return bytes_; }
  operator std::string_view() const { return bytes_; }
  operator const std::string&() const& { return bytes_; }
  operator std::string() &&;
  friend bool operator==(const wiped_text& a, std::string_view b) { return a.view() == b; }

 private:
  std::string bytes_;
};

/// Overwrites the bytes, which the compiler may not leave out, and empties the text.
void wipe(std::string& bytes);
void wipe(char* bytes, std::size_t count);

}  // namespace reeve
