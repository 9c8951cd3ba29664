#pragma once
// A value that never changes, shared by its copies: copying is cheap whatever it holds, and
// equality is the values'. Thread-safe as a shared pointer to const is.

#include <memory>
#include <utility>

namespace reeve {

template <class T>
class shared_value {
 public:
  shared_value() : held_(empty()) {}
  explicit shared_value(T value) : held_(std::make_shared<const T>(std::move(value))) {}

  const T& operator*() const { return *held_; }
  const T* operator->() const { return held_.get(); }

  bool operator==(const shared_value& other) const {
    return held_ == other.held_ || *held_ == *other.held_;
  }

 private:
  static const std::shared_ptr<const T>& empty() {
    static const auto value = std::make_shared<const T>();
    return value;
  }

  std::shared_ptr<const T> held_;
};

}  // namespace reeve
