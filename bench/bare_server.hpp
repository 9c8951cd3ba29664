#pragma once
// A Beast server as its documentation would have it, with nothing of ours: callbacks, one thread,
// answers from memory. The baseline of the gateway.

#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace reeve::bench {

struct bare_answer {
  std::vector<std::pair<std::string, std::string>> fields;  // without Content-Length
  std::string body;
};

/// Answers by target; ends never. `listening` is told the port.
void serve_bare(std::unordered_map<std::string, bare_answer> answers,
                const std::function<void(std::uint16_t)>& listening);

}  // namespace reeve::bench
