//===- TuningDatabase.cpp - Tuning records in a file ----------------------===//

#include "tuning/TuningDatabase.h"

#include "tuning/UntypedSpec.h"

#include <sqlite3.h>

#include <filesystem>

namespace resin::tuning {

namespace {

/// Of the table's form, in the file's `user_version`. 0 had no column `numerics`: its searches raced all forms. Until 1
/// specs did not say the types of their nodes, until 2 knobs were numbers without names, each in a column of its own.
constexpr int kFormat = 3, kNamedKnobs = 3;

/// `hash` is of the text `spec`.
constexpr const char *kSchema =
    "CREATE TABLE tuning (hash INTEGER, target TEXT, cpu TEXT, threads INTEGER, version TEXT, spec TEXT, numerics TEXT,"
    " knobs TEXT, median INTEGER, spread INTEGER, untuned INTEGER, error INTEGER,"
    " PRIMARY KEY (hash, target, cpu, threads, version, spec, numerics))";
constexpr const char *kInsert = "INSERT OR REPLACE INTO tuning VALUES (?,?,?,?,?,?,?,?,?,?,?,?)";

/// An old table's columns: `numerics` and `knobs` are what stands for these there.
std::string columns(const std::string &numerics, const std::string &knobs) {
  return "target, cpu, threads, version, spec, " + numerics + ", " + knobs + ", median, spread, untuned, error";
}

/// Knobs beyond a template's own were null. One that is no integer makes a text that cannot be read.
const std::string kNumbers = [] {
  std::string text = "CAST(knob0 AS TEXT)";
  for (char digit = '1'; digit <= '8'; ++digit)
    text += std::string(" || COALESCE(',' || knob") + digit + ", '')";
  return text;
}();

/// Of each format, as today's.
std::string columnsOf(int64_t format) {
  return format == 0            ? columns("'fast'", kNumbers)
         : format < kNamedKnobs ? columns("numerics", kNumbers)
                                : columns("numerics", "knobs");
}
std::string selectOf(int64_t format) {
  return "SELECT " + columnsOf(format) + " FROM tuning ORDER BY hash, target, cpu, threads, version, spec" +
         (format == 0 ? "" : ", numerics") + " LIMIT 65536";
}
/// Whether the table is of that old format, and no view of anything.
const char *insertOf(int64_t format) {
  return format == 0 ? "INSERT INTO tuning VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
                     : "INSERT INTO tuning VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)";
}
constexpr const char *kRename = "ALTER TABLE tuning RENAME TO tuning0";
std::string moveFrom(int64_t format) {
  return "INSERT INTO tuning SELECT hash, " + columnsOf(format) + " FROM tuning0";
}
constexpr const char *kDrop = "DROP TABLE tuning0";

/// Behind it specs say the types of their nodes, by functions of ours.
constexpr const char *kRetype =
    "UPDATE OR REPLACE tuning SET spec = with_types(spec), hash = hash_of(with_types(spec))";

/// Steps of SQLite's machine that reading or moving may take: a table may be a view of anything.
constexpr int kMostSteps = 10'000'000;

struct Close {
  void operator()(sqlite3 *database) const { sqlite3_close_v2(database); }
  void operator()(sqlite3_stmt *statement) const { sqlite3_finalize(statement); }
};
using Database = std::unique_ptr<sqlite3, Close>;
using Statement = std::unique_ptr<sqlite3_stmt, Close>;

int openFile(const std::string &path, int flags, Database &database) {
  sqlite3 *opened = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &opened, flags, nullptr);
  database.reset(opened);
  if (code != SQLITE_OK)
    return code;
  // Nothing that a schema says is trusted, and no value is longer than a spec can be.
  sqlite3_db_config(opened, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(opened, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(opened, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
  sqlite3_limit(opened, SQLITE_LIMIT_LENGTH, 1 << 20);
  sqlite3_busy_timeout(opened, 2000);
  return code;
}

Statement prepare(sqlite3 *database, const std::string &text) {
  sqlite3_stmt *statement = nullptr;
  sqlite3_prepare_v2(database, text.c_str(), -1, &statement, nullptr);
  return Statement(statement);
}

std::string textAt(sqlite3_stmt *row, int column) {
  if (sqlite3_column_type(row, column) != SQLITE_TEXT)
    return "";
  const auto *text = reinterpret_cast<const char *>(sqlite3_column_text(row, column));
  return text ? std::string(text, sqlite3_column_bytes(row, column)) : "";
}

/// -1, which no field may be, unless it is an integer.
int64_t integerAt(sqlite3_stmt *row, int column) {
  return sqlite3_column_type(row, column) == SQLITE_INTEGER ? sqlite3_column_int64(row, column) : -1;
}

/// Returns what is wrong with the row; empty if nothing.
std::string readRow(sqlite3_stmt *row, TuningRecord &record) {
  const std::optional<codegen::Numerics> numerics = codegen::numericsNamed(textAt(row, 5));
  if (!numerics)
    return "numerics are fast or strict";
  record = {.target = textAt(row, 0),
            .cpu = textAt(row, 1),
            .threads = integerAt(row, 2),
            .version = textAt(row, 3),
            .spec = withTypes(textAt(row, 4)),
            .numerics = *numerics,
            .knobs = {}};
  if (!readRecordKnobs(textAt(row, 6), record))
    return "the knobs cannot be read";
  record.median = integerAt(row, 7), record.spread = integerAt(row, 8), record.untuned = integerAt(row, 9),
  record.error = integerAt(row, 10);
  return findMistake(record);
}

/// -1 if the file cannot be read.
int64_t formatOf(sqlite3 *database) {
  Statement pragma = prepare(database, "PRAGMA user_version");
  return pragma && sqlite3_step(pragma.get()) == SQLITE_ROW ? integerAt(pragma.get(), 0) : -1;
}

/// Returns SQLite's code.
int run(sqlite3 *database, std::initializer_list<std::string> statements) {
  int code = SQLITE_OK;
  for (const std::string &statement : statements)
    if (code == SQLITE_OK)
      code = sqlite3_exec(database, statement.c_str(), nullptr, nullptr, nullptr);
  return code;
}

std::string describeFormat(int64_t format) {
  return "its format " + std::to_string(format) + " is unknown: a later Resin wrote it";
}

std::string argument(sqlite3_value *value) {
  const auto *text = reinterpret_cast<const char *>(sqlite3_value_text(value));
  return text ? std::string(text, sqlite3_value_bytes(value)) : "";
}

void withTypesInSql(sqlite3_context *context, int, sqlite3_value **values) {
  const std::string text = withTypes(argument(values[0]));
  sqlite3_result_text(context, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT);
}

void hashInSql(sqlite3_context *context, int, sqlite3_value **values) {
  sqlite3_result_int64(context, static_cast<int64_t>(hash(std::string_view(argument(values[0])))));
}

int retype(sqlite3 *database) {
  constexpr int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY;
  auto add = [&](const char *name, void (*function)(sqlite3_context *, int, sqlite3_value **)) {
    return sqlite3_create_function(database, name, 1, flags, nullptr, function, nullptr, nullptr);
  };
  int code = add("with_types", withTypesInSql);
  if (code == SQLITE_OK)
    code = add("hash_of", hashInSql);
  return code == SQLITE_OK ? run(database, {kRetype}) : code;
}

/// Makes the table, or what older formats had into what it is now, within a transaction. Whatever else stands there is
/// left alone and an error; `mistake` says what is wrong, if SQLite does not know.
int bringUpToDate(sqlite3 *database, std::string &mistake) {
  const int64_t format = formatOf(database);
  if (format == kFormat)
    return SQLITE_OK;
  if (format < 0 || format > kFormat)
    return mistake = describeFormat(format), SQLITE_ERROR;
  const bool isOld = prepare(database, selectOf(format)) && prepare(database, insertOf(format));
  int code = isOld ? run(database, {kRename, kSchema, moveFrom(format), kDrop}) : run(database, {kSchema});
  if (code == SQLITE_OK)
    code = retype(database);
  return code == SQLITE_OK ? run(database, {"PRAGMA user_version = " + std::to_string(kFormat)}) : code;
}

} // namespace

std::vector<TuningRecord> readDatabase(const std::string &path, std::string &warning) {
  std::vector<TuningRecord> records;
  std::error_code missing;
  if (path.empty() || !std::filesystem::exists(path, missing))
    return records;
  const std::string about = "tuning database '" + path + "': ";
  // Whoever opens a pipe waits for its other end.
  if (!std::filesystem::is_regular_file(path, missing)) {
    warning = about + "is not a file";
    return records;
  }
  Database database;
  if (openFile(path, SQLITE_OPEN_READONLY, database) != SQLITE_OK) {
    warning = about + (database ? sqlite3_errmsg(database.get()) : "out of memory");
    return records;
  }
  sqlite3_progress_handler(
      database.get(), kMostSteps, [](void *) { return 1; }, nullptr);
  const int64_t format = formatOf(database.get());
  if (format > kFormat) {
    warning = about + describeFormat(format);
    return records;
  }
  Statement select = prepare(database.get(), selectOf(format));
  size_t dropped = 0;
  int code = select ? SQLITE_ROW : sqlite3_errcode(database.get());
  while (select && (code = sqlite3_step(select.get())) == SQLITE_ROW) {
    TuningRecord record;
    const std::string mistake = readRow(select.get(), record);
    if (mistake.empty())
      records.push_back(std::move(record));
    else if (!dropped++)
      warning = about + mistake;
  }
  if (dropped)
    warning += "; " + std::to_string(dropped) + " records were left out";
  if (code != SQLITE_DONE)
    warning = about + sqlite3_errmsg(database.get()) + "; " + std::to_string(records.size()) + " records could be read";
  return records;
}

std::unique_ptr<TuningDatabase> TuningDatabase::open(const std::string &path, std::string &error) {
  std::error_code code;
  if (std::filesystem::path parent = std::filesystem::path(path).parent_path(); !parent.empty())
    std::filesystem::create_directories(parent, code);
  Database database;
  std::string mistake;
  const bool isInTheWay = std::filesystem::exists(path, code) && !std::filesystem::is_regular_file(path, code);
  if (isInTheWay)
    mistake = "it is not a file";
  int result = isInTheWay ? SQLITE_CANTOPEN : openFile(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, database);
  if (result == SQLITE_OK) {
    sqlite3_progress_handler(
        database.get(), kMostSteps, [](void *) { return 1; }, nullptr);
    result = run(database.get(), {"BEGIN IMMEDIATE"});
    if (result == SQLITE_OK)
      result = bringUpToDate(database.get(), mistake);
    if (result == SQLITE_OK)
      result = run(database.get(), {"COMMIT"});
    sqlite3_progress_handler(database.get(), 0, nullptr, nullptr);
  }
  // A table of another shape is found out here, not after an hour of measuring.
  if (result == SQLITE_OK && !prepare(database.get(), kInsert))
    result = sqlite3_errcode(database.get());
  if (result == SQLITE_OK)
    return std::unique_ptr<TuningDatabase>(new TuningDatabase(database.release()));
  if (mistake.empty())
    mistake = database ? sqlite3_errmsg(database.get()) : "out of memory";
  error =
      "cannot write the tuning database '" + path + "': " + mistake + "; move it away or name another with --database";
  return nullptr;
}

TuningDatabase::~TuningDatabase() { sqlite3_close_v2(database); }

bool TuningDatabase::put(const TuningRecord &record, std::string &error) {
  if (error = findMistake(record); !error.empty())
    return false;
  Statement insert = prepare(database, kInsert);
  int column = 1;
  auto integer = [&](int64_t value) { sqlite3_bind_int64(insert.get(), column++, value); };
  auto text = [&](const std::string &value) {
    sqlite3_bind_text(insert.get(), column++, value.data(), static_cast<int>(value.size()), SQLITE_TRANSIENT);
  };
  integer(static_cast<int64_t>(hash(std::string_view(record.spec))));
  text(record.target), text(record.cpu), integer(record.threads), text(record.version), text(record.spec);
  text(codegen::nameOf(record.numerics));
  text(printKnobs(record.knobs));
  integer(record.median), integer(record.spread), integer(record.untuned), integer(record.error);
  if (sqlite3_step(insert.get()) == SQLITE_DONE)
    return true;
  error = std::string("cannot write a tuning record: ") + sqlite3_errmsg(database);
  return false;
}

} // namespace resin::tuning
