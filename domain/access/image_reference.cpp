#include "domain/access/image_reference.hpp"

#include <algorithm>
#include <cctype>

namespace reeve::domain {
namespace {

constexpr std::size_t most_name_bytes = 255;
constexpr std::size_t most_tag_bytes = 128;

bool lower_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}
bool alnum(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0;
}

rejection bad(std::string detail) {
  return reject(errc::invalid, std::move(detail));
}

/// Runs of [a-z0-9]+ joined by one dot, one or two underscores, or any number of dashes.
bool is_path_component(std::string_view text) {
  if (text.empty() || !lower_or_digit(text.front()) || !lower_or_digit(text.back())) return false;
  for (std::size_t i = 0; i < text.size();) {
    if (lower_or_digit(text[i])) {
      ++i;
      continue;
    }
    const std::size_t begin = i;
    while (i < text.size() && text[i] == text[begin]) ++i;
    const std::size_t run = i - begin;
    const bool good =
        (text[begin] == '.' && run == 1) || (text[begin] == '_' && run <= 2) || text[begin] == '-';
    if (!good || i >= text.size() || !lower_or_digit(text[i])) return false;
  }
  return true;
}

bool is_port(std::string_view text) {
  return !text.empty() && text.size() <= 5 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool is_bracketed_v6(std::string_view host) {
  if (host.size() < 4 || host.front() != '[' || host.back() != ']') return false;
  const auto inside = host.substr(1, host.size() - 2);
  return std::all_of(inside.begin(), inside.end(), [](char c) {
    return std::isxdigit(static_cast<unsigned char>(c)) != 0 || c == ':';
  });
}

bool is_dns_name(std::string_view host) {
  bool begin = true;
  for (std::size_t i = 0; i < host.size(); ++i) {
    const char c = host[i];
    const bool last = i + 1 == host.size() || host[i + 1] == '.';
    if (c == '.') {
      if (begin) return false;
      begin = true;
      continue;
    }
    if (!alnum(c) && (c != '-' || begin || last)) return false;
    begin = false;
  }
  return !begin;
}

bool is_registry(std::string_view text) {
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == std::string_view::npos || !is_bracketed_v6(text.substr(0, end + 1))) return false;
    const auto rest = text.substr(end + 1);
    return rest.empty() || (rest.front() == ':' && is_port(rest.substr(1)));
  }
  const auto colon = text.find(':');
  if (colon != std::string_view::npos && !is_port(text.substr(colon + 1))) return false;
  return is_dns_name(text.substr(0, colon));
}

/// Whether the part before the first slash names a registry and not a folder of docker.io.
bool names_registry(std::string_view part) {
  if (part == "localhost" || part.find_first_of(".:[") != std::string_view::npos) return true;
  return std::any_of(part.begin(), part.end(),
                     [](char c) { return std::isupper(static_cast<unsigned char>(c)) != 0; });
}

bool is_tag(std::string_view text) {
  if (text.empty() || text.size() > most_tag_bytes) return false;
  if (!alnum(text.front()) && text.front() != '_') return false;
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return alnum(c) || c == '_' || c == '.' || c == '-'; });
}

bool is_lower_hex_64(std::string_view text) {
  return text.size() == 64 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

bool is_digest(std::string_view text) {
  constexpr std::string_view algorithm = "sha256:";
  return text.starts_with(algorithm) && is_lower_hex_64(text.substr(algorithm.size()));
}

/// Registry and path, with the defaults filled in.
outcome<image_reference> parse_name(std::string_view name) {
  image_reference ref;
  const auto slash = name.find('/');
  std::string_view path = name;
  if (slash != std::string_view::npos && names_registry(name.substr(0, slash))) {
    ref.registry = std::string(name.substr(0, slash));
    path = name.substr(slash + 1);
    if (!is_registry(ref.registry)) return bad("the registry of an image is a host and a port");
  }
  if (ref.registry.empty() || ref.registry == "index.docker.io") ref.registry = "docker.io";
  for (std::size_t begin = 0; begin <= path.size();) {
    const auto end = std::min(path.find('/', begin), path.size());
    if (!is_path_component(path.substr(begin, end - begin))) {
      return bad("an image name has lower case letters, digits and single . _ __ - in between");
    }
    begin = end + 1;
  }
  if (slash == std::string_view::npos && is_lower_hex_64(path)) {
    return bad("an image is given by its name, not by its id");
  }
  ref.path = std::string(path);
  if (ref.registry == "docker.io" && path.find('/') == std::string_view::npos) {
    ref.path = "library/" + ref.path;
  }
  if (ref.path.size() > most_name_bytes) return bad("an image name has at most 255 bytes");
  return ref;
}

}  // namespace

outcome<image_reference> parse_image_reference(std::string_view text) {
  std::string_view name = text;
  std::string_view digest;
  std::string_view tag;
  if (const auto sign = name.find('@'); sign != std::string_view::npos) {
    digest = name.substr(sign + 1);
    name = name.substr(0, sign);
    if (!is_digest(digest)) return bad("a digest is sha256: and 64 lower case hex digits");
  }
  const auto colon = name.rfind(':');
  const auto slash = name.rfind('/');
  if (colon != std::string_view::npos && (slash == std::string_view::npos || colon > slash)) {
    tag = name.substr(colon + 1);
    name = name.substr(0, colon);
    if (!is_tag(tag)) return bad("a tag has 1..128 letters, digits and _.-");
  }
  auto ref = parse_name(name);
  if (!ref) return ref;
  ref->tag = std::string(tag);
  ref->digest = std::string(digest);
  if (tag.empty() && digest.empty()) ref->tag = "latest";
  return ref;
}

std::string to_string(const image_reference& ref) {
  std::string text = ref.registry + "/" + ref.path;
  if (!ref.tag.empty()) text += ":" + ref.tag;
  if (!ref.digest.empty()) text += "@" + ref.digest;
  return text;
}

outcome<done> check_image_pattern(std::string_view text) {
  if (text.size() > most_name_bytes + most_tag_bytes) return bad("the pattern is too long");
  if (!text.ends_with('*') || text.find('*') != text.size() - 1) {
    return bad("a pattern has one asterisk, at its end");
  }
  const auto stem = text.substr(0, text.size() - 1);
  const auto slash = stem.find('/');
  if (slash == std::string_view::npos || !names_registry(stem.substr(0, slash)) ||
      !is_registry(stem.substr(0, slash))) {
    return bad("a pattern begins with a registry and a slash, such as docker.io/library/");
  }
  const bool good = std::all_of(stem.begin(), stem.end(), [](char c) {
    return alnum(c) || std::string_view("._-/:[]").find(c) != std::string_view::npos;
  });
  return good ? outcome<done>(done{}) : bad("the pattern has a character that no reference has");
}

bool image_matches(std::string_view pattern, const image_reference& ref) {
  if (!pattern.ends_with('*')) return pattern == to_string(ref);
  // An engine takes the digest and looks at no tag beside it, so a tag says nothing then.
  const bool names_tag =
      pattern.rfind(':') != std::string_view::npos && pattern.rfind(':') > pattern.rfind('/');
  if (names_tag && !ref.digest.empty()) return false;
  return to_string(ref).starts_with(pattern.substr(0, pattern.size() - 1));
}

}  // namespace reeve::domain
