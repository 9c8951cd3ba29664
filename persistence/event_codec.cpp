#include "codec/codec.hpp"
#include "persistence/event_codec_port.hpp"

#include <tuple>

namespace reeve::persistence {

template <class State>
domain::new_event to_new_event(const domain::event_of<State>& event) {
  return std::visit(
      [](const auto& e) {
        using type = std::decay_t<decltype(e)>;
        domain::new_event out;
        out.type = std::string(type::type);
        out.schema_version = domain::schema_version_of<type>();
        out.payload = codec::encode(e);
        return out;
      },
      event);
}

template <class State>
outcome<domain::event_of<State>> from_record(const domain::event_record& r) {
  if (r.payload_format != domain::payload_json) {
    return reject(errc::internal, "the payload at " + std::to_string(r.position) + " is sealed");
  }
  auto event = codec::decode_event<domain::event_of<State>>(r.type, r.schema_version, r.payload);
  if (event) return event;
  return reject(errc::internal, "the event at " + std::to_string(r.position) +
                                    " cannot be read: " + event.error().detail);
}

namespace {

/// Makes both functions for each aggregate of the list, here and nowhere else: JSON is expensive to
/// compile.
template <class... States>
constexpr auto made_for(domain::type_list<States...>) {
  return std::tuple{&to_new_event<States>..., &from_record<States>...};
}

[[gnu::used]] const auto made = made_for(domain::aggregates{});

}  // namespace

}  // namespace reeve::persistence
