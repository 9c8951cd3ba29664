#pragma once
// Named steps at which a test may stop this process, to kill it, its engine or its leadership right
// there, or make a part of it fail. Whoever can set the environment of a process can do worse
// anyway. Without the variables a step costs one comparison.
//
// `REEVE_TEST_STOP_AT=<step>=<file>`: the first process that comes by makes the file and stops
// itself (SIGSTOP); once it is there nobody stops any more.
// `REEVE_TEST_FAIL_IN=<folder>`: as long as the folder has a file of the step's name, whoever comes
// by throws.

#include <string_view>

namespace reeve {

void test_point(std::string_view step);

}  // namespace reeve
