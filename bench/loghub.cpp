// Severity and novelty of log triage over the labelled samples of loghub (J. Zhu, S. He, P. He,
// J. Liu, M. R. Lyu, "Loghub: A Large Collection of System Log Datasets for AI-driven Log
// Analytics", ISSRE 2023): a folder with NAME_2k.log and NAME_2k.log_structured.csv for each kind.

#include "bench/support.hpp"
#include "tasks/triage/log_text.hpp"
#include "tasks/triage/log_triage.hpp"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace reeve::bench {
namespace {

namespace fs = std::filesystem;
using tasks::log_severity;
using tasks::triage_novelty;

constexpr double severity_bar = 0.95;
constexpr double novelty_bar = 0.05;
constexpr std::string_view suffix = "_2k.log";

/// What the labels say of a line.
struct label {
  std::string event;
  std::optional<log_severity> level;
};

struct sample {
  std::string name;
  std::vector<std::string> lines;
  std::vector<label> labels;
  std::map<std::string, label> by_text;  // as an example shows the line
};

std::vector<std::string> lines_of(const fs::path& path) {
  std::ifstream in(path);
  if (!in) give_up("cannot read " + path.string());
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) {
    if (line.ends_with('\r')) line.pop_back();
    lines.push_back(line);
  }
  return lines;
}

/// The cells of a line of CSV (RFC 4180).
std::vector<std::string> cells_of(std::string_view line) {
  std::vector<std::string> cells(1);
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '"') {
      if (quoted && line.substr(i + 1).starts_with('"')) {
        cells.back().push_back(line[++i]);
      } else {
        quoted = !quoted;
      }
    } else if (line[i] == ',' && !quoted) {
      cells.emplace_back();
    } else {
      cells.back().push_back(line[i]);
    }
  }
  return cells;
}

/// What the column "Level" means; in some samples other things stand there.
std::optional<log_severity> level_of(const std::string& word) {
  static const std::map<std::string, log_severity> words = {
      {"V", log_severity::debug},         {"D", log_severity::debug},
      {"DEBUG", log_severity::debug},     {"I", log_severity::info},
      {"INFO", log_severity::info},       {"Info", log_severity::info},
      {"info", log_severity::info},       {"notice", log_severity::notice},
      {"W", log_severity::warning},       {"WARN", log_severity::warning},
      {"WARNING", log_severity::warning}, {"Warning", log_severity::warning},
      {"E", log_severity::error},         {"ERROR", log_severity::error},
      {"Error", log_severity::error},     {"error", log_severity::error},
      {"SEVERE", log_severity::error},    {"FAILURE", log_severity::error},
      {"F", log_severity::fatal},         {"FATAL", log_severity::fatal}};
  const auto found = words.find(word);
  return found == words.end() ? std::nullopt : std::optional(found->second);
}

sample read_sample(const fs::path& log) {
  sample made;
  made.name = log.filename().string();
  made.name.resize(made.name.size() - suffix.size());
  made.lines = lines_of(log);
  const auto table = lines_of(log.string() + "_structured.csv");
  if (table.size() < made.lines.size() + 1) give_up(made.name + " has too few labels");
  const auto head = cells_of(table[0]);
  const auto column = [&](std::string_view name) {
    return static_cast<std::size_t>(std::find(head.begin(), head.end(), name) - head.begin());
  };
  const auto event = column("EventId");
  const auto level = column("Level");
  const auto rules = redactor().with_patterns();
  for (std::size_t i = 0; i < made.lines.size(); ++i) {
    const auto cells = cells_of(table[i + 1]);
    if (cells.size() != head.size()) give_up(made.name + " has a broken row of labels");
    label one{cells[event], level < cells.size() ? level_of(cells[level]) : std::nullopt};
    made.by_text.emplace(tasks::clean_line(rules.redact(made.lines[i]), 4096), one);
    made.labels.push_back(std::move(one));
  }
  return made;
}

const label* label_of(const sample& of, const tasks::triage_finding& finding) {
  const auto found = of.by_text.find(finding.example);
  return found == of.by_text.end() ? nullptr : &found->second;
}

tasks::triage_report triage_of(const sample& of, std::size_t from, std::size_t until,
                               std::optional<tasks::triage_baseline> before) {
  tasks::triage_options options;
  options.now = parse_time("2026-01-01T00:00:00Z").value_or(0);
  options.max_findings = of.lines.size();
  options.example_bytes = 4096;
  tasks::log_triage triage(options, redactor(), std::move(before));
  const auto source = triage.open(of.name, tasks::log_source_kind::file).value_or(0);
  for (auto i = from; i < until; ++i) triage.add(source, of.lines[i]);
  return triage.finish();
}

struct counts {
  std::size_t right = 0;
  std::size_t stated = 0;  // findings whose line has a level
  std::size_t false_new = 0;
  std::size_t seen = 0;  // findings of the second half whose event is one of the first
  std::size_t unlabelled = 0;
};

void count(const sample& of, counts& into) {
  for (const auto& finding : triage_of(of, 0, of.lines.size(), std::nullopt).findings) {
    const auto* is = label_of(of, finding);
    if (is == nullptr) ++into.unlabelled;
    if (is == nullptr || !is->level) continue;
    ++into.stated;
    if (finding.severity == *is->level) ++into.right;
  }
  const auto half = of.lines.size() / 2;
  std::set<std::string> events;
  for (std::size_t i = 0; i < half; ++i) events.insert(of.labels[i].event);
  auto first = tasks::baseline_of(triage_of(of, 0, half, std::nullopt), "the first half");
  for (const auto& finding : triage_of(of, half, of.lines.size(), std::move(first)).findings) {
    const auto* is = label_of(of, finding);
    if (is == nullptr || !events.contains(is->event)) continue;
    ++into.seen;
    if (finding.novelty == triage_novelty::fresh) ++into.false_new;
  }
}

double share(std::size_t part, std::size_t of) {
  return of == 0 ? 0 : static_cast<double>(part) / static_cast<double>(of);
}

int run(const fs::path& folder) {
  std::vector<fs::path> logs;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().filename().string().ends_with(suffix)) logs.push_back(entry.path());
  }
  std::sort(logs.begin(), logs.end());
  if (logs.empty()) give_up("there is no NAME_2k.log in " + folder.string());
  counts all;
  for (const auto& log : logs) {
    const auto one = read_sample(log);
    counts own;
    count(one, own);
    std::fprintf(stderr, "%-12s severity %zu/%zu, false new %zu/%zu\n", one.name.c_str(), own.right,
                 own.stated, own.false_new, own.seen);
    all.right += own.right;
    all.stated += own.stated;
    all.false_new += own.false_new;
    all.seen += own.seen;
    all.unlabelled += own.unlabelled;
  }
  const auto right = share(all.right, all.stated);
  const auto false_new = share(all.false_new, all.seen);
  report line("loghub", logs.size(), right, "severity right", severity_bar, right / severity_bar);
  line.at_least("severity", right, severity_bar).at_most("false_new", false_new, novelty_bar);
  line.add("findings_with_level", static_cast<std::int64_t>(all.stated));
  line.add("findings_seen_before", static_cast<std::int64_t>(all.seen));
  line.add("unlabelled", static_cast<std::int64_t>(all.unlabelled));
  line.print();
  return 0;
}

}  // namespace
}  // namespace reeve::bench

int main(int argc, char** argv) {
  if (argc != 2) reeve::bench::give_up("needs the folder of loghub's samples");
  return reeve::bench::run(argv[1]);
}
