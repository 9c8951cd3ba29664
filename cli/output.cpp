#include "cli/output.hpp"

#include "cli/commands.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>

namespace reeve::cli {
namespace {

/// Characters, not bytes, so that columns stay aligned.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

std::vector<std::string> cells_of(const codec::json_node& object,
                                  const std::vector<std::string>& members) {
  std::vector<std::string> cells;
  for (const auto& member : members) cells.push_back(printable(member_text(object, member)));
  return cells;
}

std::string table_of(const codec::json_node& items, const std::vector<std::string>& members) {
  std::vector<std::vector<std::string>> rows{members};
  for (std::size_t i = 0; i < items.size(); ++i) rows.push_back(cells_of(items.at(i), members));
  return aligned(rows);
}

}  // namespace

void complain(const std::string& text) {
  std::fputs(("reeve: " + printable(text) + "\n").c_str(), stderr);
}

void print_json(std::string_view body) {
  std::string escaped;
  if (is_terminal()) {
    terminal_filter filter(true);
    escaped = filter.take(body) + filter.finish();
    body = escaped;
  }
  std::fwrite(body.data(), 1, body.size(), stdout);
  if (!body.ends_with('\n')) std::fputc('\n', stdout);
}

void print_rows(const std::string& body) {
  auto doc = parse_answer(body);
  const auto results = doc && doc->root().is_object() ? doc->root().find("results") : std::nullopt;
  if (!results || !results->is_array()) return print_json(body);
  for (std::size_t i = 0; i < results->size(); ++i) print_json(results->at(i).text());
}

void print_table(const std::string& body, const std::vector<std::string>& members) {
  auto doc = parse_answer(body);
  const auto results = doc && doc->root().is_object() ? doc->root().find("results") : std::nullopt;
  if (!results || !results->is_array()) return print_json(body);
  std::fputs(table_of(*results, members).c_str(), stdout);
}

void print_items(const codec::json_node& object, const std::string& name,
                 const std::vector<std::string>& members) {
  const auto items = object.is_object() ? object.find(name) : std::nullopt;
  if (!items || !items->is_array() || items->size() == 0) return;
  std::fputs(("\n" + table_of(*items, members)).c_str(), stdout);
}

void print_members(const codec::json_node& object, const std::vector<std::string>& members) {
  const auto cells = cells_of(object, members);
  std::vector<std::vector<std::string>> rows;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (!cells[i].empty()) rows.push_back({members[i], cells[i]});
  }
  std::fputs(aligned(rows).c_str(), stdout);
}

void print_line(const codec::json_node& object, const std::vector<std::string>& members) {
  std::fputs(aligned({cells_of(object, members)}).c_str(), stdout);
}

std::string aligned(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], width_of(row[c]));
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t c = 0; c < row.size(); ++c) {
      line += row[c] + std::string(widths[c] - width_of(row[c]) + 2, ' ');
    }
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

int code_after_output(int code) {
  // What fits into the buffer fails only here.
  const bool is_written = std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
  if (is_written) return code;
  complain("the output could not be written");
  return code == exit_ok ? exit_unreachable : code;
}

std::string member_text(const codec::json_node& object, const std::string& name) {
  if (!object.is_object()) return {};
  const auto dot = name.find('.');
  const auto found = object.find(name.substr(0, dot));
  if (!found || found->is_null()) return {};
  if (dot != std::string::npos) return member_text(*found, name.substr(dot + 1));
  return found->is_string() ? std::string(found->as_string()) : found->text();
}

std::string text_at(const codec::json_node& root, std::string_view pointer) {
  auto at = std::optional(root);
  while (at && pointer.starts_with('/')) {
    pointer.remove_prefix(1);
    const auto step = pointer.substr(0, pointer.find('/'));
    pointer.remove_prefix(step.size());
    if (at->is_object()) {
      at = at->find(step);
      continue;
    }
    std::size_t index = 0;
    const auto [end, error] = std::from_chars(step.data(), step.data() + step.size(), index);
    if (!at->is_array() || error != std::errc{} || end != step.data() + step.size()) return {};
    at = index < at->size() ? std::optional(at->at(index)) : std::nullopt;
  }
  return at && at->is_string() ? std::string(at->as_string()) : std::string();
}

outcome<codec::json_doc> parse_answer(const std::string& body) {
  codec::json_limits limits;
  limits.depth = 64;
  limits.nodes = 5'000'000;
  limits.bytes = 128 << 20;
  return codec::parse_strict(body, limits);
}

}  // namespace reeve::cli
