#include "persistence/event_codec.hpp"
#include "persistence/projections.hpp"

#include <unordered_map>

namespace reeve::persistence {
namespace {

/// The streams of one aggregate: their states, and what has happened since the last flush.
template <class State>
class stream_fold {
 public:
  using event = typename domain::aggregate_of<State>::event;

  using history_fn = projection_fold::history_fn;

  outcome<done> apply(const domain::event_record& r, const history_fn& history) {
    auto [it, fresh] = streams_.try_emplace(r.stream);
    auto& stream = it->second;
    if (fresh) {
      stream.state.tenant = r.tenant;
      if (history && r.version > 1) {
        for (const auto& before : history(r)) {
          if (auto ok = evolve_record(stream.state, before); !ok) return ok;
        }
      }
    }
    auto decoded = from_record(r, stream.state);
    if (!decoded) return decoded.error();
    const domain::event_stamp stamp{r.position, r.version, r.recorded_at_us};
    evolve(stream.state, *decoded, domain::evolve_context{stamp, r.tenant, r.meta.principal});
    if (stream.events.empty()) changed_.push_back(&*it);
    stream.events.push_back(std::move(*decoded));
    stream.stamps.push_back(stamp);
    return done{};
  }

  void flush(row_sink& rows) {
    for (auto* entry : changed_) {
      auto& stream = entry->second;
      project(stream.state, std::span<const event>(stream.events), stream.stamps, rows);
      stream.events.clear();
      stream.stamps.clear();
    }
    for (auto* entry : changed_) {
      if (is_over(entry->second.state)) streams_.erase(std::string(entry->first));
    }
    changed_.clear();
  }

  std::size_t size() const { return streams_.size(); }

 private:
  struct stream {
    State state;
    std::vector<event> events;
    std::vector<domain::event_stamp> stamps;
  };

  static bool is_over(const State& state) {
    if constexpr (std::is_same_v<State, domain::run_state>) return is_terminal(state.status);
    return false;
  }

  std::unordered_map<std::string, stream> streams_;
  std::vector<typename decltype(streams_)::value_type*> changed_;  // nodes never move
};

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
  stream_fold<domain::directive_state> directives;
  stream_fold<domain::image_list_state> images;
  stream_fold<domain::container_list_state> containers;
  stream_fold<domain::llm_usage_state> llm;
  stream_fold<domain::access_state> access;
  stream_fold<domain::run_state> runs;
  history_fn history;
  row_sink ready;  // rows of events without a state, and of each version of a directive
};

projection_fold::projection_fold(history_fn history) : states_(std::make_unique<states>()) {
  states_->history = std::move(history);
}
projection_fold::~projection_fold() = default;

outcome<done> projection_fold::apply(const domain::event_record& r) {
  auto& s = *states_;
  if (is_stream_of<domain::run_state>(r.stream)) return s.runs.apply(r, s.history);
  if (is_stream_of<domain::llm_usage_state>(r.stream)) return s.llm.apply(r, s.history);
  if (is_stream_of<domain::directive_state>(r.stream)) {
    auto ok = s.directives.apply(r, s.history);
    // Each version has a row of its own, made of the state at that version.
    if (ok) s.directives.flush(s.ready);
    return ok;
  }
  if (is_stream_of<domain::image_list_state>(r.stream)) return s.images.apply(r, s.history);
  if (is_stream_of<domain::container_list_state>(r.stream)) return s.containers.apply(r, s.history);
  if (is_stream_of<domain::access_state>(r.stream)) return s.access.apply(r, s.history);
  if (belongs_to(r.stream, "system")) {
    auto event = system_event_of(r);
    if (!event) return event.error();
    project(*event, r.tenant, {r.position, r.version, r.recorded_at_us}, s.ready);
  }
  return done{};
}

void projection_fold::flush(row_sink& rows) {
  auto& s = *states_;
  for (auto& row : s.ready) rows.push_back(std::move(row));
  s.ready.clear();
  s.directives.flush(rows);
  s.images.flush(rows);
  s.containers.flush(rows);
  s.llm.flush(rows);
  s.access.flush(rows);
  s.runs.flush(rows);
}

std::size_t projection_fold::streams() const {
  const auto& s = *states_;
  return s.directives.size() + s.images.size() + s.containers.size() + s.llm.size() +
         s.access.size() + s.runs.size();
}

}  // namespace reeve::persistence
