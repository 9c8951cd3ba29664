#pragma once
// What every engine demands of its arguments before anything is sent, in one place: the real
// engine ignores unknown and accepts dangerous fields silently.

#include "adapters/engine_port.hpp"

#include <string_view>

namespace reeve::adapters {

/// `invalid` with the field ("/memory_bytes", "/mounts/0/source") of the first value that is out
/// of bounds. Bind sources are compared as text: the caller has resolved symbolic links.
outcome<done> check_container(const container_spec& spec);

/// 1..128 characters [a-zA-Z0-9_.-], beginning with a letter or digit: names, ids and volumes.
bool is_object_name(std::string_view text);
/// "sha256:" and 64 lower-case hexadecimal digits.
bool is_image_id(std::string_view text);
/// A reference as it may stand in a path of the API: 1..512 visible characters without '?', '#',
/// '%', backslash, empty or ".." parts.
bool is_image_reference(std::string_view text);
/// Whether a volume of an image's own at this path, as the image spells it, would take the place of
/// something on the attempt's volume: below "/reeve", or at "/". What comes there through a link of
/// the image, container_places.hpp finds.
bool hides_our_volume(std::string_view path);
/// Of absolute paths without empty, "." or ".." parts.
bool is_at_or_below(std::string_view path, std::string_view folder);
/// "/reeve" or below it, without empty, "." or ".." parts.
bool is_volume_path(std::string_view text);

}  // namespace reeve::adapters
