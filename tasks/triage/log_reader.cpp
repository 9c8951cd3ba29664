#include "tasks/triage/log_reader.hpp"

#include "base/utf8.hpp"
#include "tasks/triage/log_envelope.hpp"
#include "tasks/triage/log_level.hpp"
#include "tasks/triage/log_text.hpp"

#include <algorithm>

namespace reeve::tasks {

record_reader::lane& record_reader::lane_of(const std::string& name,
                                            std::vector<log_record>& done) {
  for (auto& one : lanes_) {
    if (one.name == name) return one;
  }
  if (lanes_.size() < max_lanes) return lanes_.emplace_back(lane{name, {}, 0});
  auto& oldest = *std::min_element(lanes_.begin(), lanes_.end(),
                                   [](const auto& a, const auto& b) { return a.used < b.used; });
  while (auto record = oldest.folder.finish()) done.push_back(std::move(*record));
  oldest.name = name;
  return oldest;
}

void record_reader::take_line(line_folder& folder, std::string_view bytes, log_line from,
                              std::vector<log_record>& done) {
  const bool is_json = bytes.starts_with('{');
  clean_line(bytes, is_json ? max_opened_bytes : line_bytes_, text_);
  // What begins like JSON and is none is a line as any other.
  if (is_json && text_.size() > line_bytes_ && !read_json_line(text_)) {
    text_.resize(utf8_prefix(text_, line_bytes_).size());
  }
  from.text = text_;
  if (!is_json) from.stated = level_between_tabs(bytes);
  if (auto record = folder.add(from)) done.push_back(std::move(*record));
}

/// A message of several lines is as many, the further ones joined to the first.
void record_reader::take(const opened_message& opened, std::string_view line,
                         std::vector<log_record>& done) {
  // What is inside of an envelope is shown with it, where that can be read.
  whole_.clear();
  if (opened.is_end && opened.text.size() != line.size()) clean_line(line, line_bytes_, whole_);
  clean_line(opened.tag, line_bytes_, tag_);
  auto& lane = lane_of(opened.lane, done);
  lane.used = ++turn_;
  log_line from;
  from.whole = whole_;
  from.tag = tag_;
  from.level = opened.level;
  from.at = opened.at;
  from.number = number_;
  std::string_view rest = opened.text;
  for (std::size_t n = 0; n < max_message_lines && (n == 0 || !rest.empty()); ++n) {
    const auto one = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), one.size() + 1));
    take_line(lane.folder, one, from, done);
    from.joined = true;
    from.whole = {};
  }
  if (rest.empty()) return;
  std::string others(rest);
  std::replace(others.begin(), others.end(), '\n', ' ');
  take_line(lane.folder, others, from, done);
}

void record_reader::add(std::string_view line, std::optional<time_us> at,
                        std::vector<log_record>& done, std::int64_t number) {
  number_ = number;
  // A terminal writes over what stands before a carriage return; here it is a line of its own, so
  // that nothing is hidden, and a bar of progress is one kind of line however often it moved.
  for (std::size_t n = 1; line.find('\r') != line.npos; ++n) {
    if (n == max_message_lines) {
      std::string rest(line);
      std::replace(rest.begin(), rest.end(), '\r', ' ');
      for (const auto& opened : opener_.open(rest, at)) take(opened, rest, done);
      return;
    }
    const auto one = line.substr(0, line.find('\r'));
    line.remove_prefix(one.size() + 1);
    if (one.empty()) continue;
    for (const auto& opened : opener_.open(one, at)) take(opened, one, done);
    if (line.empty()) return;
  }
  for (const auto& opened : opener_.open(line, at)) take(opened, line, done);
}

void record_reader::finish(std::vector<log_record>& done) {
  for (const auto& opened : opener_.finish()) take(opened, {}, done);
  for (auto& one : lanes_) {
    while (auto record = one.folder.finish()) done.push_back(std::move(*record));
  }
  lanes_.clear();
}

}  // namespace reeve::tasks
