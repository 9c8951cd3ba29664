#pragma once
// Rebuilding a state from its stream, page by page, without an actor of its own.

#include "base/slot.hpp"
#include "persistence/event_codec_port.hpp"
#include "persistence/read_port.hpp"

#include <algorithm>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace reeve::actors {

inline constexpr int rebuild_page = 2000;
inline constexpr domain::position no_end = std::numeric_limits<domain::position>::max();

/// Where a rebuild ends: after the last event at or before `position`, none of which has a version
/// above `version`. Who knows that one reads no event in vain.
struct rebuild_end {
  domain::position position = no_end;
  domain::version version = std::numeric_limits<domain::version>::max();
};

/// Goes on from a state as it was at its version; nobody else has it yet.
template <class State>
void rebuild_from(persistence::read_port& reads, uuid tenant, std::string stream,
                  std::shared_ptr<State> so_far, rebuild_end end,
                  reply_slot<std::shared_ptr<const State>> slot) {
  using records = std::vector<domain::event_record>;
  const auto after = so_far->stream_version;
  if (after >= end.version) return slot.answer(std::shared_ptr<const State>(so_far));
  const auto page = static_cast<int>(std::min<domain::version>(rebuild_page, end.version - after));
  reads.stream(
      tenant, stream, after, page,
      reply_slot<records>([&reads, tenant, stream, so_far, end, page, slot](outcome<records> read) {
        if (!read) return slot.answer(read.error());
        for (const auto& r : *read) {
          if (r.position > end.position) return slot.answer(std::shared_ptr<const State>(so_far));
          // The database filters; what is folded for one tenant must not rest on that alone.
          if (r.tenant != tenant) {
            return slot.answer(reject(errc::internal, "an event of another tenant was read"));
          }
          if (auto ok = persistence::evolve_record(*so_far, r); !ok) {
            return slot.answer(ok.error());
          }
        }
        if (read->size() < static_cast<std::size_t>(page)) {
          return slot.answer(std::shared_ptr<const State>(so_far));
        }
        rebuild_from<State>(reads, tenant, stream, so_far, end, slot);
      }));
}

/// A state of which nothing is known yet.
template <class State>
std::shared_ptr<State> blank_state(const uuid& tenant) {
  auto fresh = std::make_shared<State>();
  if constexpr (requires { fresh->tenant; }) fresh->tenant = tenant;
  return fresh;
}

/// The state after the last event at or before `until`; version 0 if the stream does not exist.
template <class State>
void rebuild(persistence::read_port& reads, uuid tenant, std::string stream, domain::position until,
             reply_slot<std::shared_ptr<const State>> slot) {
  rebuild_from<State>(reads, tenant, std::move(stream), blank_state<State>(tenant), {until},
                      std::move(slot));
}

}  // namespace reeve::actors
