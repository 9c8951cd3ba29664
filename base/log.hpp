#pragma once
// Structured logs on stderr: one line an entry, as JSON or as text for people.
//
//   log_info("run launched", {{"run", to_string(id)}, {"tasks", 3}});
//
// Nothing here throws or blocks on anything but stderr. A line has at most 8 KiB; of a longer one
// the beginning is kept, marked `"truncated":true`. Per second at most `lines_per_second` lines
// below `error` are written, and as many of `error`; what was left out is counted and told. Before
// set_up_log, lines go out as JSON from level info on, without redaction.

#include <concepts>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace reeve {

enum class log_level { debug, info, warn, error };

std::optional<log_level> parse_log_level(std::string_view name);

/// A value; text is only looked at during the call.
class log_value {
 public:
  log_value(std::string_view text) : held_(text) {}
  log_value(const std::string& text) : held_(std::string_view(text)) {}
  log_value(const char* text) : held_(std::string_view(text)) {}
  log_value(bool truth) : held_(truth) {}
  log_value(double number) : held_(number) {}
  template <std::integral Integer>
  requires(!std::same_as<Integer, bool>) log_value(Integer number)
      : held_(static_cast<std::int64_t>(number)) {}

  const auto& held() const { return held_; }

 private:
  std::variant<std::string_view, bool, double, std::int64_t> held_;
};

struct log_field {
  std::string_view key;
  log_value value;
};

using log_fields = std::initializer_list<log_field>;

struct log_options {
  log_level least = log_level::info;
  bool json = true;
  int lines_per_second = 2000;
  /// Every whole line passes through it before it is cut. If it throws, the line is withheld.
  std::function<std::string(std::string_view)> redact = nullptr;
};

/// May be called again at any time and from any thread (a reloaded configuration).
void set_up_log(log_options options);

void log_line(log_level level, std::string_view message, log_fields fields) noexcept;

inline void log_debug(std::string_view message, log_fields fields = {}) noexcept {
  log_line(log_level::debug, message, fields);
}
inline void log_info(std::string_view message, log_fields fields = {}) noexcept {
  log_line(log_level::info, message, fields);
}
inline void log_warn(std::string_view message, log_fields fields = {}) noexcept {
  log_line(log_level::warn, message, fields);
}
inline void log_error(std::string_view message, log_fields fields = {}) noexcept {
  log_line(log_level::error, message, fields);
}

}  // namespace reeve
