#pragma once
// Lines of logs of many kinds, made up as they are asked for: the same ones in every run.

#include <cstdint>
#include <string>

namespace reeve::bench {

/// A third is JSON (plain, and within docker's), the rest klog, logfmt, access logs, syslog, CRI,
/// application logs with traces of Java, Python and Go, and a few lines with secrets. About 150
/// bytes a line in the mean, some hundreds of kinds, numbers and names that vary.
class mixed_logs {
 public:
  /// Appends what comes next: one line, or a whole trace. Every line ends in a newline.
  void append(std::string& to);

 private:
  std::uint64_t random(std::uint64_t below);
  std::string clock();
  std::string hex(int digits);
  void append_json(std::string& to);
  void append_docker(std::string& to);
  void append_access(std::string& to);
  void append_syslog(std::string& to);
  void append_application(std::string& to);
  void append_klog(std::string& to);
  void append_logfmt(std::string& to);
  void append_trace(std::string& to);
  void append_secret(std::string& to);
  std::string message();

  std::uint64_t state_ = 0x9E3779B97F4A7C15;
  std::int64_t at_ms_ = 1'795'235'999'000;  // 2026-11-21T04:39:59Z
};

}  // namespace reeve::bench
