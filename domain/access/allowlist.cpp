#include "domain/access/allowlist.hpp"

#include <algorithm>
#include <cctype>

namespace reeve::domain {
namespace {

template <class List, class Allowed>
void add_entry(List& list, const Allowed& what, const evolve_context& context) {
  list.tenant = context.tenant;
  allow_entry<Allowed> entry;
  entry.what = what;
  entry.created_by = std::string(context.principal);
  entry.created_position = entry.last_position = context.stamp.at;
  entry.created_at = context.stamp.recorded_at_us;
  list.entries.push_back(std::move(entry));
}

template <class List>
void end_entry(List& list, const uuid& id, const evolve_context& context) {
  for (auto& e : list.entries) {
    if (e.what.id != id) continue;
    e.is_active = false;
    e.last_position = context.stamp.at;
    e.deactivated_at = context.stamp.recorded_at_us;
  }
}

template <class Denied, class Event, class List>
outcome<std::vector<Event>> deny(const List& list, const uuid& id) {
  const auto* entry = list.find(id);
  if (entry == nullptr) return reject(errc::not_found, "there is no such entry");
  if (!entry->is_active) return std::vector<Event>{};
  return std::vector<Event>{Denied{id}};
}

outcome<done> check_reason(const std::string& reason) {
  if (reason.size() > 512 || reason.find('\0') != std::string::npos) {
    return reject(errc::invalid, "a reason has at most 512 bytes", "/reason");
  }
  return done{};
}

/// Names as the engine has them: [a-zA-Z0-9][a-zA-Z0-9_.-]*.
bool is_container_name(std::string_view name) {
  if (name.empty() || name.size() > 255) return false;
  if (std::isalnum(static_cast<unsigned char>(name.front())) == 0) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.' || c == '-';
  });
}

bool is_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return std::isdigit(static_cast<unsigned char>(c)) != 0 || (c >= 'a' && c <= 'f');
  });
}

outcome<std::string> normalised(const std::string& reference) {
  if (reference.find('*') != std::string::npos) {
    if (auto ok = check_image_pattern(reference); !ok) {
      return reject(errc::invalid, ok.error().detail, "/reference");
    }
    // The other name of the default registry, as references have it after parsing.
    constexpr std::string_view other = "index.docker.io/";
    if (!reference.starts_with(other)) return reference;
    return "docker.io/" + reference.substr(other.size());
  }
  auto ref = parse_image_reference(reference);
  if (!ref) return reject(errc::invalid, ref.error().detail, "/reference");
  return to_string(*ref);
}

}  // namespace

void evolve(image_list_state& s, const image_list_event& event, const evolve_context& context) {
  s.stream_version = context.stamp.version_in_stream;
  std::visit(overloaded{[&](const image_allowed& e) { add_entry(s, e, context); },
                        [&](const image_denied& e) { end_entry(s, e.id, context); }},
             event);
}

void evolve(container_list_state& s, const container_list_event& event,
            const evolve_context& context) {
  s.stream_version = context.stamp.version_in_stream;
  std::visit(overloaded{[&](const container_allowed& e) { add_entry(s, e, context); },
                        [&](const container_denied& e) { end_entry(s, e.id, context); }},
             event);
}

outcome<std::vector<image_list_event>> decide_allow(const image_list_state& state,
                                                    image_allowed entry) {
  auto reference = normalised(entry.reference);
  if (!reference) return reference.error();
  entry.reference = *reference;
  if (auto ok = check_reason(entry.reason); !ok) return ok.error();
  if (state.entries.size() >= max_allow_entries) {
    return reject(errc::conflict, "the allowlist is full: 5,000 entries");
  }
  for (const auto& e : state.entries) {
    if (e.is_active && e.what.reference == entry.reference) {
      return reject(errc::conflict, "an active entry has this reference", "/reference");
    }
  }
  return std::vector<image_list_event>{std::move(entry)};
}

outcome<std::vector<container_list_event>> decide_allow(const container_list_state& state,
                                                        container_allowed entry) {
  if (!is_container_name(entry.name)) {
    return reject(errc::invalid, "a container's name has 1..255 of [a-zA-Z0-9_.-]", "/name");
  }
  if (entry.container_id && (entry.container_id->size() != 64 || !is_hex(*entry.container_id))) {
    return reject(errc::invalid, "a container id has 64 hexadecimal digits", "/container_id");
  }
  if (auto ok = check_reason(entry.reason); !ok) return ok.error();
  if (state.entries.size() >= max_allow_entries) {
    return reject(errc::conflict, "the allowlist is full: 5,000 entries");
  }
  for (const auto& e : state.entries) {
    if (e.is_active && e.what.name == entry.name) {
      return reject(errc::conflict, "an active entry has this name", "/name");
    }
  }
  return std::vector<container_list_event>{std::move(entry)};
}

outcome<std::vector<image_list_event>> decide_deny(const image_list_state& state, const uuid& id) {
  return deny<image_denied, image_list_event>(state, id);
}

outcome<std::vector<container_list_event>> decide_deny(const container_list_state& state,
                                                       const uuid& id) {
  return deny<container_denied, container_list_event>(state, id);
}

const image_allowed* allowing_entry(const image_list_state& state, const image_reference& image) {
  const std::string wanted = to_string(image);
  const image_allowed* by_pattern = nullptr;
  for (const auto& e : state.entries) {
    if (!e.is_active) continue;
    if (e.what.reference == wanted) return &e.what;
    const bool pattern = e.what.reference.find('*') != std::string::npos;
    if (by_pattern == nullptr && pattern && image_matches(e.what.reference, image)) {
      by_pattern = &e.what;
    }
  }
  return by_pattern;
}

const container_allowed* allowing_entry(const container_list_state& state,
                                        std::string_view name_or_id) {
  const bool may_be_id = name_or_id.size() >= 12 && is_hex(name_or_id);
  for (const auto& e : state.entries) {
    if (!e.is_active) continue;
    if (e.what.name == name_or_id) return &e.what;
    if (may_be_id && e.what.container_id && e.what.container_id->starts_with(name_or_id)) {
      return &e.what;
    }
  }
  return nullptr;
}

}  // namespace reeve::domain
