#include "api/router.hpp"

#include "api/uri.hpp"

#include <algorithm>
#include <array>
#include <map>

namespace reeve::api {
namespace {

constexpr std::array<std::string_view, 7> method_names = {"GET",   "HEAD",   "POST",   "PUT",
                                                          "PATCH", "DELETE", "OPTIONS"};

std::vector<std::string_view> segments_of(std::string_view pattern) {
  std::vector<std::string_view> segments;
  pattern.remove_prefix(1);
  while (!pattern.empty()) {
    const std::size_t slash = std::min(pattern.find('/'), pattern.size());
    segments.push_back(pattern.substr(0, slash));
    pattern.remove_prefix(std::min(slash + 1, pattern.size()));
  }
  return segments;
}

bool is_param(std::string_view segment) {
  return segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
}

std::string_view param_name(std::string_view segment) {
  return segment.substr(1, segment.size() - 2);
}

bool sound_pattern(std::string_view pattern) {
  if (pattern.empty() || pattern.front() != '/') return false;
  if (pattern.size() > 1 && pattern.back() == '/') return false;
  const auto segments = segments_of(pattern);
  if (segments.size() > max_path_segments) return false;
  std::vector<std::string_view> names;
  for (const std::string_view segment : segments) {
    const std::string_view bare = is_param(segment) ? param_name(segment) : segment;
    if (bare.empty() || bare.find_first_of("{}") != bare.npos) return false;
    if (!is_param(segment)) continue;
    if (std::find(names.begin(), names.end(), bare) != names.end()) return false;
    names.push_back(bare);
  }
  return true;
}

}  // namespace

std::string_view name_of(api::method method) {
  return method_names[static_cast<std::size_t>(method)];
}

std::optional<api::method> parse_method(std::string_view name) {
  const auto* at = std::find(method_names.begin(), method_names.end(), name);
  if (at == method_names.end()) return std::nullopt;
  return static_cast<api::method>(at - method_names.begin());
}

struct router::node {
  std::map<std::string_view, std::unique_ptr<node>> literals;  // keys live in the patterns
  std::unique_ptr<node> param;
  std::array<std::optional<std::size_t>, method_names.size()> by_method;
  bool serves = false;
  access lowest = access::server;
  std::string allow;
  /// Per method, the names of the parameters on the way here.
  std::array<std::vector<std::string_view>, method_names.size()> names;
};

router::router() : root_(std::make_unique<node>()) {}
router::~router() = default;
router::router(router&&) noexcept = default;
router& router::operator=(router&&) noexcept = default;

outcome<router> router::make(std::vector<route> routes) {
  router made;
  made.routes_ = std::move(routes);
  for (std::size_t i = 0; i < made.routes_.size(); ++i) {
    if (auto refused = made.add(i)) return *refused;
  }
  made.finish(*made.root_);
  return made;
}

std::optional<rejection> router::add(std::size_t index) {
  const route& one = routes_[index];
  const std::string name = std::string(name_of(one.method)) + " " + one.pattern;
  if (!sound_pattern(one.pattern)) return reject(errc::invalid, "malformed pattern: " + name);
  if (!one.handle) return reject(errc::invalid, "no handler: " + name);
  node* at = root_.get();
  std::vector<std::string_view> names;
  for (const std::string_view segment : segments_of(one.pattern)) {
    const bool param = is_param(segment);
    auto& next = param ? at->param : at->literals[segment];
    if (!next) next = std::make_unique<node>();
    if (param) names.push_back(param_name(segment));
    at = next.get();
  }
  const auto slot = static_cast<std::size_t>(one.method);
  if (at->by_method[slot]) return reject(errc::invalid, "the route stands twice: " + name);
  at->by_method[slot] = index;
  at->names[slot] = std::move(names);
  return std::nullopt;
}

void router::finish(node& at) const {
  constexpr auto get = static_cast<std::size_t>(method::get);
  constexpr auto head = static_cast<std::size_t>(method::head);
  constexpr auto options = static_cast<std::size_t>(method::options);
  if (at.by_method[get] && !at.by_method[head]) {
    at.by_method[head] = at.by_method[get];
    at.names[head] = at.names[get];
  }
  for (std::size_t i = 0; i < method_names.size(); ++i) {
    if (!at.by_method[i]) continue;
    at.serves = true;
    at.lowest = std::min(at.lowest, routes_[*at.by_method[i]].needs);
    if (i != options) at.allow.append(method_names[i]).append(", ");
  }
  if (at.serves) at.allow.append("OPTIONS");
  for (auto& [segment, next] : at.literals) finish(*next);
  if (at.param) finish(*at.param);
}

const router::node* router::descend(const node& from, std::string_view rest,
                                    std::vector<std::string_view>& values) {
  if (rest.empty()) return from.serves ? &from : nullptr;
  const std::size_t slash = std::min(rest.find('/'), rest.size());
  const std::string_view segment = rest.substr(0, slash);
  if (segment.empty()) return nullptr;
  const std::string_view after = rest.substr(std::min(slash + 1, rest.size()));
  const auto literal = from.literals.find(segment);
  if (literal != from.literals.end()) {
    if (const node* found = descend(*literal->second, after, values)) return found;
  }
  if (!from.param) return nullptr;
  values.push_back(segment);
  if (const node* found = descend(*from.param, after, values)) return found;
  values.pop_back();
  return nullptr;
}

router::match router::find(std::optional<api::method> method, std::string_view path) const {
  match found;
  if (path.empty() || path.front() != '/') return found;
  if (path.size() > 1 && path.back() == '/') return found;
  std::vector<std::string_view> values;
  const node* at = descend(*root_, path.substr(1), values);
  if (!at) return found;
  found.path_known = true;
  found.lowest = at->lowest;
  found.allow = at->allow;
  if (!method) return found;
  const auto slot = static_cast<std::size_t>(*method);
  if (!at->by_method[slot]) return found;
  found.index = at->by_method[slot];
  for (std::size_t i = 0; i < values.size(); ++i) {
    found.params.emplace_back(at->names[slot][i], values[i]);
  }
  return found;
}

std::string_view request::param(std::string_view name) const {
  for (const auto& [key, value] : params) {
    if (key == name) return value;
  }
  return {};
}

std::optional<std::string_view> request::query_value(std::string_view name) const {
  for (const auto& [key, value] : query) {
    if (key == name) return value;
  }
  return std::nullopt;
}

}  // namespace reeve::api
