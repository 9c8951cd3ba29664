#include "persistence/read_cache.hpp"

#include "persistence/projection.hpp"

namespace reeve::persistence {
namespace {

// What an entry costs beside its texts.
constexpr std::size_t entry_overhead = 256;

}  // namespace

std::string subject_of(std::string_view kind, const uuid& tenant, std::string_view id) {
  std::string text(kind);
  text += ':';
  text += to_string(tenant);
  text += ':';
  text += id;
  return text;
}

std::vector<std::string> subjects_of(const projection_row& row) {
  std::vector<std::string> subjects;
  const auto at = [&row](std::string_view name) -> const std::optional<std::string>& {
    return row.cells[static_cast<std::size_t>(column_index(*row.of, name))];
  };
  for (const auto& rule : row.of->subjects) {
    const auto tenant = parse_uuid(at("tenant").value_or(""));
    if (tenant && at(rule.column)) {
      subjects.push_back(subject_of(rule.kind, *tenant, *at(rule.column)));
    }
  }
  return subjects;
}

std::optional<document> read_cache::find(const std::string& subject, rendering which) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(subject);
  if (found == entries_.end()) return std::nullopt;
  const auto& kept = found->second->documents[static_cast<std::size_t>(which)];
  if (!kept.body) return std::nullopt;
  order_.splice(order_.begin(), order_, found->second);
  return kept;
}

std::uint64_t read_cache::begin_fill(const std::string& subject) {
  const std::lock_guard lock(mutex_);
  ++fills_[subject].running;
  return touches_;
}

void read_cache::end_fill(std::uint64_t ticket, const std::string& subject, rendering which,
                          const document& filled) {
  const std::lock_guard lock(mutex_);
  const auto running = fills_.find(subject);
  const bool dirty = running->second.touched > ticket;
  if (--running->second.running == 0) fills_.erase(running);
  if (dirty || !filled.body || filled.body->size() + entry_overhead > max_ / 4) return;
  auto found = entries_.find(subject);
  if (found == entries_.end()) {
    order_.push_front({subject, {}, entry_overhead + 2 * subject.size()});
    bytes_ += order_.front().bytes;
    found = entries_.emplace(subject, order_.begin()).first;
  }
  auto& entry = *found->second;
  auto& place = entry.documents[static_cast<std::size_t>(which)];
  const auto before = place.body ? place.body->size() : 0;
  place = filled;
  entry.bytes += filled.body->size() - before;
  bytes_ += filled.body->size() - before;
  order_.splice(order_.begin(), order_, found->second);
  while (bytes_ > max_) drop(std::prev(order_.end()));
}

void read_cache::drop(std::list<entry>::iterator which) {
  bytes_ -= which->bytes;
  entries_.erase(which->subject);
  order_.erase(which);
}

void read_cache::touch(std::span<const projection_row> rows) {
  const std::lock_guard lock(mutex_);
  for (const auto& row : rows) {
    for (const auto& subject : subjects_of(row)) {
      if (const auto found = entries_.find(subject); found != entries_.end()) drop(found->second);
      if (const auto running = fills_.find(subject); running != fills_.end()) {
        running->second.touched = ++touches_;
      }
    }
  }
}

void read_cache::clear() {
  const std::lock_guard lock(mutex_);
  entries_.clear();
  order_.clear();
  bytes_ = 0;
  ++touches_;
  for (auto& [subject, running] : fills_) running.touched = touches_;
}

std::size_t read_cache::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

}  // namespace reeve::persistence
