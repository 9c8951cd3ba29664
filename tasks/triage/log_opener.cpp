#include "tasks/triage/log_opener.hpp"

#include "tasks/triage/log_envelope.hpp"
#include "tasks/triage/log_text.hpp"

#include <algorithm>

namespace reeve::tasks {
namespace {

constexpr int max_depth = 3;
constexpr std::size_t max_parts = 2;
// A field of the journal is preceded by its size: 8 bytes, little-endian. More than this is none.
constexpr std::size_t size_bytes = 8;
constexpr std::uint64_t max_field_bytes = 16 * 1024 * 1024;
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

std::uint64_t size_in(std::string_view eight) {
  std::uint64_t size = 0;
  for (std::size_t i = size_bytes; i-- > 0;) {
    size = size << 8 | static_cast<unsigned char>(eight[i]);
  }
  return size;
}

}  // namespace

opened_line& envelope_opener::put() {
  if (used_ == lines_.size()) lines_.emplace_back();
  return lines_[used_++];
}

/// A message of several lines is as many, the further ones joined to the first.
void envelope_opener::put_message(std::string_view text, const opened_line& from) {
  for (bool first = true; first || !text.empty(); first = false) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    auto& made = put();
    made = from;
    made.text = line;
    made.joined = !first;
  }
}

std::string* envelope_opener::part_of(std::string_view lane) {
  for (auto& one : parts_) {
    if (one.lane == lane) return &one.text;
  }
  return nullptr;
}

void envelope_opener::open_plain(std::string_view line) {
  opened_line from;
  from.is_end = true;
  auto envelope = take_envelope(line, any_now);
  std::string inner;
  std::string_view text = line;
  for (int depth = 0; envelope; ++depth) {
    if (!envelope->lane.empty()) from.lane = envelope->lane;
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
  put_message(text, from);
}

void envelope_opener::take_field(std::string_view name, std::string_view value) {
  auto& entry = *entry_;
  const auto number = value.size() == 1 && value[0] >= '0' && value[0] <= '7'
                          ? std::optional<int>(value[0] - '0')
                          : std::nullopt;
  if (name == "MESSAGE") entry.message = value.substr(0, max_opened_bytes);
  if (name == "PRIORITY") entry.priority = number;
  if (name == "SYSLOG_IDENTIFIER") entry.tag = value.substr(0, 64);
  if (name == "_SYSTEMD_UNIT" && entry.tag.empty()) entry.tag = value.substr(0, 64);
  if (name == "_PID") entry.process = value.substr(0, 64);
  if (name == "_TRANSPORT") entry.from_stdout = value == "stdout";
  if (name != "__REALTIME_TIMESTAMP") return;
  if (const auto stamp = time_of_line(value, any_now)) entry.at = stamp->at;
}

/// The bytes of a field that may hold newlines; false once `line` is none of them. Redaction may
/// have changed how many there are, so a trusted field ends them as well.
bool envelope_opener::take_binary(std::string_view line) {
  const auto equals = line.find('=');
  if (line.starts_with('_') && equals != line.npos && is_field_name(line.substr(0, equals))) {
    take_field(binary_name_,
               std::string_view(binary_).substr(std::min(size_bytes, binary_.size())));
    binary_name_.clear();
    return false;
  }
  append_limited(binary_, line);
  binary_seen_ += line.size();
  if (binary_.size() >= size_bytes) {
    const auto size = size_in(binary_);
    if (size > max_field_bytes || binary_seen_ >= size_bytes + size) {
      take_field(binary_name_, std::string_view(binary_).substr(size_bytes));
      binary_name_.clear();
      return true;
    }
  }
  append_limited(binary_, "\n");
  ++binary_seen_;
  return true;
}

void envelope_opener::end_export() {
  auto entry = std::move(*entry_);
  entry_.reset();
  binary_name_.clear();
  if (entry.message.empty()) return;
  opened_line from;
  from.lane = entry.process.empty() ? entry.tag : entry.process;
  from.tag = std::move(entry.tag);
  from.level = journal_severity(entry.priority, entry.from_stdout);
  from.at = entry.at;
  lane_ = from.lane;
  put_message(entry.message, from);
}

/// False if the line is no part of a message in the export format.
bool envelope_opener::open_export(std::string_view line) {
  const bool begins = line.starts_with("__CURSOR=") || line.starts_with("__REALTIME_TIMESTAMP=");
  if (!entry_ && !begins) return false;
  if (!entry_) entry_.emplace();
  if (!binary_name_.empty() && take_binary(line)) return true;
  if (line.starts_with("__CURSOR=") && !entry_->message.empty()) {
    end_export();
    entry_.emplace();
  }
  if (line.empty()) {
    end_export();
    return true;
  }
  const auto equals = line.find('=');
  if (!is_field_name(line.substr(0, equals))) {
    end_export();
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

std::span<const opened_line> envelope_opener::open(std::string_view line) {
  used_ = 0;
  if (!open_export(line)) open_plain(line);
  return {lines_.data(), used_};
}

std::span<const opened_line> envelope_opener::finish() {
  used_ = 0;
  if (entry_) {
    if (!binary_name_.empty() && binary_.size() > size_bytes) {
      take_field(binary_name_, std::string_view(binary_).substr(size_bytes));
    }
    end_export();
  }
  for (auto& one : parts_) {
    opened_line from;
    from.lane = one.lane;
    put_message(one.text, from);
  }
  parts_.clear();
  return {lines_.data(), used_};
}

}  // namespace reeve::tasks
