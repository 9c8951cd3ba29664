#pragma once
// What the benchmarks share: fresh databases on the cluster that bench/run started, statistics,
// CPU clocks, and the one line of JSON that each of them prints last.

#include "base/outcome.hpp"
#include "persistence/roles.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace reeve::bench {

/// From bench/run, in environment variables.
struct settings {
  std::string cluster;  // socket folder of a private PostgreSQL whose superuser is "reeve"
  std::string folder;   // scratch, on the disk of the cluster
  std::string reeve;    // the server binary
  std::string engine;   // socket of a private container engine; empty = none
  bool quick = false;   // everything in at most a minute; figures then only show that it works
};

/// Ends the process with a message on stderr; a benchmark has nobody to hand an error to.
[[noreturn]] void give_up(const std::string& why);
template <class T>
T need(outcome<T> result, std::string_view what) {
  if (!result) give_up(std::string(what) + ": " + result.error().detail);
  return std::move(result).value();
}

settings read_settings(int argc, char** argv);

/// A database with our schema and the two runtime logins.
struct bench_database {
  std::string name;
  std::string owner_url;
  persistence::runtime_logins logins;
};
bench_database make_database(const settings& s, const std::string& name);
/// The same for a database that is there: what is missing of schema and logins is made.
bench_database open_database(const settings& s, const std::string& name);
/// Runs SQL; the first cell of the answer, empty if there is none.
std::string query(const std::string& url, const std::string& sql);

double median(std::vector<double> values);
/// 0..1; nearest rank.
double quantile(std::vector<double> values, double q);
/// An interval that holds the median with at least 95 % (binomial, no assumption on the shape).
struct interval {
  double low = 0;
  double high = 0;
};
interval median_interval(std::vector<double> values);

std::int64_t mono_us();
/// CPU time of a process and all its threads, in microseconds; 0 if it is gone.
std::int64_t cpu_us_of(int pid);
/// Of this thread, in seconds: neighbours do not count.
double thread_cpu_s();
/// Memory of a process in bytes, what it shares with others in parts (proc(5), Pss); 0 if
/// unreadable.
std::int64_t pss_bytes_of(int pid);
/// Median time of an 8 KiB write and its fdatasync in `folder`, in microseconds.
double fdatasync_us(const std::string& folder);
/// "ext4", "tmpfs", …
std::string file_system_of(const std::string& folder);

/// What a benchmark says: a line for each of its bars, {"row", "value", "bar", "pass", "n", "seed",
/// "load"}, and one of details last, {"bench", "value", "unit", "baseline", "ratio", …}. `n` counts
/// the rounds whose median it is; nothing here is drawn by chance, so `seed` is 0.
class report {
 public:
  report(std::string_view bench, std::size_t n, double value, std::string_view unit,
         double baseline, double ratio);
  /// A bar of the row `NAME.figure`, reached by a value that is not below it, or not above.
  report& at_least(std::string_view figure, double value, double bar);
  report& at_most(std::string_view figure, double value, double bar);
  report& add(std::string_view name, double value);
  report& add(std::string_view name, std::int64_t value);
  report& add(std::string_view name, std::string_view value);
  report& add(std::string_view name, bool value);
  /// Adds the machine's load, prints all lines, and flushes.
  void print();

 private:
  struct bar_row {
    std::string row;
    double value = 0;
    double bar = 0;
    bool pass = false;
  };
  void key(std::string_view name);
  void print_bar(const bar_row& one, double load) const;
  std::string name_, text_;
  std::size_t n_ = 0;
  std::vector<bar_row> bars_;
};

}  // namespace reeve::bench
