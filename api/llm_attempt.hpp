#pragma once
// Whose calls of language models those of an attempt are, which shows a token of its own
// (base/attempt_token.hpp). The token is good while the attempt runs, as the log has it now, and
// only if its intent says that it may call; not once its run is cancelled or it is quarantined.

#include "api/route.hpp"
#include "base/slot.hpp"

#include <optional>

namespace reeve::api {

struct services;

struct calling_job {
  uuid run;
  uuid job;
  std::optional<uuid> directive;  // of the run, where it has one
};

/// The caller of an attempt. All jobs of a tenant are one holder of shares, rates and places: many
/// of them get no more of those than one.
caller caller_of(const attempt_name& whose);

/// `unauthenticated`: it does not run (any more), is to be stopped, or may not call. Other errors
/// pass.
void find_calling_job(services& s, const attempt_name& whose, reply_slot<calling_job> slot);

}  // namespace reeve::api
