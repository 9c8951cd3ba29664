#pragma once
// Threads that say who they are: in /proc, to a debugger, and in docs/threads.md, which lists all
// of them with the reason why they are there. Nothing else starts a thread
// (tests/unit/tidy_text.hpp).

#include <functional>
#include <future>
#include <string_view>
#include <thread>
#include <utility>

namespace reeve {

/// At most 15 bytes: what the kernel keeps.
void name_this_thread(std::string_view name);

/// For work on foreign text, which may take as much of a processor as it gets: requests are
/// answered while it goes on (nice 5, of this thread alone).
void let_others_first();

/// `name` is a literal.
std::thread named_thread(std::string_view name, std::function<void()> work);

/// For a while: the caller waits for what it gives.
template <class Work>
auto named_async(std::string_view name, Work work) {
  return std::async(std::launch::async, [name, work = std::move(work)]() mutable {
    name_this_thread(name);
    return work();
  });
}

}  // namespace reeve
