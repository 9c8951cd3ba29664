#include "persistence/journal_sql.hpp"

#include <array>
#include <charconv>

namespace reeve::persistence {

void array_text::bare(std::string_view value) {
  separate();
  out_.append(value);
}

void array_text::integer(std::int64_t value) {
  std::array<char, 24> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  bare({digits.data(), static_cast<std::size_t>(end - digits.data())});
}

void array_text::id(const uuid& value) {
  separate();
  append_hex(out_, {reinterpret_cast<const char*>(value.bytes.data()), value.bytes.size()});
}

void array_text::text(std::string_view value) {
  separate();
  out_.push_back('"');
  for (;;) {
    const auto special = value.find_first_of("\"\\");
    out_.append(value.substr(0, special));
    if (special == value.npos) break;
    out_.push_back('\\');
    out_.push_back(value[special]);
    value.remove_prefix(special + 1);
  }
  out_.push_back('"');
}

void array_text::bytes(std::string_view value) {
  separate();
  out_.append("\"\\\\x");
  append_hex(out_, value);
  out_.push_back('"');
}

std::string array_text::take() {
  out_.push_back('}');
  return std::move(out_);
}

}  // namespace reeve::persistence
