#include "base/digest.hpp"

#include "base/hex.hpp"

#include <exception>
#include <openssl/evp.h>
#include <sodium.h>
#include <utility>

namespace reeve {
namespace {

struct context_free {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using context_ptr = std::unique_ptr<EVP_MD_CTX, context_free>;

/// OpenSSL can only fail here for want of memory or of its own library: nothing could go on.
void must(bool worked) {
  if (!worked) std::terminate();
}

/// Fetched once: a fetch costs more than hashing 1 KiB. It lives as long as the process.
const EVP_MD* algorithm() {
  static const EVP_MD* const fetched = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  must(fetched != nullptr);
  return fetched;
}

context_ptr new_context() {
  context_ptr context(EVP_MD_CTX_new());
  must(context != nullptr && EVP_DigestInit_ex2(context.get(), algorithm(), nullptr) == 1);
  return context;
}

digest take_digest(EVP_MD_CTX* context) {
  digest result;
  unsigned size = 0;
  must(EVP_DigestFinal_ex(context, result.data(), &size) == 1 && size == result.size());
  return result;
}

constexpr int base64_variant = sodium_base64_VARIANT_URLSAFE_NO_PADDING;

}  // namespace

digest sha256(std::string_view bytes) {
  thread_local const context_ptr context = new_context();
  must(EVP_DigestInit_ex2(context.get(), nullptr, nullptr) == 1);
  must(EVP_DigestUpdate(context.get(), bytes.data(), bytes.size()) == 1);
  return take_digest(context.get());
}

struct sha256_hasher::state {
  context_ptr context = new_context();
};

sha256_hasher::sha256_hasher() : state_(std::make_unique<state>()) {}
sha256_hasher::~sha256_hasher() = default;
sha256_hasher::sha256_hasher(sha256_hasher&&) noexcept = default;
sha256_hasher& sha256_hasher::operator=(sha256_hasher&&) noexcept = default;

void sha256_hasher::update(std::string_view bytes) {
  must(EVP_DigestUpdate(state_->context.get(), bytes.data(), bytes.size()) == 1);
}

digest sha256_hasher::finish() {
  const digest result = take_digest(state_->context.get());
  must(EVP_DigestInit_ex2(state_->context.get(), nullptr, nullptr) == 1);
  return result;
}

void append_hex(std::string& out, std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::size_t at = out.size();
  out.resize(at + 2 * bytes.size());
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out[at++] = digits[byte >> 4];
    out[at++] = digits[byte & 0x0fU];
  }
}

std::string to_hex(std::string_view bytes) {
  std::string text;
  append_hex(text, bytes);
  return text;
}

std::string to_hex(const digest& d) {
  return to_hex(as_view(d));
}

std::optional<std::string> from_hex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  std::string bytes(text.size() / 2, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const int high = hex_value(text[2 * i]);
    const int low = hex_value(text[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    bytes[i] = static_cast<char>(high << 4 | low);
  }
  return bytes;
}

std::optional<digest> digest_from_hex(std::string_view text) {
  digest result;
  if (text.size() != 2 * result.size()) return std::nullopt;
  for (std::size_t i = 0; i < result.size(); ++i) {
    const int high = hex_value(text[2 * i]);
    const int low = hex_value(text[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    result[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  return result;
}

std::string to_base64url(std::string_view bytes) {
  std::string text(sodium_base64_encoded_len(bytes.size(), base64_variant), '\0');
  sodium_bin2base64(text.data(), text.size(), reinterpret_cast<const unsigned char*>(bytes.data()),
                    bytes.size(), base64_variant);
  text.pop_back();  // the terminator that libsodium counts
  return text;
}

std::optional<std::string> from_base64url(std::string_view text) {
  std::string bytes(text.size() / 4 * 3 + 3, '\0');
  std::size_t size = 0;
  // Without an end pointer libsodium refuses what it cannot read completely.
  if (sodium_base642bin(reinterpret_cast<unsigned char*>(bytes.data()), bytes.size(), text.data(),
                        text.size(), nullptr, &size, nullptr, base64_variant) != 0) {
    return std::nullopt;
  }
  bytes.resize(size);
  return bytes;
}

bool equal_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace reeve
