#include "persistence/checkpoint.hpp"

#include "base/files.hpp"
#include "codec/codec.hpp"

#include <algorithm>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

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

/// The end of a file of lines.
struct file_end {
  off_t whole = 0;  // its length up to the end of its last whole line
  std::string last_line;
};

// A head has about 500 bytes.
constexpr std::streamoff most_line = std::streamoff{64} * 1024;

outcome<file_end> end_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary | std::ios::ate);
  if (!in && is_missing(path)) return file_end{};
  if (!in) return reject(errc::invalid, path + " is there and cannot be read");
  const std::streamoff size = in.tellg();
  const auto from = std::max<std::streamoff>(0, size - most_line);
  std::string text(static_cast<std::size_t>(size - from), '\0');
  in.seekg(from);
  if (!in.read(text.data(), size - from))
    return reject(errc::invalid, path + " is there and cannot be read");
  const auto end = text.rfind('\n');
  const auto begin = end == text.npos || end == 0 ? text.npos : text.rfind('\n', end - 1);
  if (begin == text.npos && from > 0) {
    return reject(errc::invalid, "the last line of " + path + " is no signed head");
  }
  if (end == text.npos) return file_end{};
  const auto first = begin == text.npos ? 0 : begin + 1;
  return file_end{from + static_cast<off_t>(end) + 1, text.substr(first, end - first)};
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

head_lines::head_lines(std::string path)
    : path_(std::move(path)), in_(path_, std::ios::binary | std::ios::ate) {
  is_unreadable_ = !in_ && !is_missing(path_);
  if (!in_) return;
  left_ = in_.tellg();
  in_.seekg(0);
}

outcome<std::optional<signed_head>> head_lines::next() {
  std::string text;
  if (is_unreadable_) return reject(errc::invalid, path_ + " is there and cannot be read");
  if (left_ <= 0 || !std::getline(in_, text) || in_.eof()) return std::optional<signed_head>();
  left_ -= static_cast<std::int64_t>(text.size()) + 1;
  if (left_ < 0) return std::optional<signed_head>();
  ++line_;
  auto head = codec::decode_text<signed_head>(text);
  if (!head) {
    return reject(errc::invalid,
                  "line " + std::to_string(line_) + " of " + path_ + " is not a signed head");
  }
  return std::optional<signed_head>(std::move(*head));
}

outcome<std::optional<signed_head>> read_last_head(const std::string& path) {
  const auto end = end_of(path);
  if (!end) return end.error();
  if (end->whole == 0) return std::optional<signed_head>();
  auto head = codec::decode_text<signed_head>(end->last_line);
  if (!head) return reject(errc::invalid, "the last line of " + path + " is no signed head");
  return std::optional<signed_head>(std::move(*head));
}

outcome<done> append_head(const std::string& path, const signed_head& head) {
  const auto refused = reject(errc::unavailable, path + " cannot be written");
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) return refused;
  const auto known = end_of(path);
  const auto end = known ? known->whole : -1;
  const bool good = known && ::ftruncate(file, end) == 0 && ::lseek(file, end, SEEK_SET) == end &&
                    write_all(file, codec::encode(head) + "\n") && ::fsync(file) == 0 &&
                    (end > 0 || sync_folder_of(path));
  ::close(file);
  if (!good) return refused;
  return done{};
}

}  // namespace reeve::persistence
