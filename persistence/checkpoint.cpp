#include "persistence/checkpoint.hpp"

#include "codec/codec.hpp"

#include <fcntl.h>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

namespace reeve::persistence {
namespace {

void append_integer(std::string& out, std::int64_t value) {
  for (int shift = 56; shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>(static_cast<std::uint64_t>(value) >> shift));
  }
}

bool write_all(int file, std::string_view text) {
  while (!text.empty()) {
    const auto written = ::write(file, text.data(), text.size());
    if (written <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

/// The length of the file up to the end of its last whole line.
off_t whole_lines(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  off_t size = 0;
  for (std::string line; std::getline(in, line) && !in.eof();) {
    size += static_cast<off_t>(line.size()) + 1;
  }
  return size;
}

/// The entry of a file that was just made is on disk only once its folder is.
bool sync_folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  const auto folder = slash == path.npos ? std::string(".") : path.substr(0, slash + 1);
  const int file = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file < 0) return false;
  const bool good = ::fsync(file) == 0;
  ::close(file);
  return good;
}

}  // namespace

std::string signed_bytes(const signed_head& head) {
  std::string bytes = "reeve-checkpoint-v1";
  bytes.append(reinterpret_cast<const char*>(head.origin.bytes.data()), head.origin.bytes.size());
  append_integer(bytes, head.epoch);
  append_integer(bytes, head.position);
  bytes.append(as_view(head.hash));
  bytes.append(head.key_id);
  return bytes;
}

void sign(signed_head& head, const ed25519_key& key) {
  head.public_key = key.public_key().text();
  head.key_id = key.public_key().id();
  head.signature = to_base64url(as_view(key.sign(signed_bytes(head))));
}

bool is_genuine(const signed_head& head) {
  const auto key = ed25519_public_key::parse(head.public_key);
  const auto signature = from_base64url(head.signature);
  return key && signature && key->id() == head.key_id &&
         key->verify(signed_bytes(head), *signature);
}

outcome<std::vector<signed_head>> read_heads(const std::string& path) {
  std::vector<signed_head> heads;
  std::ifstream in(path, std::ios::binary);
  for (std::string line; std::getline(in, line) && !in.eof();) {
    auto head = codec::decode_text<signed_head>(line);
    if (!head) {
      return reject(errc::invalid, "line " + std::to_string(heads.size() + 1) + " of " + path +
                                       " is not a signed head");
    }
    heads.push_back(std::move(*head));
  }
  return heads;
}

outcome<done> append_head(const std::string& path, const signed_head& head) {
  const auto refused = reject(errc::unavailable, path + " cannot be written");
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) return refused;
  const auto end = whole_lines(path);
  const bool good = ::ftruncate(file, end) == 0 && ::lseek(file, end, SEEK_SET) == end &&
                    write_all(file, codec::encode(head) + "\n") && ::fsync(file) == 0 &&
                    (end > 0 || sync_folder_of(path));
  ::close(file);
  if (!good) return refused;
  return done{};
}

}  // namespace reeve::persistence
