#pragma once
// Looking at databases, and tampering with them, through libpq as the superuser.

#include <libpq-fe.h>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace support {

struct pg_error : std::runtime_error {
  pg_error(const std::string& what, std::string state)
      : std::runtime_error(what), sqlstate(std::move(state)) {}
  std::string sqlstate;  // five characters; empty when the connection itself failed
};

using pg_cell = std::optional<std::string>;

struct pg_rows {
  std::vector<std::string> columns;
  std::vector<std::vector<pg_cell>> rows;
  std::size_t affected = 0;

  std::size_t size() const { return rows.size(); }
  /// Throws when there is no such column.
  const pg_cell& at(std::size_t row, const std::string& column) const;
};

/// One connection. A statement may take 20 s, then it fails.
class pg {
 public:
  explicit pg(const std::string& url);

  /// Parameters stand as $1, $2 in the statement; they travel as text.
  pg_rows query(const std::string& sql, const std::vector<pg_cell>& parameters = {});
  /// The only cell of the only row.
  pg_cell cell(const std::string& sql, const std::vector<pg_cell>& parameters = {});
  /// The same as a number; throws when it is null or none.
  long long number(const std::string& sql, const std::vector<pg_cell>& parameters = {});
  /// Several statements, without parameters and results.
  void exec(const std::string& sql);
  PGconn* raw() { return connection_.get(); }

 private:
  struct closer {
    void operator()(PGconn* connection) const { PQfinish(connection); }
  };
  std::unique_ptr<PGconn, closer> connection_;
};

/// The URL with another database's name in it.
std::string with_database(const std::string& url, const std::string& database);

/// A fresh, migrated database on the common cluster; dropped at the end.
class test_database {
 public:
  test_database();
  ~test_database();
  test_database(const test_database&) = delete;
  test_database& operator=(const test_database&) = delete;
  const std::string& url() const { return url_; }
  const std::string& name() const { return name_; }

 private:
  std::string name_;
  std::string url_;
};

}  // namespace support
