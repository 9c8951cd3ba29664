#pragma once
// A number that an operator may set, said beside the member that holds it. Whoever has such members
// lists them, and the parser, the flag, the variable and the page of documentation are made of the
// list (cli/config_table.cpp):
//
//   struct sweeper_settings {
//     std::int64_t sweep_s = 5;  // the member's own value is the default
//     static constexpr auto settings() {
//       return std::array{number_setting<sweeper_settings>{
//           "sweep_s", &sweeper_settings::sweep_s, 1, 60, "Seconds between two sweeps."}};
//     }
//   };

#include <cstdint>

namespace reeve {

template <class Owner>
struct number_setting {
  const char* name;  // in the TOML file; also --sweep-s and REEVE_SWEEP_S
  std::int64_t Owner::*member;
  std::int64_t least, most;
  const char* text;  // one sentence for the documentation
};

}  // namespace reeve
