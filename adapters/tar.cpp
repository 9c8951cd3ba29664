#include "adapters/tar.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace reeve::adapters {
namespace {

constexpr std::size_t block = 512;

struct split_name {
  std::string_view prefix;
  std::string_view name;
};

/// ustar holds 100 bytes of name and 155 of a directory before it.
bool split(std::string_view path, split_name& out) {
  if (path.size() <= 100) {
    out = {{}, path};
    return true;
  }
  for (auto slash = path.find('/'); slash != std::string_view::npos;
       slash = path.find('/', slash + 1)) {
    auto rest = path.substr(slash + 1);
    if (slash <= 155 && !rest.empty() && rest.size() <= 100) {
      out = {path.substr(0, slash), rest};
      return true;
    }
  }
  return false;
}

bool safe_name(const tar_entry& entry) {
  std::string_view rest = entry.name;
  if (rest == "./") return entry.kind == tar_kind::directory;
  if (rest.empty() || rest.find('\0') != std::string_view::npos) return false;
  if (entry.kind == tar_kind::directory && rest.back() == '/') rest.remove_suffix(1);
  for (;;) {
    auto slash = rest.find('/');
    auto part = rest.substr(0, slash);
    if (part.empty() || part == "." || part == "..") return false;
    if (slash == std::string_view::npos) return true;
    rest.remove_prefix(slash + 1);
  }
}

/// Octal digits with leading zeros and a NUL at the end, as every reader understands.
void put_octal(std::span<char> field, std::uint64_t value) {
  field.back() = '\0';
  for (std::size_t i = field.size() - 1; i-- > 0; value >>= 3) {
    field[i] = static_cast<char>('0' + (value & 7));
  }
}

/// Octal where it fits, else as GNU tar writes it: 0x80, then the number, the highest byte first.
void put_owner(std::span<char> field, std::uint64_t value) {
  if (value <= 07777777) return put_octal(field, value);
  for (std::size_t i = field.size(); i-- > 0; value >>= 8) {
    field[i] = static_cast<char>(value & 0xff);
  }
  field.front() = static_cast<char>(0x80);
}

void append_header(std::string& out, const tar_entry& entry, const split_name& path,
                   std::size_t size) {
  std::array<char, block> head{};
  std::span<char> all{head};
  auto put = [&](std::size_t at, std::string_view text) {
    std::copy(text.begin(), text.end(), head.begin() + static_cast<std::ptrdiff_t>(at));
  };
  put(0, path.name);
  put_octal(all.subspan(100, 8), entry.mode & 07777);
  put_owner(all.subspan(108, 8), entry.uid);
  put_owner(all.subspan(116, 8), entry.gid);
  put_octal(all.subspan(124, 12), size);
  put_octal(all.subspan(136, 12), static_cast<std::uint64_t>(entry.modified_s));
  put(148, "        ");  // the checksum counts its own field as spaces
  head[156] = static_cast<char>(entry.kind);
  if (entry.kind == tar_kind::symlink) put(157, entry.content);
  put(257, std::string_view{"ustar\00000", 8});
  put(345, path.prefix);
  std::uint64_t sum = 0;
  for (char c : head) sum += static_cast<unsigned char>(c);
  put_octal(all.subspan(148, 7), sum);
  out.append(head.data(), head.size());
}

/// At most what the limits allow: what goes beyond them is refused.
std::size_t bytes_of(std::span<const tar_entry> entries, const tar_limits& limits) {
  std::size_t bytes = 2 * block;
  for (const auto& entry : entries) {
    bytes += 2 * block + std::min(entry.content.size(), limits.bytes);
    if (bytes > limits.bytes) return limits.bytes;
  }
  return bytes;
}

outcome<done> check(const tar_entry& entry, split_name& path, const std::string& field) {
  if (!safe_name(entry)) {
    return reject(errc::invalid, "must be a relative path without empty or '..' parts",
                  field + "/name");
  }
  if (!split(entry.name, path)) {
    return reject(errc::invalid, "must fit into 155 bytes of directory and 100 of name",
                  field + "/name");
  }
  if (entry.kind == tar_kind::symlink && (entry.content.empty() || entry.content.size() > 100)) {
    return reject(errc::invalid, "a link's target has 1..100 bytes", field + "/content");
  }
  // Eleven octal digits are what the format has for times.
  if (entry.modified_s < 0 || entry.modified_s > 077777777777) {
    return reject(errc::invalid, "a time that cannot be written in this format", field);
  }
  return done{};
}

}  // namespace

outcome<std::string> make_tar(std::span<const tar_entry> entries, const tar_limits& limits) {
  if (entries.size() > limits.entries) {
    return reject(errc::too_large, "more than " + std::to_string(limits.entries) + " entries");
  }
  std::string out;
  out.reserve(bytes_of(entries, limits));
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const auto& entry = entries[i];
    auto field = "/" + std::to_string(i);
    split_name path;
    if (auto checked = check(entry, path, field); !checked) return checked.error();
    std::size_t size = entry.kind == tar_kind::file ? entry.content.size() : 0;
    if (size > limits.bytes || out.size() + size + 4 * block > limits.bytes) {
      return reject(errc::too_large,
                    "the archive exceeds " + std::to_string(limits.bytes) + " bytes", field);
    }
    append_header(out, entry, path, size);
    if (size > 0) {
      out += entry.content;
      out.append((block - size % block) % block, '\0');
    }
  }
  out.append(2 * block, '\0');
  return out;
}

}  // namespace reeve::adapters
