#include "persistence/event_codec.hpp"
#include "persistence/projections.hpp"

#include <unordered_map>

namespace reeve::persistence {
namespace {

template <class State>
using by_stream = std::unordered_map<std::string, State>;

/// Evolves the stream's state and gives the rows of this one event.
template <class State>
outcome<done> fold_into(by_stream<State>& states, const domain::event_record& r, row_sink& rows) {
  auto [it, fresh] = states.try_emplace(r.stream);
  if (fresh) it->second.tenant = r.tenant;
  auto event = from_record(r, it->second);
  if (!event) return event.error();
  const domain::event_stamp stamp{r.position, r.version, r.recorded_at_us};
  evolve(it->second, *event, domain::evolve_context{stamp, r.tenant, r.meta.principal});
  using event_type = typename domain::aggregate_of<State>::event;
  project(it->second, std::span<const event_type>(&*event, 1), std::span(&stamp, 1), rows);
  return done{};
}

bool belongs_to(const std::string& stream, std::string_view prefix) {
  return stream.size() > prefix.size() && stream.starts_with(prefix) &&
         stream[prefix.size()] == '-';
}

template <class State>
bool is_stream_of(const std::string& stream) {
  return belongs_to(stream, domain::aggregate_of<State>::prefix);
}

}  // namespace

struct projection_fold::states {
  by_stream<domain::directive_state> directives;
  by_stream<domain::image_list_state> images;
  by_stream<domain::container_list_state> containers;
  by_stream<domain::llm_usage_state> llm;
  by_stream<domain::access_state> access;
  by_stream<domain::run_state> runs;
};

projection_fold::projection_fold() : states_(std::make_unique<states>()) {}
projection_fold::~projection_fold() = default;

outcome<done> projection_fold::apply(const domain::event_record& r, row_sink& rows) {
  auto& s = *states_;
  if (is_stream_of<domain::run_state>(r.stream)) {
    auto ok = fold_into(s.runs, r, rows);
    if (ok && r.type == domain::run_finished::type) s.runs.erase(r.stream);
    return ok;
  }
  if (is_stream_of<domain::llm_usage_state>(r.stream)) return fold_into(s.llm, r, rows);
  if (is_stream_of<domain::directive_state>(r.stream)) return fold_into(s.directives, r, rows);
  if (is_stream_of<domain::image_list_state>(r.stream)) return fold_into(s.images, r, rows);
  if (is_stream_of<domain::container_list_state>(r.stream)) return fold_into(s.containers, r, rows);
  if (is_stream_of<domain::access_state>(r.stream)) return fold_into(s.access, r, rows);
  if (belongs_to(r.stream, "system")) {
    auto event = system_event_of(r);
    if (!event) return event.error();
    project(*event, r.tenant, {r.position, r.version, r.recorded_at_us}, rows);
  }
  return done{};
}

}  // namespace reeve::persistence
