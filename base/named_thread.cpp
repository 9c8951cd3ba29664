#include "base/named_thread.hpp"

#include "base/invariant.hpp"

#include <pthread.h>
#include <string>
#include <sys/resource.h>

namespace reeve {

void name_this_thread(std::string_view name) {
  REEVE_INVARIANT(!name.empty() && name.size() <= 15, "a thread has a short name");
  ::pthread_setname_np(::pthread_self(), std::string(name).c_str());
}

void let_others_first() {
  constexpr int niceness = 5;
  // Linux keeps it by thread.
  if (::getpriority(PRIO_PROCESS, 0) < niceness) ::setpriority(PRIO_PROCESS, 0, niceness);
}

std::thread named_thread(std::string_view name, std::function<void()> work) {
  return std::thread([name, work = std::move(work)] {
    name_this_thread(name);
    work();
  });
}

}  // namespace reeve
