#include "persistence/journal_sql.hpp"

namespace reeve::persistence {

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

std::string array_text::take() {
  out_.push_back('}');
  return std::move(out_);
}

}  // namespace reeve::persistence
