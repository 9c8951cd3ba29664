#include "adapters/submission.hpp"

#include "adapters/container_work.hpp"
#include "adapters/docker/container_places.hpp"
#include "base/log.hpp"
#include "base/test_point.hpp"

#include <memory>
#include <mutex>
#include <optional>
#include <utility>

namespace reeve::adapters {
namespace {

using domain::end_reason;
using domain::attempts::failed;
using domain::attempts::failure;
using domain::attempts::refused;
using domain::attempts::submitted;

class submission : public std::enable_shared_from_this<submission> {
 public:
  submission(container_engine& engine, work_key key, work_spec spec, fencing_token by,
             reply_slot<submit_answer> slot)
      : engine_(engine),
        key_(std::move(key)),
        spec_(std::move(spec)),
        by_(by),
        slot_(std::move(slot)) {}

  void begin() {
    if (const auto why = spec_.hindrance()) return refuse(*why);
    if (spec_.prepared) return create();
    engine_.create_volume(by_, key_.volume, key_.labels, then<done>([this](outcome<done> ok) {
                            if (ok) return create();
                            const auto code = ok.error().code;
                            const bool never = code == errc::invalid || code == errc::conflict;
                            never ? refuse(end_reason::engine_refused) : fail(code);
                          }));
  }

 private:
  template <class T, class F>
  reply_slot<T> then(F f) {
    return reply_slot<T>([keep = shared_from_this(), f = std::move(f)](outcome<T> answer) mutable {
      f(std::move(answer));
    });
  }
  void refuse(end_reason why) { slot_.answer(submit_answer(refused{why})); }
  /// Nothing of it has been started.
  void fail(errc code) { slot_.answer(submit_answer(failed{failure_of(code), false})); }

  /// Beside the creation: the engine behind the socket may have become another one since its
  /// identity went into the intent, without a single call that failed.
  void ask_who_it_is() {
    if (key_.engine_id.empty() || std::exchange(asked_, true)) return;
    engine_.version_info(then<engine_version>([this](outcome<engine_version> version) {
      {
        const std::lock_guard lock(mutex_);
        who_ = std::move(version);
        if (!waits_) return;
      }
      start();
    }));
  }

  /// Nothing is started before it is known where.
  bool is_known_where() {
    const std::lock_guard lock(mutex_);
    waits_ = asked_ && !who_;
    return !waits_;
  }

  /// It goes, and whoever looks for the attempt next is told that it is elsewhere.
  void leave(errc code) {
    engine_.remove_container(by_, key_.execution, true,
                             then<done>([this, code](outcome<done>) { fail(code); }));
  }

  void create() {
    test_point("before_create");
    ask_who_it_is();
    engine_.create_container(by_, spec_.container,
                             then<created_container>([this](outcome<created_container> made) {
                               if (made) {
                                 test_point("after_create");
                                 key_.execution = made->id;
                                 if (const auto why = spec_.hindrance()) return refuse(*why);
                                 return find_places();
                               }
                               switch (made.error().code) {
                                 case errc::conflict:
                                   return replace();
                                 case errc::not_found:
                                   return refuse(end_reason::image_missing);
                                 case errc::invalid:
                                   return refuse(end_reason::engine_refused);
                                 default:
                                   return fail(made.error().code);
                               }
                             }));
  }

  /// One that never started goes, and with it its id, by which another leader that wakes up late
  /// may still want to write its files or start it. An engine that was killed while it started a
  /// container refuses every further start, and removes it (`dead` until then) only when what it
  /// had started is over. The marker on the volume keeps a second execution out.
  void replace() {
    if (std::exchange(replaced_, true)) return fail(errc::conflict);
    key_.execution.clear();
    engine_.inspect(key_.name, then<container_info>([this](outcome<container_info> info) {
                      if (!info && info.error().code == errc::not_found) return create();
                      if (!info) return fail(info.error().code);
                      const bool fresh = is_of(*info, key_) && info->started_at == 0;
                      if (!fresh) return fail(errc::conflict);
                      remove(info->id);
                    }));
  }

  void remove(const std::string& id) {
    spec_.prepared = false;
    engine_.remove_container(by_, id, true, then<done>([this](outcome<done> ok) {
                               const bool gone = ok || ok.error().code == errc::not_found;
                               gone ? begin() : fail(ok.error().code);
                             }));
  }

  /// Before anything is written: an archive follows links of the image too, onto whatever is
  /// mounted behind them.
  void find_places() {
    const auto& wanted = spec_.container;
    if (wanted.mounts.empty() && wanted.image_volumes.empty()) return fill();
    engine_.inspect(key_.execution, then<container_info>([this](outcome<container_info> info) {
                      if (!info) return fail(info.error().code);
                      auto places = places_of(spec_.container, info->mounts);
                      if (!places) return misplaced(places.error().detail);
                      places_ = std::move(*places);
                      look_at_places();
                    }));
  }

  void look_at_places() {
    if (places_.empty()) return fill();
    const auto place = std::move(places_.back());
    places_.pop_back();
    engine_.look_at(key_.execution, place, then<path_kind>([this, place](outcome<path_kind> what) {
                      const auto code = what ? errc::not_found : what.error().code;
                      if (code == errc::invalid) return misplaced("cannot be looked at: " + place);
                      // Nothing is there: the engine makes a folder.
                      if (code != errc::not_found) return fail(code);
                      const bool is_link = what && *what == path_kind::link;
                      is_link ? misplaced("a mount is reached through a link: " + place)
                              : look_at_places();
                    }));
  }

  void misplaced(const std::string& why) {
    log_warn("a container is not started", {{"container", key_.name}, {"why", why}});
    refuse(end_reason::engine_refused);
  }

  void fill() { spec_.prepared ? check() : put_files(); }

  void put_files() {
    engine_.put_archive(by_, key_.execution, std::string(volume_target), spec_.archive,
                        then<done>([this](outcome<done> ok) {
                          if (ok) return check();
                          const bool never = ok.error().code == errc::invalid;
                          never ? refuse(end_reason::engine_refused) : fail(ok.error().code);
                        }));
  }

  /// Between create and start: it is the image that was listed, with the mounts that were asked
  /// for, and it never ran.
  void check() {
    engine_.inspect(key_.execution, then<container_info>([this](outcome<container_info> info) {
                      if (!info) return fail(info.error().code);
                      if (info->image_id != key_.image_id) return discard();
                      const auto places = places_of(spec_.container, info->mounts);
                      if (!places) return misplaced(places.error().detail);
                      const bool fresh = info->status == "created" && info->started_at == 0;
                      fresh ? start() : fail(errc::conflict);
                    }));
  }

  /// It is not what was to be made, so nobody would know it as the attempt's.
  void discard() {
    engine_.remove_container(by_, key_.execution, true, then<done>([this](outcome<done>) {
                               refuse(end_reason::image_changed);
                             }));
  }

  void start() {
    if (!is_known_where()) return;
    if (who_ && !*who_) return fail(who_->error().code);
    if (who_ && (*who_)->id != key_.engine_id) return leave(errc::timed_out);
    if (const auto why = spec_.hindrance()) return refuse(*why);
    test_point("before_start");
    engine_.start(by_, key_.execution, then<start_result>([this](outcome<start_result> ok) {
                    if (ok) {
                      test_point("after_start");
                      return look();
                    }
                    switch (ok.error().code) {
                      case errc::invalid:
                      case errc::conflict:
                        // Perhaps somebody took the prepared volume away, and the engine made an
                        // empty one in its place.
                        if (std::exchange(spec_.prepared, false)) return put_files();
                        return refuse(end_reason::start_failed);
                      // Somebody removed it before it could run.
                      case errc::not_found:
                      case errc::engine_unavailable:
                      case errc::overloaded:
                      case errc::fenced:
                        return fail(ok.error().code);
                      default:
                        return unclear(ok.error().code);
                    }
                  }));
  }

  void unclear(errc code) { slot_.answer(submit_answer(failed{failure_of(code), true})); }

  /// When it started, by the engine's clock: another start of the same container is known by it.
  void look() {
    engine_.inspect(key_.execution, then<container_info>([this](outcome<container_info> info) {
                      if (!info) return unclear(info.error().code);
                      slot_.answer(submit_answer(submitted{execution_of(*info)}));
                    }));
  }

  container_engine& engine_;
  work_key key_;
  work_spec spec_;
  const fencing_token by_;
  const reply_slot<submit_answer> slot_;
  std::vector<std::string> places_;  // not looked at yet
  bool replaced_ = false;
  bool asked_ = false;
  std::mutex mutex_;
  std::optional<outcome<engine_version>> who_;  // guarded by mutex_ until it is there
  bool waits_ = false;                          // guarded by mutex_: the start waits for it
};

}  // namespace

void submit_container(container_engine& engine, work_key key, work_spec spec, fencing_token by,
                      reply_slot<submit_answer> slot) {
  std::make_shared<submission>(engine, std::move(key), std::move(spec), by, std::move(slot))
      ->begin();
}

}  // namespace reeve::adapters
