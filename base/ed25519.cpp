#include "base/ed25519.hpp"

#include "base/digest.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <optional>
#include <sodium.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace reeve {
namespace {

constexpr std::size_t seed_text_bytes = 43;
using seed_bytes = std::array<std::uint8_t, 32>;

class descriptor {
 public:
  explicit descriptor(int fd) : fd_(fd) {}
  ~descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  bool ok() const { return fd_ >= 0; }
  int get() const { return fd_; }

 private:
  int fd_;
};

const unsigned char* start_of_bytes(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

rejection failed(std::string_view what, int error) {
  std::string detail = "the key file cannot be ";
  detail += what;
  detail += ": ";
  return reject(errc::internal, detail + std::system_category().message(error));
}

bool write_key(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

bool sync_directory_of(const std::string& path) {
  const auto slash = path.rfind('/');
  std::string directory = ".";
  if (slash != std::string::npos) directory = slash == 0 ? "/" : path.substr(0, slash);
  const descriptor dir(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return dir.ok() && ::fsync(dir.get()) == 0;
}

/// Nothing on an error of reading, with errno.
std::optional<std::size_t> read_up_to(int fd, char* to, std::size_t bytes) {
  std::size_t have = 0;
  while (have < bytes) {
    const ssize_t got = ::read(fd, to + have, bytes - have);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::nullopt;
    if (got == 0) break;
    have += static_cast<std::size_t>(got);
  }
  return have;
}

bool parse_seed(std::string_view text, seed_bytes& seed) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  std::size_t size = 0;
  return text.size() == seed_text_bytes &&
         sodium_base642bin(seed.data(), seed.size(), text.data(), text.size(), nullptr, &size,
                           nullptr, sodium_base64_VARIANT_URLSAFE_NO_PADDING) == 0 &&
         size == seed.size();
}

}  // namespace

outcome<ed25519_public_key> ed25519_public_key::parse(std::string_view base64url) {
  const auto bytes = from_base64url(base64url);
  ed25519_public_key key;
  if (!bytes || bytes->size() != key.bytes_.size()) {
    return reject(errc::invalid, "a public key is 32 bytes in base64url");
  }
  std::copy(bytes->begin(), bytes->end(), key.bytes_.begin());
  return key;
}

bool ed25519_public_key::verify(std::string_view bytes, std::string_view signature) const {
  return signature.size() == crypto_sign_BYTES &&
         crypto_sign_verify_detached(start_of_bytes(signature), start_of_bytes(bytes), bytes.size(),
                                     bytes_.data()) == 0;
}

std::string ed25519_public_key::text() const {
  return to_base64url({reinterpret_cast<const char*>(bytes_.data()), bytes_.size()});
}

std::string ed25519_public_key::id() const {
  const digest hash = sha256({reinterpret_cast<const char*>(bytes_.data()), bytes_.size()});
  return to_hex(hash).substr(0, 16);
}

ed25519_key ed25519_key::from_seed(const seed_bytes& seed) {
  ed25519_key key;
  crypto_sign_seed_keypair(key.public_.bytes_.data(), key.secret_.data(), seed.data());
  return key;
}

ed25519_key ed25519_key::generate() {
  seed_bytes seed;
  randombytes_buf(seed.data(), seed.size());
  auto key = from_seed(seed);
  sodium_memzero(seed.data(), seed.size());
  return key;
}

outcome<ed25519_key> ed25519_key::load(const std::string& path) {
  // Not blocking, so that a FIFO in its place does not hold up the start.
  const descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file.ok()) return failed("opened", errno);
  struct stat about {};
  if (::fstat(file.get(), &about) != 0) return failed("examined", errno);
  if (!S_ISREG(about.st_mode)) return reject(errc::internal, "the key file is not a file");
  if ((about.st_mode & 077U) != 0) {
    return reject(errc::internal, "the key file is open to its group or others: chmod 600 it");
  }
  std::array<char, seed_text_bytes + 2> text{};
  const auto size = read_up_to(file.get(), text.data(), text.size());
  if (!size) return failed("read", errno);
  seed_bytes seed{};
  const bool good = parse_seed({text.data(), *size}, seed);
  outcome<ed25519_key> result =
      good ? outcome<ed25519_key>(from_seed(seed))
           : reject(errc::internal,
                    "the key file does not hold one line of 43 base64url characters");
  sodium_memzero(seed.data(), seed.size());
  sodium_memzero(text.data(), text.size());
  return result;
}

outcome<done> ed25519_key::save(const std::string& path) const {
  std::array<char, seed_text_bytes + 1> text{};
  sodium_bin2base64(text.data(), text.size(), secret_.data(), sizeof(seed_bytes),
                    sodium_base64_VARIANT_URLSAFE_NO_PADDING);
  text.back() = '\n';
  const descriptor file(
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file.ok()) {
    const int error = errno;
    sodium_memzero(text.data(), text.size());
    if (error == EEXIST) return reject(errc::conflict, "there is a file at the key's path already");
    return failed("created", error);
  }
  const bool written =
      write_key(file.get(), {text.data(), text.size()}) && ::fsync(file.get()) == 0;
  const int error = errno;
  sodium_memzero(text.data(), text.size());
  if (!written) {
    ::unlink(path.c_str());  // half a key would only refuse the next start
    return failed("written", error);
  }
  if (!sync_directory_of(path)) return failed("made durable", errno);
  return done{};
}

ed25519_key::ed25519_key(ed25519_key&& other) noexcept
    : secret_(other.secret_), public_(other.public_) {
  sodium_memzero(other.secret_.data(), other.secret_.size());
}

ed25519_key& ed25519_key::operator=(ed25519_key&& other) noexcept {
  if (this == &other) return *this;
  secret_ = other.secret_;
  public_ = other.public_;
  sodium_memzero(other.secret_.data(), other.secret_.size());
  return *this;
}

ed25519_key::~ed25519_key() {
  sodium_memzero(secret_.data(), secret_.size());
}

ed25519_signature ed25519_key::sign(std::string_view bytes) const {
  ed25519_signature signature;
  crypto_sign_detached(signature.data(), nullptr, start_of_bytes(bytes), bytes.size(),
                       secret_.data());
  return signature;
}

}  // namespace reeve
