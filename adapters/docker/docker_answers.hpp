#pragma once
// What the Docker Engine API answers, read into plain structs. An answer that is not what the API
// promises is `engine_unreadable`: nothing is known then about what the engine did. No text of the
// engine leaves here, because it quotes commands and paths: errors carry a reason of a closed list.

#include "adapters/engine_port.hpp"
#include "codec/json.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace reeve::adapters {

struct api_range {
  std::string engine;  ///< the engine's own version
  std::string newest;  ///< e.g. "1.41"
  std::string oldest;
};

/// An object or a list, as strict as all JSON is read here; else `engine_unreadable`.
outcome<codec::json_doc> parse_answer(std::string_view body);
/// That `where` is not as the engine's API has it.
rejection unexpected(std::string_view where);

/// Of GET /version.
outcome<api_range> parse_version(std::string_view body);
/// The API version to speak: 1.41, or what is nearest to it among those that the engine has.
/// Engines before 1.40 (Docker 19.03) are refused with `engine_unavailable`.
outcome<std::string> negotiate(const api_range& range);
struct engine_info {
  bool live_restore = false;
  std::string id;              ///< empty if it has none
  time_us now = 0;             ///< its clock; 0: not told, or not in UTC
  std::string data_root = {};  ///< where its data lies; empty: not told, or no absolute path
};
/// Of GET /info.
outcome<engine_info> parse_info(std::string_view body);
outcome<image_info> parse_image(std::string_view body);
outcome<container_info> parse_container(std::string_view body);
outcome<std::vector<container_summary>> parse_list(std::string_view body);
/// Of GET /volumes.
outcome<std::vector<volume_summary>> parse_volumes(std::string_view body);
outcome<created_container> parse_created(std::string_view body);
outcome<wait_result> parse_wait(std::string_view body);
/// Of the header field of HEAD /containers/{id}/archive.
outcome<path_kind> parse_path_stat(std::string_view field);
/// The stream that an import answers with 200 even when it fails: lines of JSON.
outcome<std::string> parse_import(std::string_view body);

/// What an answer with a status of 400 or more means, in the port's closed set of errors.
rejection refusal(int status, std::string_view body);

}  // namespace reeve::adapters
