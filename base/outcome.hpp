#pragma once
// A value or a rejection. Rooms answer with it instead of throwing; exceptions stay inside
// persistence/ and adapters/ and end at their boundary.

#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace reeve {

/// Error codes; the list with status and text is base/errors.def.
enum class errc {
#define REEVE_ERROR(code, status, title) code,
#include "base/errors.def"
#undef REEVE_ERROR
};

/// The code as it stands in problem documents and logs, e.g. "not_allowlisted".
std::string_view name_of(errc code);
/// The HTTP status that answers it, 400..599.
int status_of(errc code);
/// One line for people, without any detail of the case.
std::string_view title_of(errc code);

/// Why something was refused. `detail` is for the caller and never holds the value that was sent;
/// `field` is a JSON pointer into the request ("/tasks/0/kind"), or empty.
struct rejection {
  errc code = errc::internal;
  std::string detail;
  std::string field;
  bool operator==(const rejection&) const = default;
};

template <class T>
class [[nodiscard]] outcome {
 public:
  outcome(T value) : held_(std::in_place_index<0>, std::move(value)) {}
  outcome(rejection why) : held_(std::in_place_index<1>, std::move(why)) {}

  bool ok() const { return held_.index() == 0; }
  explicit operator bool() const { return ok(); }
  T& value() & { return std::get<0>(held_); }
  const T& value() const& { return std::get<0>(held_); }
  T&& value() && { return std::get<0>(std::move(held_)); }
  T& operator*() { return value(); }
  const T& operator*() const { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  const rejection& error() const { return std::get<1>(held_); }

 private:
  std::variant<T, rejection> held_;
};

/// What an operation without a result answers.
struct done {
  bool operator==(const done&) const = default;
};

inline rejection reject(errc code, std::string detail, std::string field = {}) {
  return rejection{code, std::move(detail), std::move(field)};
}

}  // namespace reeve
