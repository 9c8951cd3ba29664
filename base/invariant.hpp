#pragma once
// What a programmer got wrong, found before it does harm: a broken assumption that would write a
// wrong event stops what is under way, and nothing is written. Never for what a user sends or the
// world does: that is an `outcome`.

#include <stdexcept>

namespace reeve {

/// Ends the actor that it happens in (its supervisor starts it anew, from the log) or the one
/// request; a decider that throws it is a 500 and nothing else.
class broken_invariant : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

/// Logs `what` with its place and throws `broken_invariant`. `what` is a literal: no value of a
/// user may get into it.
[[noreturn]] void invariant_broken(const char* what, const char* file, int line);

}  // namespace reeve

/// `what` says what must hold, as a sentence.
#define REEVE_INVARIANT(holds, what) \
  ((holds) ? void() : ::reeve::invariant_broken((what), __FILE__, __LINE__))
