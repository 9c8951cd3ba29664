#pragma once
// What work that Reeve does itself has made, before it is stored.

#include <string>

namespace reeve::tasks {

struct produced_artifact {
  std::string name;
  std::string media_type;
  std::string bytes;
};

}  // namespace reeve::tasks
