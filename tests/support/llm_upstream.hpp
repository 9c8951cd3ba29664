#pragma once
// An upstream of language models on loopback, which answers as it is told. It is asked for its
// models now and then, as every one is.

#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace support {

class llm_upstream {
 public:
  llm_upstream();
  ~llm_upstream();
  llm_upstream(const llm_upstream&) = delete;
  llm_upstream& operator=(const llm_upstream&) = delete;

  /// "http://127.0.0.1:PORT/v1".
  std::string url() const;

  /// How calls are answered from now on: with this body at once.
  void answer(int status, std::string body, std::string fields = {});
  /// With these events, and then the end; or none, when `holds`: the line stays open.
  void stream(std::vector<std::string> events, bool holds = false);
  /// With nothing, and the line stays open.
  void be_silent();

  /// Heads and bodies of the calls so far, without the looks.
  std::vector<std::string> calls() const;
  /// Lines of calls that clients have closed before they were answered to the end.
  int left_calls() const;

 private:
  struct reply {
    std::string bytes;
    bool holds = false;
  };
  void accept_all();
  void serve(int peer);
  void set(reply next);

  int listener_ = -1;
  std::uint16_t port_ = 0;
  mutable std::mutex mutex_;
  reply reply_;  // guarded by mutex_, as the next three
  std::vector<std::string> calls_;
  std::vector<int> held_;
  int left_ = 0;
  std::vector<std::thread> lines_;  // of the acceptor
  std::thread acceptor_;
};

}  // namespace support
