#pragma once
// Looks for a text in all that this process has written to memory, freed or not.

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <random>
#include <string>
#include <string_view>
#include <sys/mman.h>
#include <unistd.h>

namespace support {

/// Letters that stand nowhere, and a mask of them to look for: the mask alone is kept.
class marked_text {
 public:
  marked_text() {
    std::random_device random;
    for (int i = 0; i < 32; ++i) masked_ += static_cast<char>(mask ^ ('a' + random() % 26));
  }
  /// Appends the letters to a text that has room for them.
  void append_to(std::string& text) const {
    for (const char one : masked_) text.push_back(static_cast<char>(one ^ mask));
  }

  /// How often its first 24 letters stand in private memory that can be written, of this process.
  int count() const {
    constexpr std::size_t piece = 1 << 20;
    // Shared, so that what is looked at is not looked through itself.
    void* const room =
        ::mmap(nullptr, piece, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    const int memory = ::open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    std::FILE* const maps = std::fopen("/proc/self/maps", "re");
    int found = 0;
    char line[512];
    while (std::fgets(line, sizeof line, maps) != nullptr) {
      unsigned long begin = 0, end = 0;
      char rights[5] = {};
      if (std::sscanf(line, "%lx-%lx %4s", &begin, &end, rights) != 3) continue;
      // What is larger is a sanitizer's, and mostly nowhere.
      const bool is_ours = std::string_view(rights).starts_with("rw") && rights[3] == 'p';
      if (!is_ours || end - begin > (1UL << 32)) continue;
      for (auto at = begin; at < end; at += piece - letters) {
        const auto bytes =
            ::pread(memory, room, std::min<std::size_t>(piece, end - at), static_cast<off_t>(at));
        if (bytes > 0) found += count_in({static_cast<char*>(room), std::size_t(bytes)});
      }
    }
    std::fclose(maps);
    ::close(memory);
    ::munmap(room, piece);
    return found;
  }

 private:
  static constexpr char mask = 0x5a;
  static constexpr std::size_t letters = 24;

  int count_in(std::string_view bytes) const {
    int found = 0;
    const char first = static_cast<char>(masked_[0] ^ mask);
    for (auto at = bytes.find(first); at != bytes.npos; at = bytes.find(first, at + 1)) {
      if (bytes.size() - at < letters) break;
      std::size_t same = 0;
      while (same < letters && bytes[at + same] == static_cast<char>(masked_[same] ^ mask)) ++same;
      if (same == letters) ++found;
    }
    return found;
  }

  std::string masked_;
};

}  // namespace support
