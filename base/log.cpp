#include "base/log.hpp"

#include "base/time.hpp"
#include "base/utf8.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <memory>
#include <mutex>
#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <utility>

namespace reeve {
namespace {

constexpr std::size_t max_line_bytes = std::size_t{8} * 1024;
/// What is put together at all before redaction; far above a line, far below a memory problem.
constexpr std::size_t max_raw_bytes = std::size_t{256} * 1024;
constexpr std::array<std::string_view, 4> level_names{"debug", "info", "warn", "error"};

std::string_view name_of(log_level level) {
  return level_names[static_cast<std::size_t>(level)];
}

/// Lines of this second. One for the common levels, one for errors, so that a flood of the former
/// cannot hide the latter.
class allowance {
 public:
  /// How many lines were left out in the seconds before, to be told along with this one; nothing
  /// if this one is to be left out.
  std::optional<std::int64_t> take(int per_second) {
    const std::int64_t second = real_clock().mono_us() / us_per_second;
    const std::lock_guard lock(mutex_);
    std::int64_t dropped = 0;
    if (second != second_) {
      second_ = second;
      used_ = 0;
      dropped = std::exchange(dropped_, 0);
    }
    if (used_ >= per_second) {
      ++dropped_;
      return std::nullopt;
    }
    ++used_;
    return dropped;
  }

 private:
  std::mutex mutex_;
  std::int64_t second_ = 0;
  std::int64_t dropped_ = 0;
  int used_ = 0;
};

struct setup {
  log_options options;
  std::unique_ptr<spdlog::logger> out;
  allowance common;
  allowance errors;
};

std::shared_ptr<setup> make_setup(log_options options) {
  auto made = std::make_shared<setup>();
  made->options = std::move(options);
  made->out =
      std::make_unique<spdlog::logger>("reeve", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  made->out->set_pattern("%v");
  made->out->set_level(spdlog::level::trace);
  // stderr is gone or full: there is nowhere left to complain.
  made->out->set_error_handler([](const std::string&) {});
  return made;
}

/// The options in force. Never destroyed, because threads may log until the very end.
class setup_holder {
 public:
  static setup_holder& instance() {
    static auto* const held = new setup_holder;
    return *held;
  }
  std::shared_ptr<setup> get() {
    const std::lock_guard lock(mutex_);
    return setup_;
  }
  void set(std::shared_ptr<setup> next) {
    const std::lock_guard lock(mutex_);
    setup_.swap(next);
  }

 private:
  std::mutex mutex_;
  std::shared_ptr<setup> setup_ = make_setup({});
};

void append_number(std::string& out, auto number) {
  char digits[32];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

struct value_appender {
  std::string& out;
  void operator()(std::string_view text) const {
    append_json_string(out, utf8_prefix(text, max_raw_bytes));
  }
  void operator()(bool truth) const { out += truth ? "true" : "false"; }
  void operator()(double number) const {
    if (!std::isfinite(number)) {
      out += "null";
    } else {
      append_number(out, number);
    }
  }
  void operator()(std::int64_t number) const { append_number(out, number); }
};

std::string json_line(log_level level, std::string_view message, log_fields fields) {
  std::string line = "{\"time\":\"" + format_time(real_clock().now_us()) + "\",\"level\":\"";
  line += name_of(level);
  line += "\",\"message\":";
  append_json_string(line, utf8_prefix(message, max_raw_bytes));
  for (const auto& field : fields) {
    if (line.size() > max_raw_bytes) break;
    line += ',';
    append_json_string(line, field.key);
    line += ':';
    std::visit(value_appender{line}, field.value.held());
  }
  line += '}';
  return line;
}

/// Values stand quoted as in JSON, so a line stays one line.
std::string text_line(log_level level, std::string_view message, log_fields fields) {
  std::string line = format_time(real_clock().now_us());
  line += ' ';
  line += name_of(level);
  line.append(6 - name_of(level).size(), ' ');
  std::string quoted;
  append_json_string(quoted, utf8_prefix(message, max_raw_bytes));
  line.append(quoted, 1, quoted.size() - 2);
  for (const auto& field : fields) {
    if (line.size() > max_raw_bytes) break;
    line += ' ';
    line += field.key;
    line += '=';
    std::visit(value_appender{line}, field.value.held());
  }
  return line;
}

/// A line that is too long becomes one that says so and holds as much of its beginning as fits.
std::string cut(std::string line, log_level level, bool json) {
  if (line.size() <= max_line_bytes) return line;
  if (!json) return std::string(utf8_prefix(line, max_line_bytes - 12)) + " [truncated]";
  std::string short_line;
  for (std::size_t keep = max_line_bytes - 256; short_line.empty(); keep /= 2) {
    short_line = "{\"time\":\"" + format_time(real_clock().now_us()) + "\",\"level\":\"";
    short_line += name_of(level);
    short_line += "\",\"truncated\":true,\"message\":";
    append_json_string(short_line, utf8_prefix(line, keep));
    short_line += '}';
    if (short_line.size() > max_line_bytes) short_line.clear();
  }
  return short_line;
}

void write(const setup& now, log_level level, std::string_view message, log_fields fields) {
  const bool json = now.options.json;
  std::string line = json ? json_line(level, message, fields) : text_line(level, message, fields);
  if (now.options.redact) {
    try {
      line = now.options.redact(line);
    } catch (...) {
      line = json ? json_line(log_level::error, "a log line was withheld: redaction failed", {})
                  : text_line(log_level::error, "a log line was withheld: redaction failed", {});
    }
  }
  now.out->log(spdlog::level::info, cut(std::move(line), level, json));
}

}  // namespace

std::optional<log_level> parse_log_level(std::string_view name) {
  for (std::size_t i = 0; i < level_names.size(); ++i) {
    if (level_names[i] == name) return static_cast<log_level>(i);
  }
  return std::nullopt;
}

void set_up_log(log_options options) {
  setup_holder::instance().set(make_setup(std::move(options)));
}

void log_line(log_level level, std::string_view message, log_fields fields) noexcept {
  try {
    const auto now = setup_holder::instance().get();
    if (level < now->options.least) return;
    auto& budget = level == log_level::error ? now->errors : now->common;
    const auto dropped = budget.take(now->options.lines_per_second);
    if (!dropped) return;
    if (*dropped > 0) {
      write(*now, log_level::warn, "log lines were left out", {{"lines", *dropped}});
    }
    write(*now, level, message, fields);
  } catch (...) {
    // Out of memory or out of stderr; a log must not end what it describes.
  }
}

}  // namespace reeve
