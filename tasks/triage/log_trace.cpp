#include "tasks/triage/log_trace.hpp"

#include "tasks/triage/log_severity.hpp"

#include <algorithm>
#include <cstring>
#include <initializer_list>

namespace reeve::tasks {
namespace {

constexpr std::size_t max_name_bytes = 120;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}
bool is_name(char c) {
  return is_digit(c) || is_upper(c) || (c >= 'a' && c <= 'z') || c == '_' || c == '.' || c == '$';
}

bool has_any(std::string_view line, std::initializer_list<std::string_view> starts) {
  return !line.empty() && std::any_of(starts.begin(), starts.end(), [&](std::string_view start) {
    return start[0] == line[0] && line.starts_with(start);
  });
}

bool holds(std::string_view line, std::string_view part) {
  return line.size() >= part.size() &&
         ::memmem(line.data(), line.size(), part.data(), part.size()) != nullptr;
}

/// The same where the part has a character at `rare` that lines seldom have: that one is looked
/// for.
bool holds_rare(std::string_view line, std::string_view part, std::size_t rare) {
  if (line.size() < part.size()) return false;
  // Where that character may stand if the part is to fit.
  const auto within = line.substr(0, line.size() - (part.size() - rare - 1));
  for (auto at = within.find(part[rare], rare); at != within.npos;
       at = within.find(part[rare], at + 1)) {
    if (line.compare(at - rare, part.size(), part) == 0) return true;
  }
  return false;
}

/// `before`, digits, `behind`: "#12 ", "goroutine 7 [".
bool has_number(std::string_view line, std::string_view before, std::string_view behind) {
  if (!line.starts_with(before)) return false;
  const auto end = line.find_first_not_of("0123456789", before.size());
  return end != line.npos && end > before.size() && line.substr(end).starts_with(behind);
}

/// The first line of .NET's console: "fail: App.Worker[0]", perhaps with a time before it.
bool is_dotnet_head(std::string_view line) {
  if (!line.ends_with(']')) return false;
  for (const std::string_view level :
       {"trce: ", "dbug: ", "info: ", "warn: ", "fail: ", "crit: "}) {
    const auto at = line.find(level);
    if (at == line.npos || at > 40 || (at > 0 && line[at - 1] != ' ')) continue;
    const auto name = line.substr(at + level.size());
    const auto open = name.find('[');
    return open != name.npos && open > 0 && !holds(name, " ") &&
           std::all_of(name.begin() + static_cast<std::ptrdiff_t>(open) + 1, name.end() - 1,
                       [](char c) { return is_digit(c) || c == '-'; });
  }
  return false;
}

/// "rax    0x1f": the registers that Go prints after a signal.
bool is_register(std::string_view body) {
  const auto space = body.find(' ');
  if (space == body.npos || space < 2 || space > 6) return false;
  const auto value = body.find_first_not_of(' ', space);
  return value != body.npos && body.substr(value).starts_with("0x") &&
         !holds(body.substr(value), " ");
}

}  // namespace

std::string_view trimmed(std::string_view line) {
  const auto first = line.find_first_not_of(' ');
  if (first == line.npos) return {};
  return line.substr(first, line.find_last_not_of(' ') - first + 1);
}

bool is_traceback(std::string_view body) {
  static constexpr std::string_view text = "Traceback (most recent call last)";
  return holds_rare(body, text, text.find('('));
}

trace_kind begins_trace(std::string_view body) {
  if (is_traceback(body)) {
    return body.starts_with('+') ? trace_kind::python_group : trace_kind::python;
  }
  if (has_any(body, {"panic:", "panic(", "fatal error:", "SIGSEGV:", "SIGABRT:"}) ||
      holds_rare(body, "panic serving ", 9) || has_number(body, "goroutine ", " [")) {
    return trace_kind::go;
  }
  if (body.starts_with("thread '") && holds(body, " panicked at ")) {
    return body.ends_with(':') ? trace_kind::rust_message : trace_kind::rust;
  }
  const bool has_fatal = holds_rare(body, "Fatal error: ", 0);
  if ((has_fatal && (holds(body, "PHP Fatal error: ") || holds(body, "Fatal error: Uncaught ") ||
                     holds(body, "Fatal error:  Uncaught "))) ||
      holds_rare(body, "\"exception\":\"[object] (", 13)) {
    return trace_kind::php;
  }
  return is_dotnet_head(body) ? trace_kind::dotnet_message : trace_kind::none;
}

bool names_an_exception(std::string_view body) {
  const auto name = body.substr(0, body.find(':'));
  if (name.empty() || name.size() > max_name_bytes || holds(name, " ")) return false;
  return name.ends_with("Error") || name.ends_with("Exception") || name.ends_with("Exit") ||
         name.ends_with("Interrupt") || name.ends_with("Warning") ||
         name.ends_with("ExceptionGroup");
}

bool ends_python_trace(std::string_view body) {
  if (names_an_exception(body)) return true;
  const auto name = body.substr(0, body.find(':'));
  if (name.empty() || name.size() > max_name_bytes || severity_from_word(name)) return false;
  if (body.size() > name.size() + 1 && body[name.size() + 1] != ' ') return false;
  const auto last = name.substr(name.rfind('.') + 1);  // npos + 1 is 0
  return !last.empty() && is_upper(last[0]) && std::all_of(name.begin(), name.end(), is_name);
}

bool tells_a_death(std::string_view body) {
  return has_any(body, {"Exception in thread ", "Unhandled ", "Uncaught ", "terminate called "}) ||
         (!is_traceback(body) && begins_trace(body) != trace_kind::none);
}

bool chains_traces(std::string_view body) {
  return has_any(body, {"During handling of the above exception", "The above exception was"});
}

bool is_java_or_dotnet_part(std::string_view body) {
  return has_any(body, {"Caused by: ", "Suppressed: ", "--- End of ", "---> "}) ||
         (body.starts_with("... ") && body.ends_with("more") && has_number(body, "... ", " ")) ||
         (body.starts_with("... ") && holds(body, " common frames omitted"));
}

bool is_frame(std::string_view body) {
  return is_java_or_dotnet_part(body) ||
         has_any(body, {"at ", "File \"", "from ", "|", "+-", "- locked <", "- waiting "}) ||
         has_number(body, "#", " ") || has_number(body, "", ": ") || is_ruby_frame(body);
}

bool is_ruby_frame(std::string_view body) {
  if (!body.ends_with('\'')) return false;
  auto name = body.find(":in `");
  if (name == body.npos) name = body.find(":in '");
  if (name == body.npos) return false;
  const auto place = body.substr(0, name);
  const auto colon = place.rfind(':');
  return colon != place.npos && colon > 0 && colon + 1 < place.size() && !holds(place, " ") &&
         std::all_of(place.begin() + static_cast<std::ptrdiff_t>(colon) + 1, place.end(), is_digit);
}

bool explains_an_error(std::string_view body) {
  return has_any(body, {"DETAIL:  ", "HINT:  ", "CONTEXT:  ", "QUERY:  ", "[SQL: ",
                        "[SQL parameters", "[parameters: ", "(Background on this error at: "}) ||
         has_number(body, "LINE ", ": ") || body == "^";
}

bool is_go_part(std::string_view body) {
  if (has_any(body, {"goroutine ", "created by ", "exit status ", "[signal ", "PC=0x", "panic(",
                     "[originating from goroutine"})) {
    return true;
  }
  if (is_register(body)) return true;
  const auto open = body.find('(');
  if (!body.ends_with(')') || open == body.npos) return false;
  const auto name = body.substr(0, open);
  return holds(name, ".") && !holds(name, " ");
}

bool is_rust_part(std::string_view body) {
  return has_any(body, {"note: run with ", "note: Some details are omitted", "stack backtrace:"});
}

bool is_php_part(std::string_view body) {
  return has_any(body, {"Stack trace:", "PHP Stack trace:", "[stacktrace]", "[previous exception]",
                        "thrown in ", "Next ", "\"}"}) ||
         has_number(body, "#", " ") || has_number(body, "PHP   ", ". ") ||
         has_number(body, "PHP  ", ". ");
}

}  // namespace reeve::tasks
