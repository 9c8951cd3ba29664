#pragma once
// Rebuilding a state from its stream, page by page, without an actor of its own.

#include "base/slot.hpp"
#include "persistence/event_codec_port.hpp"
#include "persistence/read_port.hpp"

#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace reeve::actors {

inline constexpr int rebuild_page = 2000;
inline constexpr domain::position no_end = std::numeric_limits<domain::position>::max();

template <class State>
void rebuild_from(persistence::read_port& reads, uuid tenant, std::string stream,
                  std::shared_ptr<State> so_far, domain::position until,
                  reply_slot<std::shared_ptr<const State>> slot) {
  using records = std::vector<domain::event_record>;
  const auto after = so_far->stream_version;
  reads.stream(
      tenant, stream, after, rebuild_page,
      reply_slot<records>([&reads, tenant, stream, so_far, until, slot](outcome<records> page) {
        if (!page) return slot.answer(page.error());
        for (const auto& r : *page) {
          if (r.position > until) return slot.answer(std::shared_ptr<const State>(so_far));
          // The database filters; what is folded for one tenant must not rest on that alone.
          if (r.tenant != tenant) {
            return slot.answer(reject(errc::internal, "an event of another tenant was read"));
          }
          if (auto ok = persistence::evolve_record(*so_far, r); !ok) {
            return slot.answer(ok.error());
          }
        }
        if (page->size() < static_cast<std::size_t>(rebuild_page)) {
          return slot.answer(std::shared_ptr<const State>(so_far));
        }
        rebuild_from<State>(reads, tenant, stream, so_far, until, slot);
      }));
}

/// The state after the last event at or before `until`; version 0 if the stream does not exist.
template <class State>
void rebuild(persistence::read_port& reads, uuid tenant, std::string stream, domain::position until,
             reply_slot<std::shared_ptr<const State>> slot) {
  auto fresh = std::make_shared<State>();
  if constexpr (requires { fresh->tenant; }) fresh->tenant = tenant;
  rebuild_from<State>(reads, tenant, std::move(stream), std::move(fresh), until, std::move(slot));
}

}  // namespace reeve::actors
