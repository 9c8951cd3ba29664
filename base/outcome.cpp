#include "base/outcome.hpp"

namespace reeve {
namespace {

struct error_row {
  std::string_view name;
  int status;
  std::string_view title;
};

constexpr error_row rows[] = {
#define REEVE_ERROR(code, status, title) {#code, status, title},
#include "base/errors.def"
#undef REEVE_ERROR
};

const error_row& row_of(errc code) {
  return rows[static_cast<std::size_t>(code)];
}

}  // namespace

std::string_view name_of(errc code) {
  return row_of(code).name;
}
int status_of(errc code) {
  return row_of(code).status;
}
std::string_view title_of(errc code) {
  return row_of(code).title;
}

}  // namespace reeve
