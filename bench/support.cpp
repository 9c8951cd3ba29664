#include "bench/support.hpp"

#include "codec/json_writer.hpp"
#include "persistence/migrate.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <libpq-fe.h>
#include <memory>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

namespace reeve::bench {
namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string url_of(const settings& s, const std::string& database) {
  return "postgresql:///" + database + "?host=" + s.cluster + "&user=reeve";
}

/// Three significant decimals are more than any of these figures is worth.
std::string number(double value) {
  std::array<char, 64> text;
  const double size = std::fabs(value);
  std::snprintf(text.data(), text.size(),
                size >= 1000 ? "%.0f"
                : size >= 10 ? "%.2f"
                             : "%.4f",
                value);
  return text.data();
}

}  // namespace

void give_up(const std::string& why) {
  std::fprintf(stderr, "bench: %s\n", why.c_str());
  std::exit(1);
}

settings read_settings(int argc, char** argv) {
  settings s;
  s.cluster = variable("REEVE_BENCH_PG");
  s.folder = variable("REEVE_BENCH_DIR");
  s.reeve = variable("REEVE_BENCH_SERVER");
  s.engine = variable("REEVE_BENCH_ENGINE");
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--quick") != 0) give_up("the only option is --quick");
    s.quick = true;
  }
  if (s.cluster.empty() || s.folder.empty()) give_up("start it through bench/run");
  return s;
}

std::string query(const std::string& url, const std::string& sql) {
  const std::unique_ptr<PGconn, void (*)(PGconn*)> connection(PQconnectdb(url.c_str()), PQfinish);
  const std::unique_ptr<PGresult, void (*)(PGresult*)> result(PQexec(connection.get(), sql.c_str()),
                                                              PQclear);
  const auto status = PQresultStatus(result.get());
  if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
    give_up(std::string("a query failed: ") + PQerrorMessage(connection.get()));
  }
  return PQntuples(result.get()) > 0 ? PQgetvalue(result.get(), 0, 0) : "";
}

bench_database make_database(const settings& s, const std::string& name) {
  query(url_of(s, "postgres"), "CREATE DATABASE " + name + " TEMPLATE template0 ENCODING 'UTF8'");
  return open_database(s, name);
}

bench_database open_database(const settings& s, const std::string& name) {
  bench_database db{name, url_of(s, name), {}};
  persistence::roles_options roles;
  roles.owner_url = db.owner_url;
  roles.secrets_file = s.folder + "/roles-" + name;
  db.logins = need(persistence::ensure_roles(roles), "roles");
  need(persistence::migrate({db.owner_url, db.logins.writer_role, db.logins.reader_role}),
       "migrations");
  return db;
}

double quantile(std::vector<double> values, double q) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const auto rank = static_cast<std::size_t>(std::ceil(q * static_cast<double>(values.size())));
  return values[std::min(values.size() - 1, rank == 0 ? 0 : rank - 1)];
}

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const auto n = values.size();
  return n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

interval median_interval(std::vector<double> values) {
  if (values.empty()) return {};
  std::sort(values.begin(), values.end());
  // The number of values below the median is binomial(n, 1/2); 1.96 of its deviations on each side.
  const auto n = static_cast<double>(values.size());
  const double reach = 1.96 * std::sqrt(n) / 2;
  const auto low = static_cast<std::int64_t>(std::floor(n / 2 - reach));
  const auto high = static_cast<std::int64_t>(std::ceil(n / 2 + reach));
  const auto last = static_cast<std::int64_t>(values.size()) - 1;
  return {values[static_cast<std::size_t>(std::clamp<std::int64_t>(low, 0, last))],
          values[static_cast<std::size_t>(std::clamp<std::int64_t>(high, 0, last))]};
}

std::int64_t mono_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

double thread_cpu_s() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

std::int64_t cpu_us_of(int pid) {
  clockid_t clock{};
  timespec spent{};
  if (::clock_getcpuclockid(pid, &clock) != 0 || ::clock_gettime(clock, &spent) != 0) return 0;
  return spent.tv_sec * 1'000'000 + spent.tv_nsec / 1000;
}

std::int64_t pss_bytes_of(int pid) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/smaps_rollup");
  constexpr std::string_view name = "Pss:";
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with(name)) return std::strtoll(line.c_str() + name.size(), nullptr, 10) * 1024;
  }
  return 0;
}

double fdatasync_us(const std::string& folder) {
  const std::string path = folder + "/fdatasync";
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) give_up("the scratch folder cannot be written");
  const std::string block(8192, 'x');
  std::vector<double> times;
  for (int i = 0; i < 200; ++i) {
    const auto begin = mono_us();
    // The same place, as a WAL segment that is used again: no metadata changes.
    if (::pwrite(file, block.data(), block.size(), 0) != 8192 || ::fdatasync(file) != 0) {
      give_up("the scratch folder cannot be written");
    }
    times.push_back(static_cast<double>(mono_us() - begin));
  }
  ::close(file);
  ::unlink(path.c_str());
  return median(times);
}

std::string file_system_of(const std::string& folder) {
  struct statfs info {};
  if (::statfs(folder.c_str(), &info) != 0) return "unknown";
  switch (static_cast<std::uint64_t>(info.f_type)) {  // statfs(2)
    case 0xEF53:
      return "ext4";
    case 0x58465342:
      return "xfs";
    case 0x9123683E:
      return "btrfs";
    case 0x794C7630:
      return "overlay";
    case 0x01021994:
      return "tmpfs";
    default:
      return "other";
  }
}

report::report(std::string_view bench, std::size_t n, double value, std::string_view unit,
               double baseline, double ratio)
    : name_(bench), n_(n) {
  text_ = "{";
  add("bench", bench).add("value", value).add("unit", unit);
  add("baseline", baseline).add("ratio", ratio);
}

void report::key(std::string_view name) {
  if (text_.size() > 1) text_ += ", ";
  text_ += codec::json_writer().value(name).text() + ": ";
}

report& report::add(std::string_view name, double value) {
  key(name);
  text_ += std::isfinite(value) ? number(value) : "null";
  return *this;
}
report& report::add(std::string_view name, std::int64_t value) {
  key(name);
  text_ += std::to_string(value);
  return *this;
}
report& report::add(std::string_view name, std::string_view value) {
  key(name);
  text_ += codec::json_writer().value(value).text();
  return *this;
}
report& report::add(std::string_view name, bool value) {
  key(name);
  text_ += value ? "true" : "false";
  return *this;
}

report& report::at_least(std::string_view figure, double value, double bar) {
  bars_.push_back({name_ + "." + std::string(figure), value, bar, value >= bar});
  return *this;
}
report& report::at_most(std::string_view figure, double value, double bar) {
  bars_.push_back({name_ + "." + std::string(figure), value, bar, value <= bar});
  return *this;
}

void report::print_bar(const bar_row& one, double load) const {
  std::printf(
      "{\"row\": %s, \"value\": %s, \"bar\": %s, \"pass\": %s, \"n\": %zu, \"seed\": 0, "
      "\"load\": %s}\n",
      codec::json_writer().value(one.row).text().c_str(), number(one.value).c_str(),
      number(one.bar).c_str(), one.pass ? "true" : "false", n_, number(load).c_str());
}

void report::print() {
  std::array<double, 3> load{};
  ::getloadavg(load.data(), 3);
  for (const auto& one : bars_) print_bar(one, load[0]);
  add("cpus", static_cast<std::int64_t>(::sysconf(_SC_NPROCESSORS_ONLN)));
  add("load_1m", load[0]);
  std::printf("%s}\n", text_.c_str());
  std::fflush(stdout);
}

}  // namespace reeve::bench
