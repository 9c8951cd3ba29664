#pragma once
// Allowlists: which images may be started and which existing containers a task may touch. One
// stream per tenant and kind, so that a launch or a start can guard "the allowlist has not moved".
// Denied by default; an inactive entry denies from the next operation on.

#include "base/outcome.hpp"
#include "base/persistent_map.hpp"
#include "domain/access/image_reference.hpp"
#include "domain/aggregate.hpp"

#include <optional>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

namespace reeve::domain {

struct image_allowed {
  static constexpr std::string_view type = "image_allowed";
  uuid id;
  std::string reference;              // normalised, or a pattern with *
  std::optional<std::string> digest;  // image id of the engine when it was listed, "sha256:…"
  bool allow_host_network = false;
  std::string reason;
  /// Whether its containers may run as user or group 0; not told if not.
  std::optional<bool> allow_root = {};
  /// Whether its containers may call language models through Reeve; not told if not.
  std::optional<bool> llm = {};
  bool operator==(const image_allowed&) const = default;
  static constexpr auto fields() {
    return std::tuple{field("id", &image_allowed::id),
                      field("reference", &image_allowed::reference),
                      field("digest", &image_allowed::digest),
                      field("allow_host_network", &image_allowed::allow_host_network),
                      field("reason", &image_allowed::reason),
                      field("allow_root", &image_allowed::allow_root),
                      field("llm", &image_allowed::llm)};
  }
};

struct image_denied {
  static constexpr std::string_view type = "image_denied";
  uuid id;
  bool operator==(const image_denied&) const = default;
  static constexpr auto fields() { return std::tuple{field("id", &image_denied::id)}; }
};

/// The entry stands for another image of the same reference from now on: the engine was exchanged,
/// or the image built anew.
struct image_resolved {
  static constexpr std::string_view type = "image_resolved";
  uuid id;
  std::string digest;  // image id of the engine, "sha256:…"
  bool operator==(const image_resolved&) const = default;
  static constexpr auto fields() {
    return std::tuple{field("id", &image_resolved::id), field("digest", &image_resolved::digest)};
  }
};

struct container_allowed {
  static constexpr std::string_view type = "container_allowed";
  uuid id;
  std::string name;  // name in the engine, without the slash
  /// The engine's id when it was listed: the entry is for this container alone, and for none that
  /// is made under its name later. Without it the entry is for whatever has the name.
  std::optional<std::string> container_id;
  std::string reason;
  bool operator==(const container_allowed&) const = default;
  static constexpr auto fields() {
    return std::tuple{field("id", &container_allowed::id), field("name", &container_allowed::name),
                      field("container_id", &container_allowed::container_id),
                      field("reason", &container_allowed::reason)};
  }
};

struct container_denied {
  static constexpr std::string_view type = "container_denied";
  uuid id;
  bool operator==(const container_denied&) const = default;
  static constexpr auto fields() { return std::tuple{field("id", &container_denied::id)}; }
};

using image_list_event = std::variant<image_allowed, image_denied, image_resolved>;
using container_list_event = std::variant<container_allowed, container_denied>;

/// Makes an entry; an active one with the same reference is conflict. The reference is as the
/// client wrote it and is normalised by the decision. A digest is only what a real engine said.
struct allow_image {
  image_allowed entry;
};
/// Deactivating twice gives no event.
struct deny_image {
  uuid id;
};
/// Pins an active entry to the image that its reference means now; `digest` as in the event, none
/// if no real engine has it, which is conflict: nobody is let in by accident. The same digest gives
/// no event. A pattern pins nothing: conflict.
struct resolve_image {
  uuid id;
  std::optional<std::string> digest;
};
/// The name of another tenant's job container is invalid, whether there is such a container or not.
struct allow_container {
  container_allowed entry;
  uuid tenant = {};      // whose list it is
  bool by_name = false;  // without an id: whichever container has the name
};
struct deny_container {
  uuid id;
};

/// Common to the entries of both lists.
template <class Allowed>
struct allow_entry {
  Allowed what;
  bool is_active = true;
  std::string created_by;
  position created_position = 0;
  position last_position = 0;
  time_us created_at = 0;
  std::optional<time_us> deactivated_at;
  bool operator==(const allow_entry&) const = default;
};

template <class Allowed>
struct allow_list {
  uuid tenant;
  domain::version stream_version = 0;
  persistent_map<uuid, allow_entry<Allowed>> entries;  // every one that ever was
  uuid newest;                                         // the entry that was made last
  /// Of the active ones: reference or name, to the entry.
  persistent_map<std::string, uuid> active;
  /// And what else they are found by: patterns of references; "<container id> <name>".
  persistent_map<std::string, uuid> found_by;
  bool operator==(const allow_list&) const = default;

  const allow_entry<Allowed>* find(const uuid& id) const { return entries.find(id); }
};

using image_list_state = allow_list<image_allowed>;
using container_list_state = allow_list<container_allowed>;

template <>
struct aggregate_of<image_list_state> {
  using event = image_list_event;
  using command = std::variant<allow_image, deny_image, resolve_image>;
  static constexpr std::string_view prefix = "image_allowlist";
};
template <>
struct aggregate_of<container_list_state> {
  using event = container_list_event;
  using command = std::variant<allow_container, deny_container>;
  static constexpr std::string_view prefix = "container_allowlist";
};

void evolve(image_list_state& state, const image_list_event& event, const evolve_context& context);
void evolve(container_list_state& state, const container_list_event& event,
            const evolve_context& context);

/// Words of a person that an event keeps, at `/reason`.
outcome<done> check_reason(const std::string& reason);

/// Active entries of one list.
inline constexpr std::size_t max_allow_entries = 5000;

outcome<std::vector<image_list_event>> decide(const image_list_state& state,
                                              const allow_image& command);
outcome<std::vector<image_list_event>> decide(const image_list_state& state,
                                              const deny_image& command);
outcome<std::vector<image_list_event>> decide(const image_list_state& state,
                                              const resolve_image& command);
outcome<std::vector<container_list_event>> decide(const container_list_state& state,
                                                  const allow_container& command);
outcome<std::vector<container_list_event>> decide(const container_list_state& state,
                                                  const deny_container& command);

/// The active entry that lets this image be started, an exact one before a pattern, of patterns the
/// one that was listed first; null = denied.
const image_allowed* allowing_entry(const image_list_state& state, const image_reference& image);
/// The active entry for a container by name, else by id (64 hex digits, or 12 at least). None lets
/// a tenant touch the container of another one's job, by the name of such containers; whoever
/// touches one looks at its labels as well, since names move (adapters/container_owner_port.hpp).
const container_allowed* allowing_entry(const container_list_state& state,
                                        std::string_view name_or_id);

struct image_document {
  uuid id;
  std::string reference;
  std::optional<std::string> digest;
  bool allow_host_network = false;
  bool allow_root = false;
  bool llm = false;
  bool is_active = true;
  std::string reason;
  std::string created_by;
  timestamp created_at;
  static constexpr auto fields() {
    return std::tuple{field("id", &image_document::id),
                      field("reference", &image_document::reference),
                      field("digest", &image_document::digest),
                      field("allow_host_network", &image_document::allow_host_network),
                      field("allow_root", &image_document::allow_root),
                      field("llm", &image_document::llm),
                      field("is_active", &image_document::is_active),
                      field("reason", &image_document::reason),
                      field("created_by", &image_document::created_by),
                      field("created_at", &image_document::created_at)};
  }
};

struct container_document {
  uuid id;
  std::optional<std::string> container_id;
  std::string name;
  bool is_active = true;
  std::string reason;
  std::string created_by;
  timestamp created_at;
  static constexpr auto fields() {
    return std::tuple{field("id", &container_document::id),
                      field("container_id", &container_document::container_id),
                      field("name", &container_document::name),
                      field("is_active", &container_document::is_active),
                      field("reason", &container_document::reason),
                      field("created_by", &container_document::created_by),
                      field("created_at", &container_document::created_at)};
  }
};

image_document document_of(const allow_entry<image_allowed>& entry);
container_document document_of(const allow_entry<container_allowed>& entry);

}  // namespace reeve::domain
