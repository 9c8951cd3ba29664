#include "adapters/docker/docker_details.hpp"

#include "adapters/docker/docker_answers.hpp"

#include <charconv>
#include <initializer_list>

namespace reeve::adapters {
namespace {

using codec::json_node;

/// What stands below these names; nothing if one is missing, or no object holds it.
std::optional<json_node> at(json_node from, std::initializer_list<std::string_view> names) {
  for (const auto name : names) {
    if (!from.is_object()) return std::nullopt;
    const auto next = from.find(name);
    if (!next) return std::nullopt;
    from = *next;
  }
  return from;
}

std::string text(const json_node& from, std::initializer_list<std::string_view> names) {
  const auto found = at(from, names);
  return found && found->is_string() ? std::string(found->as_string()) : std::string();
}

bool is_true(const json_node& from, std::string_view name) {
  const auto found = at(from, {name});
  return found && found->is_boolean() && found->as_bool();
}

/// A port's number; 0 for anything else.
std::int64_t port_number(std::string_view digits) {
  std::int64_t number = 0;
  const auto* end = digits.data() + digits.size();
  const auto read = std::from_chars(digits.data(), end, number);
  const bool whole = read.ec == std::errc() && read.ptr == end;
  return whole && number > 0 && number <= 65'535 ? number : 0;
}

label_map labels_in(const json_node& from, std::initializer_list<std::string_view> names) {
  label_map out;
  const auto found = at(from, names);
  if (!found || !found->is_object()) return out;
  for (std::size_t i = 0; i < found->member_count(); ++i) {
    const auto value = found->member_value(i);
    if (value.is_string()) out.emplace(found->member_key(i), value.as_string());
  }
  return out;
}

std::vector<joined_network> networks_in(const json_node& root) {
  std::vector<joined_network> out;
  const auto found = at(root, {"NetworkSettings", "Networks"});
  if (!found || !found->is_object()) return out;
  for (std::size_t i = 0; i < found->member_count(); ++i) {
    const auto one = found->member_value(i);
    out.push_back({std::string(found->member_key(i)), text(one, {"NetworkID"}),
                   text(one, {"IPAddress"}), text(one, {"GlobalIPv6Address"})});
  }
  return out;
}

/// {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}], "443/tcp": null}.
std::vector<published_port> ports_in(const json_node& root) {
  std::vector<published_port> out;
  const auto found = at(root, {"NetworkSettings", "Ports"});
  if (!found || !found->is_object()) return out;
  for (std::size_t i = 0; i < found->member_count(); ++i) {
    const auto key = found->member_key(i);
    const auto slash = key.find('/');
    published_port one;
    one.container_port = port_number(key.substr(0, slash));
    one.protocol = slash == key.npos ? "tcp" : std::string(key.substr(slash + 1));
    if (one.container_port == 0) continue;
    const auto bound = found->member_value(i);
    if (!bound.is_array() || bound.size() == 0) out.push_back(one);
    for (std::size_t b = 0; bound.is_array() && b < bound.size(); ++b) {
      one.host_address = text(bound.at(b), {"HostIp"});
      one.host_port = port_number(text(bound.at(b), {"HostPort"}));
      out.push_back(one);
    }
  }
  return out;
}

std::vector<mounted_volume> volumes_in(const json_node& root) {
  std::vector<mounted_volume> out;
  const auto found = at(root, {"Mounts"});
  for (std::size_t i = 0; found && found->is_array() && i < found->size(); ++i) {
    const auto one = found->at(i);
    if (text(one, {"Type"}) != "volume") continue;
    const auto writable = at(one, {"RW"});
    const bool read_only = writable && writable->is_boolean() && !writable->as_bool();
    out.push_back({text(one, {"Name"}), text(one, {"Destination"}), read_only});
  }
  return out;
}

}  // namespace

outcome<container_details> parse_details(std::string_view body) {
  const auto doc = parse_answer(body);
  if (!doc) return doc.error();
  const auto root = doc->root();
  container_details out;
  out.id = text(root, {"Id"});
  out.name = text(root, {"Name"});
  if (out.name.starts_with('/')) out.name.erase(0, 1);
  out.image = text(root, {"Config", "Image"});
  out.image_id = text(root, {"Image"});
  out.status = text(root, {"State", "Status"});
  const auto pid = at(root, {"State", "Pid"});
  if (pid && pid->is_integer()) out.pid = pid->as_int();
  out.network_mode = text(root, {"HostConfig", "NetworkMode"});
  out.labels = labels_in(root, {"Config", "Labels"});
  out.networks = networks_in(root);
  out.ports = ports_in(root);
  out.volumes = volumes_in(root);
  if (out.id.empty() || out.status.empty()) return unexpected("/Id or /State/Status");
  return out;
}

outcome<std::vector<network_summary>> parse_networks(std::string_view body) {
  const auto doc = parse_answer(body);
  if (!doc) return doc.error();
  const auto root = doc->root();
  if (!root.is_array()) return unexpected("not a list");
  std::vector<network_summary> out;
  for (std::size_t i = 0; i < root.size(); ++i) {
    network_summary one{text(root.at(i), {"Id"}), text(root.at(i), {"Name"}),
                        text(root.at(i), {"Driver"}),
                        root.at(i).is_object() && is_true(root.at(i), "Internal")};
    if (one.id.empty() || one.name.empty()) return unexpected("/" + std::to_string(i));
    out.push_back(std::move(one));
  }
  return out;
}

}  // namespace reeve::adapters
