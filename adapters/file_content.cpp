#include "adapters/file_content.hpp"

#include <algorithm>

namespace reeve::adapters {
namespace {

struct signature {
  std::size_t at;
  std::string_view bytes;
  std::string_view name;
};

using namespace std::string_view_literals;

// RFC 1952, RFC 8878, and what the other formats' own descriptions say.
constexpr signature signatures[] = {{0, "\x1F\x8B"sv, "compressed with gzip"},
                                    {0, "\x28\xB5\x2F\xFD"sv, "compressed with zstd"},
                                    {0,
                                     "\xFD"
                                     "7zXZ\0"sv,
                                     "compressed with xz"},
                                    {4, "1AY&SY"sv, "compressed with bzip2"},
                                    {0, "\x04\x22\x4D\x18"sv, "compressed with lz4"},
                                    {0, "\x1F\x9D"sv, "compressed with compress"},
                                    {0, "PK\x03\x04"sv, "a zip archive"},
                                    {257, "ustar"sv, "a tar archive"},
                                    {0, "LPKSHHRH"sv, "a journal of systemd"},
                                    {0, "SQLite format 3\0"sv, "a database"},
                                    {0,
                                     "\x7F"
                                     "ELF"sv,
                                     "a program"},
                                    {0, "\xFF\xFE"sv, "text in UTF-16"},
                                    {0, "\xFE\xFF"sv, "text in UTF-16"}};

/// Control characters that no log has: those of terminals and bells it may have.
bool is_odd(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && (byte < 0x07 || byte > 0x0D) && byte != 0x1B) || byte == 0x7F;
}

}  // namespace

std::string_view what_is_no_text(std::string_view begin) {
  begin = begin.substr(0, looked_at_bytes);
  for (const auto& one : signatures) {
    if (begin.size() < one.at) continue;
    if (begin.substr(one.at).starts_with(one.bytes)) return one.name;
  }
  begin.remove_prefix(std::min(begin.size(), begin.find_first_not_of('\0')));
  while (begin.ends_with('\0')) begin.remove_suffix(1);
  const auto odd = std::count_if(begin.begin(), begin.end(), is_odd);
  const auto zeros = std::count(begin.begin(), begin.end(), '\0');
  const auto size = static_cast<std::ptrdiff_t>(begin.size());
  return zeros * 100 > size || odd * 20 > size ? "binary"sv : std::string_view{};
}

}  // namespace reeve::adapters
