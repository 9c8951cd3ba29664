#pragma once
// How answers of other threads come to the I/O thread. Internal to the gateway (Asio types).

#include "api/shares.hpp"
#include "base/outcome.hpp"
#include "base/slot.hpp"

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace reeve::api {

namespace net = boost::asio;

/// The way onto the I/O thread for those who may outlive the server.
class io_gate {
 public:
  explicit io_gate(net::io_context& io) : io_(&io) {}
  /// The calling thread is the I/O thread from now on.
  void enter_thread() { thread_ = std::this_thread::get_id(); }
  bool here() const { return thread_ == std::this_thread::get_id(); }

  void post(std::function<void()> work) {
    const std::lock_guard lock(mutex_);
    if (io_) net::post(*io_, std::move(work));
  }
  /// What comes later is dropped.
  void close() {
    thread_ = std::thread::id{};
    const std::lock_guard lock(mutex_);
    io_ = nullptr;
  }

 private:
  std::atomic<std::thread::id> thread_{};
  std::mutex mutex_;
  net::io_context* io_;
};

/// Where an answer is put for the coroutine that waits for it. Touched on the I/O thread only, but
/// for its destruction.
template <class T>
class mailbox {
 public:
  explicit mailbox(share pass = {}, std::function<void()> late = {})
      : pass_(std::move(pass)), late_(std::move(late)) {}

  std::optional<outcome<T>> value;

  /// From construction to destruction somebody waits with this timer.
  class waiting {
   public:
    waiting(mailbox& box, net::steady_timer& timer) : box_(box) { box_.waiter_ = &timer; }
    ~waiting() { box_.waiter_ = nullptr; }
    waiting(const waiting&) = delete;
    waiting& operator=(const waiting&) = delete;

   private:
    mailbox& box_;
  };

  /// Nobody will look any more.
  void abandon() { abandoned_ = true; }

  void put(outcome<T> result) {
    if (abandoned_) {
      if (late_) late_();
      return;
    }
    value = std::move(result);
    if (waiter_) waiter_->cancel();
  }

 private:
  net::steady_timer* waiter_ = nullptr;
  bool abandoned_ = false;
  share pass_;
  std::function<void()> late_;
};

template <class T>
reply_slot<T> slot_into(std::shared_ptr<io_gate> gate, std::shared_ptr<mailbox<T>> box) {
  return reply_slot<T>([gate = std::move(gate), box = std::move(box)](outcome<T> result) {
    if (gate->here()) {
      box->put(std::move(result));
    } else {
      gate->post([box, result = std::move(result)]() mutable { box->put(std::move(result)); });
    }
  });
}

}  // namespace reeve::api
