#include "adapters/line_anchors.hpp"

#include <functional>
#include <string_view>

namespace reeve::adapters {
namespace {

constexpr std::size_t part_bytes = 16'384;
constexpr std::size_t around_line = 78;  // in the engine's log (docker/output_reader.cpp)

/// Spreads stamps evenly: they are often a multiple of something.
std::uint64_t mixed(std::int64_t at_ns) {
  auto bits = static_cast<std::uint64_t>(at_ns) + 0x9e3779b97f4a7c15U;
  bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9U;
  bits = (bits ^ (bits >> 27)) * 0x94d049bb133111ebU;
  return bits ^ (bits >> 31);
}

bool is_chosen(const log_line& line) {
  return mixed(line.at_ns) % part_bytes < line.text.size() + around_line;
}

}  // namespace

void line_anchors::add(const log_line& line, bool is_begun, std::uint64_t end) {
  while (!all_.empty() && all_.back().at_ns >= line.at_ns) all_.pop_back();
  auto& has_line = has_line_[static_cast<std::size_t>(line.stream)];
  const bool is_whole = is_begun && line.is_ended && line.text.size() < part_bytes;
  const bool parts = line.at_ns > newest_ns_ && has_line;
  if (is_whole && parts && end <= most_ && is_chosen(line)) {
    all_.push_back({static_cast<std::size_t>(end), line.at_ns, line.stream,
                    std::hash<std::string_view>{}(line.text)});
  }
  if (line.at_ns > newest_ns_) newest_ns_ = line.at_ns;
  has_line = true;
}

}  // namespace reeve::adapters
