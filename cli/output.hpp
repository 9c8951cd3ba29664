#pragma once
// How answers are shown. In tables and lines harmful characters (cli/terminal_text.hpp) become '?',
// in JSON they are escaped where it goes to a terminal.

#include "cli/terminal_text.hpp"
#include "codec/json.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace reeve::cli {

/// Prints a line to stderr, with the name of the program in front.
void complain(const std::string& text);
/// Prints JSON as it came, with a newline.
void print_json(std::string_view body);
/// The rows of a list, one JSON object a line.
void print_rows(const std::string& body);
/// Aligned columns of the rows of a list; `members` are dotted names in each row.
void print_table(const std::string& body, const std::vector<std::string>& members);
/// The same of an array that the object has, behind an empty line; nothing if it is not there or
/// empty.
void print_items(const codec::json_node& object, const std::string& name,
                 const std::vector<std::string>& members);
/// One cell in each line, aligned.
void print_members(const codec::json_node& object, const std::vector<std::string>& members);
/// The cells in one line.
void print_line(const codec::json_node& object, const std::vector<std::string>& members);

/// Rows in columns as wide as their widest cell.
std::string aligned(const std::vector<std::vector<std::string>>& rows);

/// The exit code of a command that would end with this one: what could not be written was not
/// shown, which stderr says, and a command that cannot show its answer has not succeeded. Another
/// failure keeps its code.
int code_after_output(int code);

/// A member of an object as text; empty if it is not there or null.
std::string member_text(const codec::json_node& object, const std::string& name);
/// The text that a JSON pointer finds; empty if there is none.
std::string text_at(const codec::json_node& root, std::string_view pointer);
/// Answers of the API may be larger than what a client may send.
outcome<codec::json_doc> parse_answer(const std::string& body);

}  // namespace reeve::cli
