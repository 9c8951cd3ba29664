#pragma once
// Bytes of a connection that were read and not yet used. Grows to 32 KiB and no further: Beast
// 1.81 throws out of the event loop on a trailer field above 64 KiB, and a buffer that cannot
// hold one cannot give it one. What is used is wiped: it may have been a secret.

#include "base/secret.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>

namespace reeve::api {

class input_buffer {
 public:
  static constexpr std::size_t max_bytes = std::size_t{32} * 1024;
  static constexpr std::size_t least_bytes = 4096;

  input_buffer() = default;
  ~input_buffer() { wipe(bytes_.get() + begin_, size()); }
  input_buffer(const input_buffer&) = delete;
  input_buffer& operator=(const input_buffer&) = delete;

  std::string_view view() const { return {bytes_.get() + begin_, end_ - begin_}; }
  std::size_t size() const { return end_ - begin_; }
  bool empty() const { return begin_ == end_; }
  bool full() const { return size() == max_bytes; }

  void consume(std::size_t count) {
    count = std::min(count, size());
    wipe(bytes_.get() + begin_, count);
    begin_ += count;
    if (begin_ == end_) begin_ = end_ = 0;
  }

  struct space {
    char* at;
    std::size_t bytes;
  };
  /// Room behind what is there; none if the buffer is full.
  space room() {
    constexpr std::size_t step = least_bytes;
    if (capacity_ - end_ < step / 4) {
      const std::size_t wanted = std::min(max_bytes, std::max(size() * 2, step));
      if (wanted > capacity_) {
        auto larger = std::make_unique<char[]>(wanted);
        if (!empty()) std::memcpy(larger.get(), bytes_.get() + begin_, size());
        wipe(bytes_.get() + begin_, size());
        bytes_ = std::move(larger);
        capacity_ = wanted;
      } else if (begin_ > 0) {
        std::memmove(bytes_.get(), bytes_.get() + begin_, size());
        wipe(bytes_.get() + size(), begin_);
      }
      end_ -= begin_;
      begin_ = 0;
    }
    return {bytes_.get() + end_, capacity_ - end_};
  }
  void commit(std::size_t count) { end_ += count; }
  /// Gives back what a large request has needed, if nothing is in it.
  void shrink() {
    if (!empty() || capacity_ <= least_bytes) return;
    bytes_.reset();
    capacity_ = begin_ = end_ = 0;
  }

 private:
  std::unique_ptr<char[]> bytes_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace reeve::api
