#include "adapters/docker/output_reader.hpp"

namespace reeve::adapters {

void output_reader::restart() {
  frames_ = log_demultiplexer{false, any_size};
  ends_ = output_ends{bytes_each_};
}

bool output_reader::take(std::string_view bytes) {
  const bool more = frames_.feed(bytes);
  pass_on();
  return more;
}

outcome<kept_output> output_reader::finish() {
  for (const auto& line : frames_.finish()) ends_.add(line);
  if (frames_.broken()) return reject(errc::internal, "the engine's log stream is broken");
  return ends_.finish();
}

void output_reader::pass_on() {
  for (const auto& line : frames_.take()) ends_.add(line);
}

}  // namespace reeve::adapters
