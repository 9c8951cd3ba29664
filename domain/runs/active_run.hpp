#pragma once

#include "base/ids.hpp"

namespace reeve::domain {

/// A run that is not over, and whose it is.
struct active_run {
  uuid tenant;
  uuid run;
};

}  // namespace reeve::domain
