#include "tasks/triage/log_triage.hpp"

#include "tasks/triage/log_score.hpp"
#include "tasks/triage/log_text.hpp"
#include "tasks/triage/log_triage_state.hpp"

#include <algorithm>

namespace reeve::tasks {
namespace {

constexpr std::size_t block_bytes = std::size_t{16} * 1024;

}  // namespace

log_triage::log_triage(triage_options options, redactor rules,
                       std::optional<triage_baseline> baseline)
    : state_(std::make_unique<state>(options, rules.with_patterns(), std::move(baseline))) {
  if (!state_->baseline) return;
  for (const auto& one : state_->baseline->templates) {
    state_->by_id.emplace(one.id, &one);
    state_->miner.plant(one.text, domain::name_of(one.severity));
  }
}
log_triage::~log_triage() = default;
log_triage::log_triage(log_triage&&) noexcept = default;
log_triage& log_triage::operator=(log_triage&&) noexcept = default;

std::optional<std::size_t> log_triage::open(std::string name, log_source_kind kind) {
  auto& s = *state_;
  if (s.sources.size() >= s.options.max_sources) {
    s.truncated = true;
    return std::nullopt;
  }
  s.let_go();  // channels move with their sources
  triage_source info;
  info.name = clean_line(name, 256);
  info.kind = kind;
  s.sources.push_back({std::move(info), 0, {}, false});
  return s.sources.size() - 1;
}

log_triage::state::channel& log_triage::state::channel_of(source& of, log_channel which) const {
  auto& one = of.channels[static_cast<std::size_t>(which)];
  if (!one) {
    one.emplace(channel{
        redacting_stream(rules), record_reader(options.line_bytes), {}, since_filter(options)});
  }
  return *one;
}

bool log_triage::add(std::size_t number, std::string_view line, std::optional<time_us> at,
                     log_channel channel) {
  auto& s = *state_;
  auto& source = s.sources.at(number);
  const auto size = static_cast<std::int64_t>(line.size()) + 1;
  ++source.read;
  if (s.totals.lines >= s.options.max_lines || s.totals.bytes + size > s.options.max_bytes) {
    (s.totals.lines >= s.options.max_lines ? s.met_lines : s.met_bytes) = true;
    ++source.info.skipped_lines;
    source.info.truncated = true;
    return false;
  }
  if (line.ends_with('\r')) line.remove_suffix(1);
  line = without_byte_order_mark(line);
  auto& into = s.channel_of(source, channel);
  const auto dated = into.filter.look(line, at);
  if (dated.is == since_verdict::older) {
    ++source.info.older_lines;
    return true;
  }
  if (dated.is == since_verdict::undated)
    source.info.undated_lines = *source.info.undated_lines + 1;
  s.totals.lines += 1;
  s.totals.bytes += size;
  source.info.lines += 1;
  source.info.bytes += size;
  into.places.push_back({dated.at, source.read});
  s.put(number, into, line);
  return true;
}

/// Redaction sees the line as it came, so that a cut can never split a secret's marker off; a
/// newline inside would count as another line.
void log_triage::state::put(std::size_t number, channel& into, std::string_view line) {
  if (block_channel != &into) let_go();
  block_source = number;
  block_channel = &into;
  const auto begin = block.size();
  block.append(line);
  if (line.find('\n') != line.npos)
    std::replace(block.begin() + static_cast<std::ptrdiff_t>(begin), block.end(), '\n', ' ');
  block.push_back('\n');
  if (block.size() >= block_bytes) let_go();
}

void log_triage::state::let_go() {
  if (block_channel == nullptr) return;
  take_redacted(block_source, *block_channel, block_channel->redacted.write(block));
  block_channel = nullptr;
  block.clear();
}

void log_triage::state::take_redacted(std::size_t number, channel& from, std::string_view text) {
  while (!text.empty()) {
    // A very long line comes in parts; each counts as a line of the same time.
    const auto newline = text.find('\n');
    const auto line = text.substr(0, newline);
    text.remove_prefix(newline == text.npos ? text.size() : newline + 1);
    line_place place;
    if (!from.places.empty()) {
      place = from.places.front();
      if (newline != text.npos) from.places.pop_front();
    }
    from.reader.add(line, place.at, done, place.number);
    for (const auto& record : done) take_record(number, record);
    done.clear();
  }
}

void log_triage::state::take_record(std::size_t number, const log_record& record) {
  ++totals.records;
  ++severity_total(totals, record.severity);
  if (record.at && (!earliest || *record.at < *earliest)) earliest = record.at;
  const auto kind = miner.add(record.text, domain::name_of(record.severity));
  if (kind >= stats.size()) stats.resize(kind + 1);
  auto& one = stats[kind];
  if (one.sources.empty()) {
    one.example = record.example;
    one.example_lines = record.lines;
    one.severity = record.severity;
  }
  add_up(one.sources[number], {1, record.number, record.number, record.at, record.at});
}

void log_triage::state::close(std::size_t number) {
  let_go();
  auto& source = sources[number];
  if (source.closed) return;
  source.closed = true;
  for (auto& one : source.channels) {
    if (!one) continue;
    take_redacted(number, *one, one->redacted.finish());
    one->reader.finish(done);
    for (const auto& record : done) take_record(number, record);
    done.clear();
    one.reset();
  }
}

void log_triage::close(std::size_t number, bool truncated, std::optional<std::string> problem) {
  auto& info = state_->sources.at(number).info;
  info.truncated = info.truncated || truncated;
  if (problem) info.problem = clean_line(state_->rules.redact(*problem), 300);
  state_->close(number);
}

}  // namespace reeve::tasks
