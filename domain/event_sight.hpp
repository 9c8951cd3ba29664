#pragma once
// What of an event's payload is shown to whom, for every event there is. Asked by whatever renders
// events for clients; who is shown what stands beside each event (event_readers.hpp).

#include "domain/aggregates.hpp"
#include "domain/event_readers.hpp"

#include <optional>
#include <string_view>
#include <tuple>
#include <variant>
#include <vector>

namespace reeve::domain {
namespace detail {

template <class Event>
concept seen_in_part = requires {
  Event::seen;
};

/// Each name in the list is one of the event's own, so that none is misspelled.
template <class Event>
constexpr bool names_its_fields() {
  if constexpr (seen_in_part<Event>) {
    for (const auto& one : Event::seen) {
      const bool known = std::apply([&](const auto&... f) { return ((f.name == one.name) || ...); },
                                    Event::fields());
      if (!known) return false;
    }
  }
  return true;
}

using seen_members = std::optional<std::vector<std::string_view>>;

template <class Event>
void look_at(std::string_view type, event_reader reader, seen_members& found) {
  static_assert(names_its_fields<Event>(), "`seen` names a field that the event does not have");
  if constexpr (seen_in_part<Event>) {
    if (type != Event::type || reader == event_reader::auditor) return;
    found.emplace();
    for (const auto& one : Event::seen) {
      if (one.from <= reader) found->push_back(one.name);
    }
  }
}

template <class... Events>
void look_at_all(std::variant<Events...>*, std::string_view type, event_reader reader,
                 seen_members& found) {
  (look_at<Events>(type, reader, found), ...);
}

template <class... States>
seen_members look_for(type_list<States...>, std::string_view type, event_reader reader) {
  seen_members found;
  (look_at_all(static_cast<event_of<States>*>(nullptr), type, reader, found), ...);
  return found;
}

template <class... Events>
constexpr bool all_say_who_sees(std::variant<Events...>*) {
  return (seen_in_part<Events> && ...);
}

/// Tokens are for administrators: an event of theirs that is new here is shown to nobody by
/// mistake.
static_assert(all_say_who_sees(static_cast<access_event*>(nullptr)),
              "an event of access says who sees which of its fields");

}  // namespace detail

/// The members of the payload that this reader is shown; nothing: all of them.
inline std::optional<std::vector<std::string_view>> members_seen(std::string_view type,
                                                                 event_reader reader) {
  return detail::look_for(aggregates{}, type, reader);
}

}  // namespace reeve::domain
