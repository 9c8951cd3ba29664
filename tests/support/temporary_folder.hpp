#pragma once
// A folder of a test's own.

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

namespace support {

/// Empty, mode 0700; it goes with all that is in it.
class temporary_folder {
 public:
  explicit temporary_folder(
      const std::filesystem::path& parent = std::filesystem::temp_directory_path(),
      const std::string& prefix = "reeve-test") {
    auto name = (parent / (prefix + ".XXXXXX")).string();
    if (::mkdtemp(name.data()) == nullptr) {
      throw std::system_error(errno, std::generic_category(), name);
    }
    path_ = name;
  }
  ~temporary_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  temporary_folder(const temporary_folder&) = delete;
  temporary_folder& operator=(const temporary_folder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::string at(const std::string& below) const { return (path_ / below).string(); }

 private:
  std::filesystem::path path_;
};

}  // namespace support
