#include "persistence/projection_fold.hpp"

#include "persistence/event_codec_port.hpp"
#include "persistence/projection.hpp"
#include "persistence/projections_port.hpp"

#include <algorithm>
#include <tuple>
#include <unordered_map>

namespace reeve::persistence {
namespace {

// Events of one stream that wait for more of it; a run has about ten.
constexpr std::size_t most_held = 16;
// Streams that wait. Many more are not about to change again: they are runs that go on for long.
constexpr std::size_t most_changed = 8'192;

enum class flush_of { all, settled };

/// The streams of one aggregate: their states, and what has happened since the last flush.
template <class State>
class stream_fold {
 public:
  using event = domain::event_of<State>;

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
    auto decoded = from_record<State>(r);
    if (!decoded) return decoded.error();
    const domain::event_stamp stamp{r.position, r.version, r.recorded_at_us};
    evolve(stream.state, *decoded, domain::evolve_context{stamp, r.tenant, r.meta.principal});
    if (stream.events.empty()) changed_.push_back(&*it);
    stream.events.push_back(std::move(*decoded));
    stream.stamps.push_back(stamp);
    return done{};
  }

  void flush(row_sink& rows, flush_of which) {
    const bool waits = which == flush_of::settled && can_end && changed_.size() <= most_changed;
    const auto settled = std::partition(changed_.begin(), changed_.end(), [&](const auto* entry) {
      return waits && !is_settled(entry->second);
    });
    for (auto at = settled; at != changed_.end(); ++at) {
      auto& stream = (*at)->second;
      project(happened<State>{stream.state, stream.events, stream.stamps}, rows);
      stream.events.clear();
      stream.stamps.clear();
    }
    for (auto at = settled; at != changed_.end(); ++at) {
      if (is_over((*at)->second.state)) streams_.erase(std::string((*at)->first));
    }
    changed_.erase(settled, changed_.end());
  }

  std::size_t size() const { return streams_.size(); }

 private:
  struct stream {
    State state;
    std::vector<event> events;
    std::vector<domain::event_stamp> stamps;
  };

  static bool is_settled(const stream& s) {
    return is_over(s.state) || s.events.size() >= most_held;
  }
  static constexpr bool can_end = requires(State state) { is_terminal(state.status); };

  static bool is_over(const State& state) {
    if constexpr (can_end) return is_terminal(state.status);
    return false;
  }

  std::unordered_map<std::string, stream> streams_;
  std::vector<typename decltype(streams_)::value_type*> changed_;  // nodes never move
};

/// Whether one of its projections has a row for each state: that is made of the state right after
/// its event.
template <class State>
bool has_rows_of_states() {
  static const bool has = [] {
    const auto list = projections_of(std::type_identity<happened<State>>{});
    return std::any_of(list.begin(), list.end(),
                       [](const projection* of) { return of->past == projection_past::states; });
  }();
  return has;
}

template <class List>
class all_folds;

template <class... States>
class all_folds<domain::type_list<States...>> {
 public:
  using history_fn = projection_fold::history_fn;

  outcome<done> apply(const domain::event_record& r, const history_fn& history, row_sink& ready) {
    outcome<done> result = reject(errc::internal, "the event at " + std::to_string(r.position) +
                                                      " is of a stream that this program "
                                                      "does not know");
    (void)((domain::is_stream_of<States>(r.stream) &&
            (result = apply_to<States>(r, history, ready), true)) ||
           ...);
    return result;
  }

  void flush(row_sink& rows, flush_of which) {
    (std::get<stream_fold<States>>(folds_).flush(rows, which), ...);
  }

  std::size_t size() const { return (std::get<stream_fold<States>>(folds_).size() + ...); }

 private:
  template <class State>
  outcome<done> apply_to(const domain::event_record& r, const history_fn& history,
                         row_sink& ready) {
    auto& fold = std::get<stream_fold<State>>(folds_);
    auto ok = fold.apply(r, history);
    if (ok && has_rows_of_states<State>()) fold.flush(ready, flush_of::all);
    return ok;
  }

  std::tuple<stream_fold<States>...> folds_;
};

}  // namespace

struct projection_fold::states {
  all_folds<domain::aggregates> folds;
  history_fn history;
  row_sink ready;  // rows that are not made of the state at the next flush

  void flush(row_sink& rows, flush_of which) {
    for (auto& row : ready) rows.push_back(std::move(row));
    ready.clear();
    folds.flush(rows, which);
  }
};

projection_fold::projection_fold(history_fn history) : states_(std::make_unique<states>()) {
  states_->history = std::move(history);
}
projection_fold::~projection_fold() = default;

outcome<done> projection_fold::apply(const domain::event_record& r) {
  return states_->folds.apply(r, states_->history, states_->ready);
}

void projection_fold::flush(row_sink& rows) {
  states_->flush(rows, flush_of::all);
}

void projection_fold::flush_settled(row_sink& rows) {
  states_->flush(rows, flush_of::settled);
}

std::size_t projection_fold::streams() const {
  return states_->folds.size();
}

}  // namespace reeve::persistence
