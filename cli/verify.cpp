#include "persistence/verify.hpp"

#include "cli/commands.hpp"
#include "cli/database.hpp"
#include "cli/output.hpp"
#include "cli/text_input.hpp"
#include "codec/json_writer.hpp"
#include "persistence/verify_blobs.hpp"

#include <cstdio>
#include <optional>
#include <utility>

namespace reeve::cli {
namespace {

/// Of a live log; an export has no outputs.
using beside_log = std::optional<persistence::blobs_result>;

std::string as_json(const persistence::verify_result& r, const beside_log& beside) {
  codec::json_writer out;
  out.begin_object().key("good").value(r.good()).key("origin").value(to_string(r.origin));
  out.key("events").value(r.events).key("head").value(r.head).key("hash").value(to_hex(r.hash));
  out.key("checkpoints").value(r.checkpoints).key("signed_to").value(r.signed_to);
  out.key("marked_to").value(r.marked_to).key("leaves").value(r.leaves).key("tenant");
  r.tenant ? out.value(to_string(*r.tenant)) : out.null();
  out.key("first_bad");
  r.first_bad ? out.value(*r.first_bad) : out.null();
  out.key("what").value(r.what).key("blobs");
  if (!beside) return out.null().end_object().take();
  out.begin_object().key("read").value(beside->blobs).key("bytes").value(beside->bytes);
  out.key("changed").value(beside->changed).key("named").value(beside->named);
  out.key("missing").value(beside->missing);
  out.key("knows_names").value(!beside->unread).key("unread");
  beside->unread ? out.value(*beside->unread) : out.null();
  return out.key("first").value(beside->first).end_object().end_object().take();
}

/// A verifier that is silent about what it did not see is believed to have seen it.
void print_unseen(const persistence::verify_result& r) {
  if (r.tenant) {
    std::printf(
        "Only events of tenant %s were to be seen. Of %lld events nothing but the leaf is known: "
        "whether they are those of others, or of this tenant and hidden, cannot be told.\n",
        to_string(*r.tenant).c_str(), static_cast<long long>(r.leaves));
  }
  if (r.signed_to >= r.head) return;
  if (r.marked_to > r.signed_to) {
    std::printf(
        "Up to position %lld the log is signed. From there to %lld only the mark in this data "
        "folder speaks for it, which proves nothing against whoever can write there.\n",
        static_cast<long long>(r.signed_to), static_cast<long long>(r.marked_to));
    return;
  }
  if (r.signed_to == 0) {
    std::puts(
        "No signed head was at hand (--heads names a file of them): had the end been cut off, or "
        "the whole log been written anew, nobody could tell.");
    return;
  }
  std::printf(
      "Up to position %lld the log is signed; events after it could have been cut off or written "
      "anew.\n",
      static_cast<long long>(r.signed_to));
}

void print(const persistence::verify_result& r) {
  std::printf("%lld events, %lld checkpoints, head %lld %s\n", static_cast<long long>(r.events),
              static_cast<long long>(r.checkpoints), static_cast<long long>(r.head),
              to_hex(r.hash).c_str());
  if (r.good()) {
    std::puts(r.leaves == 0 ? "The chain is whole." : "The chain holds.");
    print_unseen(r);
  } else {
    std::printf("Position %lld does not fit: %s.\n", static_cast<long long>(*r.first_bad),
                printable(r.what).c_str());
  }
}

void print(const persistence::blobs_result& r) {
  std::printf("%lld outputs and artifacts, %lld bytes", static_cast<long long>(r.blobs),
              static_cast<long long>(r.bytes));
  if (r.changed == 0 && r.missing == 0) {
    std::printf(
        ": each has the digest under which it is stored, and of the %lld that events name "
        "none is missing.\n",
        static_cast<long long>(r.named));
  } else {
    std::printf(
        ": %lld do not have their digest, and %lld that events name are gone. The first: %s.\n",
        static_cast<long long>(r.changed), static_cast<long long>(r.missing), r.first.c_str());
  }
  if (!r.unread) return;
  std::printf(
      "The event at position %lld is none that this program knows and can read: what it names, "
      "and what others like it name, was not looked for.\n",
      static_cast<long long>(*r.unread));
}

outcome<persistence::verify_result> verify_input(const std::string& path,
                                                 const persistence::verify_options& options) {
  auto input = open_text_input(path);
  if (!input) return input.error();
  return persistence::verify_export([&] { return (*input)->line(); }, options);
}

outcome<persistence::verify_result> verify_live(const loaded_config& config,
                                                persistence::verify_options options,
                                                beside_log& beside) {
  auto db = open_database(config.values);
  if (!db) return db.error();
  auto check = persistence::blob_check::open(db->owner_url);
  if (!check) return check.error();
  options.on_event = [&](const domain::event_record& e) { return check->add(e); };
  auto result = persistence::verify_database(db->owner_url, options);
  if (!result || !result->good()) return result;
  auto blobs = check->finish();
  if (!blobs) return blobs.error();
  beside = std::move(*blobs);
  return result;
}

}  // namespace

int verify(const loaded_config& config, const verify_options& asked) {
  persistence::verify_options options;
  options.public_key = asked.key;
  options.heads_file = asked.heads;
  // What is outside of the database belongs to the live log; an export stands for itself.
  if (asked.from.empty() && asked.heads.empty()) options.heads_file = heads_file(config.values);
  if (asked.from.empty()) options.known_file = known_database_file(config.values);
  beside_log beside;
  auto result =
      asked.from.empty() ? verify_live(config, options, beside) : verify_input(asked.from, options);
  if (!result) {
    complain(result.error().detail);
    return result.error().code == errc::unavailable ? exit_unreachable : exit_usage;
  }
  if (asked.json) {
    print_json(as_json(*result, beside));
  } else {
    print(*result);
    if (beside) print(*beside);
    if (!asked.from.empty() && result->good()) {
      std::puts("An export has no outputs and artifacts: none was looked at.");
    }
  }
  return result->good() && (!beside || beside->good()) ? exit_ok : exit_run_failed;
}

}  // namespace reeve::cli
