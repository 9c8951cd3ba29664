#pragma once
// From decided events to an append request, and from its stamps to the state after.

#include "base/invariant.hpp"
#include "persistence/append_port.hpp"
#include "persistence/event_codec_port.hpp"
#include "persistence/projections_port.hpp"

#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace reeve::actors {

/// The state after `events`, whose stamps the journal gave. Pure.
template <class State>
std::shared_ptr<const State> after(
    const std::shared_ptr<const State>& before,
    const std::vector<typename domain::aggregate_of<State>::event>& events,
    std::span<const domain::event_stamp> stamps, const uuid& tenant, std::string_view principal) {
  REEVE_INVARIANT(events.size() == stamps.size(), "the journal stamps each event once");
  auto state = std::make_shared<State>(*before);
  for (std::size_t i = 0; i < events.size(); ++i) {
    evolve(*state, events[i], domain::evolve_context{stamps[i], tenant, principal});
  }
  return state;
}

/// An append on one stream: expects the version of `before`, renders the rows of the
/// projections from the state after the last event.
template <class State>
persistence::append_request append_of(
    std::shared_ptr<const State> before,
    std::vector<typename domain::aggregate_of<State>::event> events, const uuid& tenant,
    const std::string& stream, const domain::event_meta& meta) {
  persistence::append_request request;
  request.expect.push_back({stream, before->stream_version});
  for (const auto& event : events) {
    auto e = persistence::to_new_event<State>(event);
    e.stream = stream;
    e.tenant = tenant;
    e.meta = meta;
    // What a client's command brings about follows from its first event; that one has no cause in
    // the log.
    if (!meta.causation_id && !request.events.empty()) e.caused_by = 0;
    request.events.push_back(std::move(e));
  }
  request.project = [before = std::move(before), events = std::move(events), tenant,
                     principal = meta.principal](std::span<const domain::event_stamp> stamps,
                                                 persistence::row_sink& rows) {
    State state = *before;
    for (std::size_t i = 0; i < events.size(); ++i) {
      evolve(state, events[i], domain::evolve_context{stamps[i], tenant, principal});
    }
    project(persistence::happened<State>{state, events, stamps}, rows);
  };
  return request;
}

}  // namespace reeve::actors
