// What a document says is stored with its row: one that was written before a change of its fields
// keeps its old ones until its projection is built anew, which a higher version does. A golden line
// says the fields of each document by version; a further version, and a further kind of tasks, need
// lines at the end of the file, and a line is never changed (C8).

#include "codec/codec.hpp"
#include "domain/aggregates.hpp"
#include "persistence/projection.hpp"
#include "tests/unit/persistence/golden_lines.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace {

using namespace reeve;
using namespace reeve::domain;

constexpr const char* file = "tests/unit/data/golden_documents.ndjson";

struct document_line {
  std::string digest;
  std::string document;  // "runs.snapshot", of a kind of tasks in it "runs.snapshot gpu_report"
  std::int64_t version = 0;
  static constexpr auto fields() {
    return std::tuple{field("digest", &document_line::digest),
                      field("document", &document_line::document),
                      field("version", &document_line::version)};
  }
};

/// The names of a document's fields, those of a variant apart: a further kind changes no document
/// that is there already.
class names_of {
 public:
  template <class T>
  void add(const std::string& path, const std::string& kind = "") {
    if constexpr (codec::detail::optional_member<T> || codec::detail::vector_member<T>) {
      add<typename T::value_type>(path, kind);
    } else if constexpr (codec::detail::map_member<T>) {
      add<typename T::mapped_type>(path + ".*", kind);
    } else if constexpr (has_fields<T>) {
      std::apply([&](const auto&... each) { (add_field(each, path, kind), ...); }, T::fields());
    }
  }
  const std::map<std::string, std::set<std::string>>& by_kind() const { return by_kind_; }

 private:
  template <class Owner, class Member, field_part Part>
  void add_field(const field_of<Owner, Member, Part>& each, const std::string& path,
                 const std::string& kind) {
    const auto here = path + "." + std::string(each.name);
    by_kind_[kind].insert(here);
    if constexpr (Part == field_part::held) {
      add_held(here, static_cast<const Member*>(nullptr));
    } else if constexpr (Part == field_part::whole) {
      add<Member>(here, kind);
    }
  }
  template <class... Kinds>
  void add_held(const std::string& path, const std::variant<Kinds...>*) {
    const auto& names = codec::detail::kinds_of<std::variant<Kinds...>>::names;
    std::size_t i = 0;
    for (const auto name : names) by_kind_[std::string(name)];  // also one without a field
    (add<Kinds>(path, std::string(names[i++])), ...);
  }

  std::map<std::string, std::set<std::string>> by_kind_;
};

template <class T>
void add_lines(std::vector<document_line>& to, const std::string& document) {
  const auto& of = persistence::projection_named(document.substr(0, document.find('.')));
  names_of names;
  names.add<T>("");
  for (const auto& [kind, fields] : names.by_kind()) {
    std::string text;
    for (const auto& name : fields) text += name + "\n";
    to.push_back(
        {to_hex(sha256(text)), kind.empty() ? document : document + " " + kind, of.version});
  }
}

std::vector<document_line> documents() {
  std::vector<document_line> all;
  add_lines<engine_seen>(all, "singletons.doc");
  add_lines<token_document>(all, "tokens.doc");
  add_lines<image_document>(all, "image_allowlist.doc");
  add_lines<container_document>(all, "container_allowlist.doc");
  add_lines<directive_document>(all, "directives.doc");
  add_lines<directive_document>(all, "directive_versions.doc");
  add_lines<run_document>(all, "runs.doc");
  add_lines<directive_snapshot>(all, "runs.snapshot");
  add_lines<job_document>(all, "jobs.doc");
  add_lines<llm_call_document>(all, "llm_calls.doc");
  add_lines<secret_document>(all, "secrets.doc");
  add_lines<llm_budget_document>(all, "llm_budgets.doc");
  return all;
}

/// What is wrong with the file, and what to do.
std::vector<std::string> complaints(const std::vector<document_line>& golden,
                                    const std::vector<document_line>& present) {
  std::vector<std::string> all;
  for (const auto& now : present) {
    const auto line = std::find_if(golden.begin(), golden.end(), [&](const document_line& each) {
      return each.document == now.document && each.version == now.version;
    });
    const auto text = codec::encode(now);
    if (line == golden.end()) {
      all.push_back("put this line at the end of " + std::string(file) + ": " + text);
    } else if (line->digest != now.digest) {
      all.push_back("a field of the document " + now.document +
                    " changed, so raise the version of its projection in persistence/projections/");
    }
  }
  return all;
}

std::vector<document_line> golden_documents() {
  std::ifstream in(support::source_dir() + "/" + file);
  std::vector<document_line> lines;
  for (std::string text; std::getline(in, text);) {
    const auto line = codec::decode_text<document_line>(text);
    EXPECT_TRUE(line) << text;
    if (line) lines.push_back(*line);
  }
  return lines;
}

TEST(C8_documents, have_the_fields_that_their_version_says) {
  for (const auto& each : complaints(golden_documents(), documents())) ADD_FAILURE() << each;
}

TEST(C8_documents, are_all_looked_at) {
  std::set<std::string> known;
  for (const auto& each : documents()) known.insert(each.document);
  for (const auto* of : persistence::projections()) {
    for (const auto& column : of->columns) {
      if (column.name != "doc" && column.name != "snapshot") continue;
      const auto document = std::string(of->name) + "." + std::string(column.name);
      EXPECT_TRUE(known.contains(document)) << document << " has no row in documents()";
    }
  }
}

TEST(C8_documents, that_change_are_found) {
  const auto before = documents();
  auto after = before;
  after[0].digest = to_hex(sha256("a further field"));
  ASSERT_EQ(complaints(before, after).size(), 1U);
  EXPECT_NE(complaints(before, after)[0].find("raise the version"), std::string::npos);
  ++after[0].version;
  ASSERT_EQ(complaints(before, after).size(), 1U);
  EXPECT_NE(complaints(before, after)[0].find("put this line"), std::string::npos);
}

}  // namespace
