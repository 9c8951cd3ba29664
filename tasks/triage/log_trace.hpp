#pragma once
// The shapes of stack traces. Each function looks at one clean line without the spaces around it;
// none of them knows what came before (that is log_record.hpp).

#include <cstddef>
#include <string_view>

namespace reeve::tasks {

std::string_view trimmed(std::string_view line);

enum class trace_kind {
  none,
  python,         // frames, until the line that names the exception
  python_detail,  // behind that line: what a database driver adds
  python_group,   // an ExceptionGroup, drawn with "|" and "+"
  go,
  rust_message,  // since 1.73 the message is the line below
  rust,
  php,
  dotnet_message  // .NET's console: the message is the line below
};

/// What this line begins, if it does.
trace_kind begins_trace(std::string_view body);

/// "Traceback (most recent call last):", also that of a group.
bool is_traceback(std::string_view body);
/// "java.io.IOException: x", "ValueError": one name, at most 120 bytes.
bool names_an_exception(std::string_view body);
/// The line behind Python's frames: any exception's name, with or without a text.
bool ends_python_trace(std::string_view body);
/// "Exception in thread …", "Unhandled exception. …", "panic: …": something has died, and whatever
/// stands above it is no part of it.
bool tells_a_death(std::string_view body);
/// "During handling of the above exception, …" and its like: another traceback follows.
bool chains_traces(std::string_view body);
/// "Caused by: …", "Suppressed: …", "... 7 more", "--- End of …".
bool is_java_or_dotnet_part(std::string_view body);
/// A line that can only be one of a trace: "at a.B.c(B.java:1)", "File "a.py", line 1", "#0 …".
bool is_frame(std::string_view body);
/// Ruby's, which have no indentation: "app/a.rb:10:in 'x'", and with a backtick before 3.4.
bool is_ruby_frame(std::string_view body);
/// What PostgreSQL and SQLAlchemy put below an error: "DETAIL:  …", "[SQL: …]".
bool explains_an_error(std::string_view body);
bool is_go_part(std::string_view body);
bool is_rust_part(std::string_view body);
bool is_php_part(std::string_view body);

}  // namespace reeve::tasks
