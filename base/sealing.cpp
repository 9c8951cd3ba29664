#include "base/sealing.hpp"

#include "base/files.hpp"
#include "base/invariant.hpp"

#include <algorithm>
#include <sodium.h>
#include <sys/stat.h>
#include <utility>

namespace reeve {
namespace {

constexpr std::size_t key_text_bytes = 43;  // 32 bytes in base64url
// Eight characters, as crypto_kdf wants them.
constexpr const char* context = "reeve-sk";
constexpr std::size_t nonce_bytes = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t tag_bytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;

const unsigned char* data_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

unsigned char* data_of(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}

/// The library is made ready first: without that its first random bytes are for one thread only.
void fill_randomly(unsigned char* to, std::size_t size) {
  REEVE_INVARIANT(sodium_init() >= 0, "the library has a source of randomness");
  randombytes_buf(to, size);
}

rejection cannot(const std::string& detail) {
  return reject(errc::internal, "the key of the secrets " + detail);
}

}  // namespace

sealing_key sealing_key::generate() {
  sealing_key made;
  fill_randomly(made.key_.data(), made.key_.size());
  return made;
}

outcome<std::optional<sealing_key>> sealing_key::load(const std::string& path) {
  auto text = read_own_file(path, key_text_bytes + 1);
  if (!text) {
    return cannot("cannot be used: " + path +
                  " has to be a file of the server's user, no link, that he may read and nobody "
                  "else may write");
  }
  if (!*text) return std::optional<sealing_key>();
  struct stat about {};
  const bool is_closed = ::stat(path.c_str(), &about) == 0 && (about.st_mode & 077U) == 0;
  const auto line = std::string_view(**text).substr(0, key_text_bytes);
  sealing_key read;
  std::size_t size = 0;
  const bool is_key =
      sodium_base642bin(read.key_.data(), read.key_.size(), line.data(), line.size(), nullptr,
                        &size, nullptr, sodium_base64_VARIANT_URLSAFE_NO_PADDING) == 0 &&
      size == read.key_.size() && (*text)->substr(line.size()) == "\n";
  wipe(**text);
  if (!is_closed) return cannot("is open to group or others: chmod 600 " + path);
  if (!is_key) return cannot("is not one line of 43 base64url characters: " + path);
  return std::optional<sealing_key>(std::move(read));
}

outcome<done> sealing_key::save(const std::string& path) const {
  std::string text(key_text_bytes + 1, '\0');
  sodium_bin2base64(text.data(), text.size(), key_.data(), key_.size(),
                    sodium_base64_VARIANT_URLSAFE_NO_PADDING);
  text.back() = '\n';
  auto written = write_new_file(path, text);
  wipe(text);
  return written;
}

sealing_key::sealing_key(sealing_key&& other) noexcept : key_(other.key_) {
  sodium_memzero(other.key_.data(), other.key_.size());
}

sealing_key& sealing_key::operator=(sealing_key&& other) noexcept {
  if (this == &other) return *this;
  key_ = other.key_;
  sodium_memzero(other.key_.data(), other.key_.size());
  return *this;
}

sealing_key::~sealing_key() {
  sodium_memzero(key_.data(), key_.size());
}

sealing_key::bytes sealing_key::derived(purpose what) const {
  static_assert(crypto_kdf_KEYBYTES == sizeof(bytes));
  static_assert(crypto_aead_xchacha20poly1305_ietf_KEYBYTES == sizeof(bytes));
  bytes made{};
  crypto_kdf_derive_from_key(made.data(), made.size(), static_cast<std::uint64_t>(what), context,
                             key_.data());
  return made;
}

std::string sealing_key::id() const {
  const auto name = derived(purpose::naming);
  return to_hex({reinterpret_cast<const char*>(name.data()), 8});
}

std::string sealing_key::seal(std::string_view plain, std::string_view about) const {
  auto key = derived(purpose::sealing);
  std::string sealed(nonce_bytes + plain.size() + tag_bytes, '\0');
  fill_randomly(data_of(sealed), nonce_bytes);
  crypto_aead_xchacha20poly1305_ietf_encrypt(data_of(sealed) + nonce_bytes, nullptr, data_of(plain),
                                             plain.size(), data_of(about), about.size(), nullptr,
                                             data_of(sealed), key.data());
  sodium_memzero(key.data(), key.size());
  return sealed;
}

outcome<secret_text> sealing_key::open(std::string_view sealed, std::string_view about) const {
  if (sealed.size() < nonce_bytes + tag_bytes) return reject(errc::invalid, "nothing is sealed");
  auto key = derived(purpose::sealing);
  std::string plain(sealed.size() - nonce_bytes - tag_bytes, '\0');
  const auto rest = sealed.substr(nonce_bytes);
  const bool good = crypto_aead_xchacha20poly1305_ietf_decrypt(
                        data_of(plain), nullptr, nullptr, data_of(rest), rest.size(),
                        data_of(about), about.size(), data_of(sealed), key.data()) == 0;
  sodium_memzero(key.data(), key.size());
  secret_text opened(std::move(plain));
  if (!good) return reject(errc::invalid, "it was sealed with another key, or was changed since");
  return opened;
}

digest sealing_key::keyed(purpose what, std::string_view text) const {
  auto key = derived(what);
  digest made{};
  crypto_generichash(made.data(), made.size(), data_of(text), text.size(), key.data(), key.size());
  sodium_memzero(key.data(), key.size());
  return made;
}

digest sealing_key::digest_of(std::string_view text) const {
  return keyed(purpose::digests, text);
}

digest sealing_key::mark_of(std::string_view text) const {
  return keyed(purpose::marks, text);
}

}  // namespace reeve
