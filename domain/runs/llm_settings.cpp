#include "domain/runs/llm_settings.hpp"

#include "domain/name.hpp"
#include "domain/runs/llm.hpp"

#include <algorithm>
#include <charconv>
#include <set>

namespace reeve::domain {
namespace {

constexpr std::size_t most_prices = 1000;
constexpr std::size_t most_upstreams = 16;
constexpr std::size_t most_models = 64;
constexpr std::int64_t most_calls = 1024;

bool is_price(std::int64_t micros) {
  return micros >= 0 && micros <= most_micros_per_million;
}

rejection no_model(const std::string& pointer) {
  return reject(errc::invalid, "a model's name has 1..128 letters, digits and ._:/@+-", pointer);
}

outcome<done> check_models(const std::vector<std::string>& models, const std::string& at) {
  if (models.empty() || models.size() > most_models) {
    return reject(errc::invalid, "an upstream has 1..64 models", at);
  }
  for (const auto& model : models) {
    if (!is_model_name(model)) return no_model(at);
  }
  if (std::set<std::string>(models.begin(), models.end()).size() != models.size()) {
    return reject(errc::invalid, "a model stands in it twice", at);
  }
  return done{};
}

outcome<done> check(const llm_upstream& one, const std::string& at) {
  if (!is_name(one.name)) {
    return reject(errc::invalid, "a name has 1..64 letters, digits and ._-", at + "/name");
  }
  if (!parse_url(one.url)) {
    return reject(errc::invalid, "an http or https URL without user, query and fragment is needed",
                  at + "/url");
  }
  if (auto ok = check_models(one.models, at + "/models"); !ok) return ok;
  if (one.key_file && (!one.key_file->starts_with('/') || one.key_file->size() > 4096)) {
    return reject(errc::invalid, "an absolute path is needed", at + "/key_file");
  }
  if (one.max_calls < 1 || one.max_calls > most_calls) {
    return reject(errc::invalid, "must be 1..1024", at + "/max_calls");
  }
  return done{};
}

bool is_host(std::string_view host) {
  if (host.empty() || host.size() > 253 || host.front() == '-' || host.front() == '.') return false;
  return std::all_of(host.begin(), host.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_';
  });
}

bool is_address(std::string_view host) {
  return host.size() >= 2 && host.size() <= 45 && host.find(':') != host.npos &&
         host.find_first_not_of("0123456789abcdefABCDEF:.") == host.npos;
}

bool is_path(std::string_view path) {
  return path.size() <= 256 && path.find("//") == path.npos && path.find("..") == path.npos &&
         std::all_of(path.begin(), path.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  std::string_view("/-._~").find(c) != std::string_view::npos;
         });
}

/// "host", "host:1", "[::1]" or "[::1]:1".
bool read_authority(std::string_view text, upstream_url& url) {
  std::string_view port;
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == text.npos || !is_address(text.substr(1, end - 1))) return false;
    url.host = std::string(text.substr(1, end - 1));
    text.remove_prefix(end + 1);
    if (!text.empty() && !text.starts_with(':')) return false;
    if (text.empty()) return true;
    port = text.substr(1);
  } else {
    const auto colon = text.find(':');
    url.host = std::string(text.substr(0, colon));
    if (!is_host(url.host)) return false;
    if (colon == text.npos) return true;
    port = text.substr(colon + 1);
  }
  const auto* end = port.data() + port.size();
  const auto [stop, error] = std::from_chars(port.data(), end, url.port);
  return error == std::errc{} && stop == end && url.port != 0;
}

}  // namespace

std::optional<upstream_url> parse_url(std::string_view text) {
  upstream_url url;
  url.is_tls = text.starts_with("https://");
  if (!url.is_tls && !text.starts_with("http://")) return std::nullopt;
  text.remove_prefix(url.is_tls ? 8 : 7);
  url.port = url.is_tls ? 443 : 80;
  const auto slash = std::min(text.find('/'), text.size());
  url.path = std::string(text.substr(slash));
  if (url.path.ends_with('/')) url.path.pop_back();
  if (!read_authority(text.substr(0, slash), url) || !is_path(url.path)) return std::nullopt;
  return url;
}

std::optional<llm_price> llm_settings::price_of(std::string_view model) const {
  const auto found = prices.find(std::string(model));
  return found == prices.end() ? std::nullopt : std::optional(found->second);
}

outcome<done> check(const llm_settings& settings) {
  if (settings.prices.size() > most_prices) {
    return reject(errc::invalid, "at most 1,000 models have a price", "/prices");
  }
  for (const auto& [model, price] : settings.prices) {
    if (!is_model_name(model)) return no_model("/prices");
    if (!is_price(price.prompt_micros_per_million) ||
        !is_price(price.completion_micros_per_million)) {
      return reject(errc::invalid, "a price is 0..1000000000 millionths for a million tokens",
                    "/prices/" + model);
    }
  }
  if (settings.upstreams.size() > most_upstreams) {
    return reject(errc::invalid, "there are at most 16 upstreams", "/upstreams");
  }
  std::set<std::string> names;
  for (std::size_t i = 0; i < settings.upstreams.size(); ++i) {
    const auto at = "/upstreams/" + std::to_string(i);
    if (auto ok = check(settings.upstreams[i], at); !ok) return ok;
    if (!names.insert(settings.upstreams[i].name).second) {
      return reject(errc::invalid, "another upstream has this name", at + "/name");
    }
  }
  return done{};
}

}  // namespace reeve::domain
