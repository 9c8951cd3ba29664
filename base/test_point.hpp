#pragma once
// Named steps at which a test may stop this process, to kill it, its engine or its leadership right
// there. `REEVE_TEST_STOP_AT=<step>=<file>` names one: the first process that comes by makes the
// file and stops itself (SIGSTOP); once it is there nobody stops any more. Whoever can set the
// environment of a process can stop it anyway. Without the variable a step costs one comparison.

#include <string_view>

namespace reeve {

void test_point(std::string_view step);

}  // namespace reeve
