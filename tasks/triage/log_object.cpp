#include "tasks/triage/log_object.hpp"

#include "tasks/triage/log_json.hpp"
#include "tasks/triage/log_trace.hpp"

#include <utility>

namespace reeve::tasks {
namespace {

bool is_whole_object(std::string_view text) {
  json_walk walk(text);
  while (walk.next()) {
  }
  return walk.complete();
}

}  // namespace

void object_lines::keep(const log_line& line, std::string_view text) {
  if (!text_.empty()) text_.push_back(' ');
  text_.append(text);
  bytes_ += line.text.size() + line.whole.size() + line.tag.size();
  lines_.emplace_back(line);
}

object_lines::verdict object_lines::take(const log_line& line) {
  const auto text = line.text;
  if (!is_open()) {
    if (!text.starts_with('{') || trimmed(text) != "{" || line.joined) return verdict::no_part;
    keep(line, "{");
    return verdict::part;
  }
  if (lines_.size() >= max_lines || bytes_ >= max_bytes) return verdict::no_part;
  const auto body = trimmed(text);
  if (text.starts_with(' ')) {
    if (body.empty() || (lines_.size() == 1 && body[0] != '"')) return verdict::no_part;
    keep(line, body);
    return verdict::part;
  }
  if ((body != "}" && body != "},") || !is_whole_object(text_ + " }")) return verdict::no_part;
  keep(line, "}");
  return verdict::whole;
}

log_line object_lines::line() const {
  auto made = lines_.front().view();
  made.text = text_;
  made.whole = {};
  made.stated.reset();
  return made;
}

void object_lines::clear() {
  give_back();
}

std::vector<kept_line> object_lines::give_back() {
  text_.clear();
  bytes_ = 0;
  return std::exchange(lines_, {});
}

}  // namespace reeve::tasks
