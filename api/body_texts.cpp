#include "api/body_texts.hpp"

#include "api/task_json.hpp"
#include "codec/json.hpp"
#include "codec/json_writer.hpp"
#include "codec/schema.hpp"

#include <array>
#include <map>
#include <string_view>
#include <utility>

namespace reeve::api {
namespace {

using codec::json_node;
using codec::json_writer;
using text = std::pair<std::string_view, std::string_view>;

/// Ranges are those of the checks in domain/.
constexpr std::array member_texts{
    text{"allow_host_network", "Whether containers of it may have the host's network."},
    text{"allow_root",
         "Whether jobs of it may run as user or group 0, then with mounts to read only."},
    text{"by_name", "For whichever container has the name, also later; not with `container_id`."},
    text{"command", "1 to 256 words, 24,576 bytes in all; without it what the image names."},
    text{"completion_tokens", "0 to 1,000,000,000."},
    text{"container_id", "64 hexadecimal digits; without it what the engine has under the name."},
    text{"containers",
         "1 to 64 names or ids, each on the allowlist; without it all that are on it."},
    text{"cpu_millis", "Thousandths of a CPU, 10 to 1,024,000; 1000 without it."},
    text{"description", "At most 1,024 bytes."},
    text{"directive", "One that is given here and kept nowhere else; not with `directive_id`."},
    text{"directive_id", "Id of a directive; its newest version is launched."},
    text{"disk_mb", "MiB on the engine's disk, 1 to 1,048,576; 256 without it."},
    text{
        "env",
        "At most 128 variables of at most 8,192 bytes each, 16,384 in all: a text, a secret's name "
        "or a text that is no secret."},
    text{"files",
         "1 to 64 paths below the server's folder of logs, each named once; without it all."},
    text{"image", "Reference of an image that is on the allowlist."},
    text{"kind", "What is done; the short names are older ones."},
    text{"labels", "At most 64; a key is a name, a value has at most 256 bytes."},
    text{"latency_ms", "0 to 86,400,000."},
    text{"limits", "Of every run of it."},
    text{"llm", "Whether its jobs may call language models through Reeve, without a network too."},
    text{"max_lines", "1 to 10,000,000, as many without it."},
    text{"max_parallel", "Jobs of one run at a time, 1 to 64; 4 without it."},
    text{"memory_mb", "MiB, 6 to 1,048,576; 256 without it. There is no swap."},
    text{"model_name", "1 to 128 letters, digits and . _ : / @ + -."},
    text{"mounts", "At most 16 folders or files of the host, below the server's mount roots."},
    text{"name", "1 to 64 letters, digits and . _ -, the first one a letter or digit."},
    text{"needs", "Names of tasks of this list that must have succeeded before."},
    text{"network", "none (without it) or host, which the image's entry must allow."},
    text{"params", "What the kind takes."},
    text{"pids", "Most processes, 1 to 32,768; 256 without it."},
    text{"plain", "Says that this value is no secret, whatever its name says."},
    text{"priority", "-1000 to 1000, 0 without it; the higher one starts first."},
    text{"prompt_tokens", "0 to 1,000,000,000."},
    text{"read_only", "true without it."},
    text{"reason", "Why, for whoever reads the log; at most 512 bytes."},
    text{"reference",
         "Of an image ([registry/]path[:tag][@digest]), or a pattern with * at its end."},
    text{"retries",
         "Further attempts after one that failed, 0 to 10; without it the directive's, there 0."},
    text{"retry_base_ms",
         "Wait before the first retry, 10 to 300,000; it doubles. 1000 without it."},
    text{"role", "viewer, operator, admin, auditor or node."},
    text{"secret", "Name of a secret; the job gets its newest value."},
    text{"since", "last_success or a time (RFC 3339): what is older counts as known."},
    text{"source", "Absolute path on the host."},
    text{"stop_grace_s", "Between SIGTERM and SIGKILL, 0 to 300; 10 without it."},
    text{"target", "Absolute path in the container, outside of /reeve, /proc, /sys and /dev."},
    text{"tasks", "1 to 100."},
    text{"timeout_s", "Of one execution, 1 to 604,800; without it the directive's, there 3600."},
    text{"total_tokens", "The sum of the other two."},
    text{"uploads", "Ids of uploads; there are none yet, so that it has to be empty."},
    text{"user", "uid or uid:gid; 65534:65534 without it."},
    text{"value", "6 to 8,192 bytes without NUL, that can be looked for in the output of jobs."},
    text{"workdir", "Absolute path in the container; the image's own without it."},
    text{"writable_root", "false without it."},
};

constexpr std::string_view task_reference = R"({"$ref":"#/components/schemas/task"})";

using schemas = std::map<std::string_view, std::string>;

/// Copies a schema and adds texts.
class describer {
 public:
  explicit describer(const route* of, schemas instead = {})
      : of_(of), instead_(std::move(instead)) {}

  /// `name`: of the member that it is the schema of, "" = of none.
  std::string describe(std::string_view schema, std::string_view name = {}) {
    // Larger than any body that is read.
    const auto doc = codec::parse_strict(schema, {64, 100'000, 1 << 22});
    if (!doc || !doc->root().is_object()) return std::string(schema);
    object(doc->root(), name, !name.empty());
    return out_.take();
  }

 private:
  std::string_view text_of(std::string_view name) const {
    if (of_ != nullptr) {
      for (const auto& [known, said] : of_->parameter_texts) {
        if (known == name) return said;
      }
    }
    for (const auto& [known, said] : member_texts) {
      if (known == name) return said;
    }
    return {};
  }

  /// `name`: of the member that it belongs to, "" = of none; the text stands at the member itself.
  void object(const json_node& schema, std::string_view name, bool is_member) {
    out_.begin_object();
    if (const auto said = text_of(name); is_member && !said.empty()) {
      out_.key("description").value(said);
    }
    for (std::size_t i = 0; i < schema.member_count(); ++i) {
      const auto key = schema.member_key(i);
      out_.key(key);
      part(key, schema.member_value(i), name);
    }
    out_.end_object();
  }

  void part(std::string_view key, const json_node& value, std::string_view name) {
    if (key == "properties") return members(value);
    if (key == "anyOf") {
      out_.begin_array();
      for (std::size_t i = 0; i < value.size(); ++i) nested(value.at(i), name);
      out_.end_array();
      return;
    }
    if (key == "items" || key == "additionalProperties") return nested(value, name);
    out_.raw(value.text());
  }

  /// An element or an alternative.
  void nested(const json_node& schema, std::string_view name) {
    const bool is_any = schema.is_object() && schema.member_count() == 0;
    if (is_any && name == "tasks") {
      out_.raw(task_reference);
    } else if (schema.is_object()) {
      object(schema, name, false);
    } else {
      out_.raw(schema.text());
    }
  }

  void members(const json_node& properties) {
    out_.begin_object();
    for (std::size_t i = 0; i < properties.member_count(); ++i) {
      const auto name = properties.member_key(i);
      out_.key(name);
      if (const auto own = instead_.find(name); own != instead_.end()) {
        out_.raw(own->second);
      } else if (properties.member_value(i).is_object()) {
        object(properties.member_value(i), name, true);
      } else {
        out_.raw(properties.member_value(i).text());
      }
    }
    out_.end_object();
  }

  const route* of_;
  schemas instead_;
  json_writer out_;
};

/// Whether the kind can do without parameters, so that its name alone is a task.
template <class Params>
bool is_whole() {
  return domain::check_params(domain::task_params(Params{}), "").ok();
}

template <class Params>
void names_of(json_writer& out) {
  out.value(Params::kind);
  if (!Params::alias.empty()) out.value(Params::alias);
}

template <class Params>
std::string object_of_kind(const std::string& task) {
  json_writer kind;
  kind.begin_object().key("description").value("What is done; the short name is an older one.");
  kind.key("enum").begin_array();
  names_of<Params>(kind);
  kind.end_array().key("type").value("string").end_object();
  const schemas own{
      {"kind", kind.take()},
      {"params", describer(nullptr).describe(codec::json_schema<Params>(), "params")}};
  return describer(nullptr, own).describe(task);
}

template <class... Params>
std::string schema_of_kinds(const std::string& task, const std::variant<Params...>*) {
  json_writer out;
  out.begin_object().key("anyOf").begin_array();
  out.begin_object().key("description").value("A kind, with what it does without parameters.");
  out.key("enum").begin_array();
  ((is_whole<Params>() ? names_of<Params>(out) : void()), ...);
  out.end_array().key("type").value("string").end_object();
  (out.raw(object_of_kind<Params>(task)), ...);
  out.end_array().end_object();
  return out.take();
}

}  // namespace

std::string described_body(const route& of) {
  return describer(&of).describe(of.request_schema);
}

std::string task_schema() {
  return schema_of_kinds(task_object_schema(), static_cast<const domain::task_params*>(nullptr));
}

}  // namespace reeve::api
