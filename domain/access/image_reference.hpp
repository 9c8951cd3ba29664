#pragma once
// Image references in the form that container engines use: [domain/]path[:tag][@digest], with the
// defaults docker.io, library/ and latest filled in (the "familiar name" rules of the
// distribution project's reference grammar).

#include "base/outcome.hpp"

#include <string>
#include <string_view>

namespace reeve::domain {

struct image_reference {
  std::string registry;  // "docker.io", "localhost:1"; case is kept
  std::string path;      // "library/busybox"
  std::string tag;       // "latest" if neither tag nor digest was given; may be empty with a digest
  std::string digest;    // "sha256:…" or empty
  bool operator==(const image_reference&) const = default;
};

/// invalid: what the grammar refuses, upper case in the path, a bare 64-digit hex id, a tag of more
/// than 128 or a path (library/ counts) of more than 255 bytes, a digest that is not sha256 with 64
/// hex digits.
outcome<image_reference> parse_image_reference(std::string_view text);

/// "docker.io/library/busybox:latest"
std::string to_string(const image_reference& ref);

/// Patterns of an allowlist: a reference whose path or tag ends in `*`, or whose tag is `*`
/// ("localhost:1/team/*", "docker.io/library/busybox:1.*"). Nothing else may hold an asterisk.
outcome<done> check_image_pattern(std::string_view text);
/// Whether a normalised reference fits a pattern of `check_image_pattern`. A pattern of tags never
/// fits a reference with a digest.
bool image_matches(std::string_view pattern, const image_reference& ref);

}  // namespace reeve::domain
