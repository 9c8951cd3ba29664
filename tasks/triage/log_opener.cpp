#include "tasks/triage/log_opener.hpp"

#include "tasks/triage/log_envelope.hpp"

#include <algorithm>
#include <functional>
#include <utility>

namespace reeve::tasks {
namespace {

constexpr int max_depth = 3;
constexpr std::size_t max_parts = 2;
// A field of the journal is preceded by its size: 8 bytes, little-endian. More than this is none.
constexpr std::size_t size_bytes = 8;
constexpr std::uint64_t max_field_bytes = envelope_opener::max_entry_bytes;
// Only whether a line has a time matters here, not which: any late instant does (the year 2100).
constexpr time_us any_now = 4'102'444'800 * us_per_second;

bool is_field_name(std::string_view text) {
  return !text.empty() && text.size() <= 64 &&
         ((text[0] >= 'A' && text[0] <= 'Z') || text[0] == '_') &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
         });
}

void append_limited(std::string& to, std::string_view text) {
  const auto room = max_opened_bytes - std::min(max_opened_bytes, to.size());
  to.append(text.substr(0, room));
}

/// Lanes are copied and kept: a program that has long ones would make others pay for them.
std::string short_lane(std::string_view lane) {
  std::string made(lane.substr(0, envelope_opener::max_lane_bytes));
  if (made.size() == lane.size()) return made;
  return made.append(" ").append(std::to_string(std::hash<std::string_view>{}(lane)));
}

std::uint64_t size_in(std::string_view eight) {
  std::uint64_t size = 0;
  for (std::size_t i = size_bytes; i-- > 0;) {
    size = size << 8 | static_cast<unsigned char>(eight[i]);
  }
  return size;
}

}  // namespace

void envelope_opener::put(std::string_view text, opened_message from) {
  if (used_ == opened_.size()) opened_.emplace_back();
  auto& to = opened_[used_++];
  from.text = std::move(to.text);  // for its room
  from.text.assign(text);
  to = std::move(from);
}

/// One message keeps its room; lines of many are rare.
void envelope_opener::clear() {
  used_ = 0;
  if (opened_.size() > 1) opened_.resize(1);
}

std::string* envelope_opener::part_of(std::string_view lane) {
  for (auto& one : parts_) {
    if (one.lane == lane) return &one.text;
  }
  return nullptr;
}

void envelope_opener::open_plain(std::string_view line, std::optional<time_us> at,
                                 bool is_current) {
  opened_message from;
  from.at = at;
  from.is_end = is_current;
  auto envelope = take_envelope(line, any_now);
  std::string inner;
  std::string_view text = line;
  for (int depth = 0; envelope; ++depth) {
    if (!envelope->lane.empty()) from.lane = short_lane(envelope->lane);
    if (!envelope->tag.empty()) from.tag = envelope->tag.substr(0, 64);
    if (envelope->level) from.level = envelope->level;
    if (envelope->unescaped) {
      from.is_end = false;
      inner = std::move(*envelope->unescaped);
      text = inner;
    } else {
      text = envelope->body;
    }
    auto* part = part_of(from.lane);
    if (envelope->partial) {
      if (part == nullptr && parts_.size() < max_parts) {
        part = &parts_.emplace_back(part_of_line{from.lane, {}}).text;
      }
      if (part != nullptr) append_limited(*part, text);
      return;
    }
    if (part != nullptr) {
      append_limited(*part, text);
      inner = std::move(*part);
      text = inner;
      from.is_end = false;
      std::erase_if(parts_, [&](const auto& one) { return one.lane == from.lane; });
    }
    if (depth + 1 == max_depth) break;
    envelope = take_envelope(text, any_now);
  }
  if (from.lane.empty()) from.lane = lane_;
  lane_ = from.lane;
  put(text, std::move(from));
}

/// False if there is no room for it: an entry of the journal is not so large.
bool envelope_opener::hold(std::string_view line, std::optional<time_us> at) {
  auto& entry = *entry_;
  if (entry.lines.size() >= max_entry_lines || line.size() > max_entry_bytes - entry.bytes)
    return false;
  entry.bytes += line.size();
  entry.lines.push_back({std::string(line), at});
  return true;
}

/// What looked like an entry is none.
void envelope_opener::give_back() {
  const auto lines = std::move(entry_->lines);
  entry_.reset();
  binary_name_.clear();
  for (const auto& one : lines) open_plain(one.text, one.at, false);
}

void envelope_opener::take_field(std::string_view name, std::string_view value) {
  auto& entry = *entry_;
  const auto number = value.size() == 1 && value[0] >= '0' && value[0] <= '7'
                          ? std::optional<int>(value[0] - '0')
                          : std::nullopt;
  if (name == "MESSAGE") {
    if (std::exchange(entry.has_message, true)) append_limited(entry.message, "\n");
    append_limited(entry.message, value);
  }
  if (name == "PRIORITY") entry.priority = number;
  if (name == "SYSLOG_IDENTIFIER") entry.tag = value.substr(0, 64);
  if (name == "_SYSTEMD_UNIT" && entry.tag.empty()) entry.tag = value.substr(0, 64);
  if (name == "_PID") entry.process = value.substr(0, 64);
  if (name == "_TRANSPORT") entry.from_stdout = value == "stdout";
  if (name != "__REALTIME_TIMESTAMP") return;
  if (const auto stamp = time_of_line(value, any_now)) entry.at = stamp->at;
}

void envelope_opener::end_binary() {
  const auto name = std::exchange(binary_name_, {});
  take_field(name, std::string_view(binary_).substr(std::min(size_bytes, binary_.size())));
}

/// The bytes of a field that may hold newlines. Redaction may have changed how many there are, so a
/// trusted field ends them as well: a message, or what shows that it was redacted.
envelope_opener::binary_line envelope_opener::take_binary(std::string_view line) {
  const auto equals = line.find('=');
  if (line.starts_with('_') && equals != line.npos && is_field_name(line.substr(0, equals))) {
    const bool may_end = binary_name_ == "MESSAGE" || binary_.find("[redacted") != binary_.npos;
    if (!may_end || binary_.size() < size_bytes) return binary_line::impossible;
    end_binary();
    return binary_line::behind;
  }
  append_limited(binary_, line);
  binary_seen_ += line.size();
  if (binary_.size() >= size_bytes) {
    const auto size = size_in(binary_);
    if (size > max_field_bytes) return binary_line::impossible;
    if (binary_seen_ >= size_bytes + size) {
      end_binary();
      return binary_line::inside;
    }
  }
  append_limited(binary_, "\n");
  ++binary_seen_;
  return binary_line::inside;
}

/// False if it was none.
bool envelope_opener::end_export(std::optional<time_us> at) {
  if (!entry_->has_message || !binary_name_.empty()) {
    give_back();
    return false;
  }
  auto entry = std::move(*entry_);
  entry_.reset();
  if (entry.message.empty()) return true;
  opened_message from;
  from.lane = entry.process.empty() ? entry.tag : entry.process;
  from.tag = std::move(entry.tag);
  from.level = journal_severity(entry.priority, entry.from_stdout);
  from.at = at ? at : entry.at;
  lane_ = from.lane;
  put(entry.message, std::move(from));
  return true;
}

/// False if the line is no part of a message in the export format.
bool envelope_opener::open_export(std::string_view line, std::optional<time_us> at) {
  if (entry_ && !binary_name_.empty()) {
    const auto is = take_binary(line);
    if (is == binary_line::inside && hold(line, at)) return true;
    if (is != binary_line::behind) give_back();
  }
  const bool is_cursor = line.starts_with("__CURSOR=");
  if (entry_ && is_cursor) end_export(at);
  if (!entry_) {
    if (!is_cursor && !line.starts_with("__REALTIME_TIMESTAMP=")) return false;
    entry_.emplace();
  }
  if (line.empty()) return end_export(at);
  const auto equals = line.find('=');
  if (!is_field_name(line.substr(0, equals))) {
    end_export(at);
    return false;
  }
  if (!hold(line, at)) {
    give_back();
    return false;
  }
  if (equals != line.npos) {
    take_field(line.substr(0, equals), line.substr(equals + 1));
  } else {
    binary_name_ = line;
    binary_.clear();
    binary_seen_ = 0;
  }
  return true;
}

std::span<const opened_message> envelope_opener::open(std::string_view line,
                                                      std::optional<time_us> at) {
  clear();
  if (!open_export(line, at)) open_plain(line, at, true);
  return std::span(opened_).first(used_);
}

std::span<const opened_message> envelope_opener::finish() {
  clear();
  if (entry_) end_export(std::nullopt);
  for (auto& one : std::exchange(parts_, {})) {
    opened_message from;
    from.lane = std::move(one.lane);
    put(one.text, std::move(from));
  }
  return std::span(opened_).first(used_);
}

}  // namespace reeve::tasks
