#include "persistence/named_blobs.hpp"

#include "domain/aggregates.hpp"
#include "domain/fields.hpp"
#include "persistence/event_codec_port.hpp"

#include <map>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

namespace reeve::persistence {
namespace {

using blob_names = std::vector<named_blob>;

/// The text, and its marks; or, by its name, the stream that all of it is of.
void add_blobs(const domain::attempt_ended& e, blob_names& to) {
  if (!e.log) return;
  const auto number = std::to_string(e.attempt);
  to.push_back({e.job, "log-" + number, *e.log});
  if (!e.log_streams) return;
  if (e.log_streams->marks) {
    to.push_back({e.job, "streams-" + number, *e.log_streams->marks});
  } else {
    const bool is_out = e.log_streams->stdout_bytes > 0;
    to.push_back({e.job, (is_out ? "stdout-" : "stderr-") + number, *e.log});
  }
}

void add_blobs(const domain::artifact_stored& e, blob_names& to) {
  to.push_back({e.job, "artifact-" + e.name, e.content});
}

template <class Event>
concept names_blobs = requires(const Event& e, blob_names& to) {
  add_blobs(e, to);
};

/// A blob somewhere in what the codec writes of a type.
template <class T>
struct holds_blob : std::false_type {};
template <>
struct holds_blob<domain::blob_ref> : std::true_type {};
template <class T>
struct holds_blob<std::optional<T>> : holds_blob<T> {};
template <class T>
struct holds_blob<std::vector<T>> : holds_blob<T> {};
template <class Key, class T>
struct holds_blob<std::map<Key, T>> : holds_blob<T> {};
template <class... T>
struct holds_blob<std::variant<T...>> : std::disjunction<holds_blob<T>...> {};
template <class Owner, class Member>
holds_blob<Member> held_by(Member Owner::*);
template <class Fields>
struct one_holds_blob;
template <class... Field>
struct one_holds_blob<std::tuple<Field...>>
    : std::disjunction<decltype(held_by(std::declval<Field>().member))...> {};
template <domain::has_fields T>
struct holds_blob<T> : one_holds_blob<std::remove_cvref_t<decltype(T::fields())>> {};

/// This program's own version of the event, or an older one.
template <class Event>
bool is_known_as(const domain::event_record& r) {
  return r.type == Event::type && r.schema_version <= domain::schema_version_of<Event>();
}

rejection not_known(const domain::event_record& r) {
  return reject(errc::internal, "this program does not know the event at " +
                                    std::to_string(r.position) + ", which may name blobs");
}

template <class State, class... Events>
outcome<blob_names> read_blobs_as(const domain::event_record& r,
                                  std::type_identity<std::variant<Events...>>) {
  static_assert(((holds_blob<Events>::value == names_blobs<Events>)&&...),
                "an event with a blob needs its add_blobs() above: its blobs would be swept");
  if (!(is_known_as<Events>(r) || ...)) return not_known(r);
  if constexpr ((names_blobs<Events> || ...)) {
    if (((names_blobs<Events> && r.type == Events::type) || ...)) {
      auto event = from_record<State>(r);
      if (!event) return event.error();
      return blobs_of(*event);
    }
  }
  return blob_names{};
}

template <class... States>
outcome<blob_names> read_blobs_of_any(const domain::event_record& r, domain::type_list<States...>) {
  outcome<blob_names> found = not_known(r);
  (void)((domain::is_stream_of<States>(r.stream) &&
          (found = read_blobs_as<States>(r, std::type_identity<domain::event_of<States>>{}),
           true)) ||
         ...);
  return found;
}

}  // namespace

std::vector<named_blob> blobs_of(const domain::run_event& event) {
  blob_names all;
  std::visit(
      [&](const auto& e) {
        if constexpr (names_blobs<std::decay_t<decltype(e)>>) add_blobs(e, all);
      },
      event);
  return all;
}

outcome<std::vector<named_blob>> blobs_of(const domain::event_record& record) {
  return read_blobs_of_any(record, domain::aggregates{});
}

}  // namespace reeve::persistence
