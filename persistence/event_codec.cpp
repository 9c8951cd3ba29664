#include "persistence/event_codec.hpp"

#include "codec/codec.hpp"

namespace reeve::persistence {
namespace {

template <class Event>
domain::new_event encoded(const Event& event) {
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

template <class Event>
outcome<Event> decoded(const domain::event_record& r) {
  if (r.payload_format != domain::payload_json) {
    return reject(errc::internal, "the payload at " + std::to_string(r.position) + " is sealed");
  }
  auto event = codec::decode_event<Event>(r.type, r.schema_version, r.payload);
  if (event) return event;
  return reject(errc::internal, "the event at " + std::to_string(r.position) +
                                    " cannot be read: " + event.error().detail);
}

}  // namespace

domain::new_event to_new_event(const domain::directive_event& e) {
  return encoded(e);
}
domain::new_event to_new_event(const domain::image_list_event& e) {
  return encoded(e);
}
domain::new_event to_new_event(const domain::container_list_event& e) {
  return encoded(e);
}
domain::new_event to_new_event(const domain::llm_event& e) {
  return encoded(e);
}
domain::new_event to_new_event(const domain::access_event& e) {
  return encoded(e);
}
domain::new_event to_new_event(const domain::run_event& e) {
  return encoded(e);
}
domain::new_event to_new_event(const domain::system_event& e) {
  return encoded(e);
}
domain::new_event to_new_event(const domain::log_event& e) {
  return encoded(e);
}

outcome<domain::directive_event> from_record(const domain::event_record& r,
                                             const domain::directive_state&) {
  return decoded<domain::directive_event>(r);
}
outcome<domain::image_list_event> from_record(const domain::event_record& r,
                                              const domain::image_list_state&) {
  return decoded<domain::image_list_event>(r);
}
outcome<domain::container_list_event> from_record(const domain::event_record& r,
                                                  const domain::container_list_state&) {
  return decoded<domain::container_list_event>(r);
}
outcome<domain::llm_event> from_record(const domain::event_record& r,
                                       const domain::llm_usage_state&) {
  return decoded<domain::llm_event>(r);
}
outcome<domain::access_event> from_record(const domain::event_record& r,
                                          const domain::access_state&) {
  return decoded<domain::access_event>(r);
}
outcome<domain::run_event> from_record(const domain::event_record& r, const domain::run_state&) {
  return decoded<domain::run_event>(r);
}
outcome<domain::system_event> system_event_of(const domain::event_record& r) {
  return decoded<domain::system_event>(r);
}
outcome<domain::log_event> log_event_of(const domain::event_record& r) {
  return decoded<domain::log_event>(r);
}

}  // namespace reeve::persistence
