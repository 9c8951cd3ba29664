#include "domain/access/allowlist.hpp"

#include "domain/access/container_names.hpp"

#include <algorithm>
#include <cctype>

namespace reeve::domain {
namespace {

const std::string& name_of(const image_allowed& what) {
  return what.reference;
}
const std::string& name_of(const container_allowed& what) {
  return what.name;
}

/// Empty: it is found by its name only.
std::string also_found_by(const image_allowed& what) {
  return what.reference.find('*') == std::string::npos ? "" : what.reference;
}
std::string also_found_by(const container_allowed& what) {
  return what.container_id ? *what.container_id + " " + what.name : "";
}

template <class List, class Allowed>
void add_entry(List& list, const Allowed& what, const evolve_context& context) {
  list.tenant = context.tenant;
  list.newest = what.id;
  allow_entry<Allowed> entry;
  entry.what = what;
  entry.created_by = std::string(context.principal);
  entry.created_position = entry.last_position = context.stamp.at;
  entry.created_at = context.stamp.recorded_at_us;
  list.active.set(name_of(what), what.id);
  if (auto text = also_found_by(what); !text.empty()) list.found_by.set(std::move(text), what.id);
  list.entries.set(what.id, std::move(entry));
}

template <class List>
void end_entry(List& list, const uuid& id, const evolve_context& context) {
  const auto* found = list.find(id);
  if (found == nullptr || !found->is_active) return;
  auto entry = *found;
  entry.is_active = false;
  entry.last_position = context.stamp.at;
  entry.deactivated_at = context.stamp.recorded_at_us;
  list.active.erase(name_of(entry.what));
  list.found_by.erase(also_found_by(entry.what));
  list.entries.set(id, std::move(entry));
}

void pin_entry(image_list_state& list, const image_resolved& event, const evolve_context& context) {
  const auto* found = list.find(event.id);
  if (found == nullptr) return;
  auto entry = *found;
  entry.what.digest = event.digest;
  entry.last_position = context.stamp.at;
  list.entries.set(event.id, std::move(entry));
}

template <class Denied, class Event, class List>
outcome<std::vector<Event>> deny(const List& list, const uuid& id) {
  const auto* entry = list.find(id);
  if (entry == nullptr) return reject(errc::not_found, "there is no such resource");
  if (!entry->is_active) return std::vector<Event>{};
  return std::vector<Event>{Denied{id}};
}

template <class List>
outcome<done> check_room(const List& list) {
  if (list.active.size() < max_allow_entries) return done{};
  return reject(errc::conflict, "the allowlist is full: 5,000 active entries");
}

/// Names as the engine has them: [a-zA-Z0-9][a-zA-Z0-9_.-]*.
bool is_container_name(std::string_view name) {
  if (name.empty() || name.size() > 255) return false;
  if (std::isalnum(static_cast<unsigned char>(name.front())) == 0) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.' || c == '-';
  });
}

/// By the tenant's digits in the name of a job's container.
bool is_of_other_tenant(std::string_view name, const uuid& tenant) {
  const auto whose = tenant_part_of(name);
  return !whose.empty() && whose != tenant_part_of(container_name_of(tenant, {}, 1));
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

outcome<done> check_reason(const std::string& reason) {
  if (reason.size() > 512 || reason.find('\0') != std::string::npos) {
    return reject(errc::invalid, "a reason has at most 512 bytes and no NUL", "/reason");
  }
  return done{};
}

void evolve(image_list_state& s, const image_list_event& event, const evolve_context& context) {
  s.stream_version = context.stamp.version_in_stream;
  std::visit(overloaded{[&](const image_allowed& e) { add_entry(s, e, context); },
                        [&](const image_denied& e) { end_entry(s, e.id, context); },
                        [&](const image_resolved& e) { pin_entry(s, e, context); }},
             event);
}

void evolve(container_list_state& s, const container_list_event& event,
            const evolve_context& context) {
  s.stream_version = context.stamp.version_in_stream;
  std::visit(overloaded{[&](const container_allowed& e) { add_entry(s, e, context); },
                        [&](const container_denied& e) { end_entry(s, e.id, context); }},
             event);
}

outcome<std::vector<image_list_event>> decide(const image_list_state& state,
                                              const allow_image& command) {
  auto entry = command.entry;
  auto reference = normalised(entry.reference);
  if (!reference) return reference.error();
  entry.reference = *reference;
  if (auto ok = check_reason(entry.reason); !ok) return ok.error();
  if (auto ok = check_room(state); !ok) return ok.error();
  if (state.active.find(entry.reference) != nullptr) {
    return reject(errc::conflict, "an active entry has this reference", "/reference");
  }
  return std::vector<image_list_event>{std::move(entry)};
}

outcome<std::vector<container_list_event>> decide(const container_list_state& state,
                                                  const allow_container& command) {
  const auto& entry = command.entry;
  if (!is_container_name(entry.name)) {
    return reject(errc::invalid, "a container's name has 1..255 of [a-zA-Z0-9_.-]", "/name");
  }
  if (is_of_other_tenant(entry.name, command.tenant)) {
    return reject(errc::invalid, "a container of another tenant's job cannot be listed", "/name");
  }
  if (entry.container_id && (entry.container_id->size() != 64 || !is_hex(*entry.container_id))) {
    return reject(errc::invalid, "a container id has 64 hexadecimal digits", "/container_id");
  }
  if (entry.container_id && command.by_name) {
    return reject(errc::invalid, "an entry by name has no container_id", "/by_name");
  }
  if (auto ok = check_reason(entry.reason); !ok) return ok.error();
  if (auto ok = check_room(state); !ok) return ok.error();
  if (state.active.find(entry.name) != nullptr) {
    return reject(errc::conflict, "an active entry has this name", "/name");
  }
  return std::vector<container_list_event>{entry};
}

outcome<std::vector<image_list_event>> decide(const image_list_state& state,
                                              const deny_image& command) {
  return deny<image_denied, image_list_event>(state, command.id);
}

outcome<std::vector<image_list_event>> decide(const image_list_state& state,
                                              const resolve_image& command) {
  const auto* entry = state.find(command.id);
  if (entry == nullptr) return reject(errc::not_found, "there is no such resource");
  if (!entry->is_active) return reject(errc::conflict, "the entry is not active any more");
  if (!also_found_by(entry->what).empty()) {
    return reject(errc::conflict, "a pattern stands for no single image");
  }
  if (!command.digest) {
    return reject(errc::conflict,
                  "no container engine here has the image " + entry->what.reference);
  }
  if (entry->what.digest == command.digest) return std::vector<image_list_event>{};
  return std::vector<image_list_event>{image_resolved{command.id, *command.digest}};
}

outcome<std::vector<container_list_event>> decide(const container_list_state& state,
                                                  const deny_container& command) {
  return deny<container_denied, container_list_event>(state, command.id);
}

const image_allowed* allowing_entry(const image_list_state& state, const image_reference& image) {
  if (const auto* id = state.active.find(to_string(image))) return &state.find(*id)->what;
  const allow_entry<image_allowed>* first = nullptr;
  for (const auto& [pattern, id] : state.found_by) {
    if (!image_matches(pattern, image)) continue;
    const auto* entry = state.find(id);
    if (first == nullptr || entry->created_position < first->created_position) first = entry;
  }
  return first == nullptr ? nullptr : &first->what;
}

const container_allowed* allowing_entry(const container_list_state& state,
                                        std::string_view name_or_id) {
  const auto own = [&state](const uuid& id) {
    const auto* entry = &state.find(id)->what;
    return is_of_other_tenant(entry->name, state.tenant) ? nullptr : entry;
  };
  if (const auto* id = state.active.find(name_or_id)) return own(*id);
  if (name_or_id.size() < 12 || !is_hex(name_or_id)) return nullptr;
  const auto it = state.found_by.lower_bound(name_or_id);
  if (it == state.found_by.end() || !it->first.starts_with(name_or_id)) return nullptr;
  return own(it->second);
}

image_document document_of(const allow_entry<image_allowed>& e) {
  return {e.what.id,
          e.what.reference,
          e.what.digest,
          e.what.allow_host_network,
          e.what.allow_root.value_or(false),
          e.what.llm.value_or(false),
          e.is_active,
          e.what.reason,
          e.created_by,
          {e.created_at}};
}

container_document document_of(const allow_entry<container_allowed>& e) {
  return {e.what.id,     e.what.container_id, e.what.name,   e.is_active,
          e.what.reason, e.created_by,        {e.created_at}};
}

}  // namespace reeve::domain
