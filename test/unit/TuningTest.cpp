//===- TuningTest.cpp - Records, the database, and what is made of them ---===//

#include "codegen/KernelLibrary.h"
#include "codegen/LoadedKernels.h"
#include "test/unit/KernelCheck.h"
#include "test/unit/PlannedKnobs.h"
#include "test/unit/TemporaryFolder.h"
#include "tuning/ChooseKnobs.h"
#include "tuning/KernelClock.h"
#include "tuning/KernelSearch.h"
#include "tuning/TuningDatabase.h"
#include "tuning/UntypedSpec.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>

using namespace resin;
using namespace resin::tuning;

namespace {

using Knobs = NumberedKnobs;

/// A convolution of n images with c channels to k, size x size, window r, stride 1.
std::string conv(int n, int c, int size, int k, int r = 3) {
  auto list = [](std::vector<int> values) {
    std::string text;
    for (int value : values)
      text += (text.empty() ? "[" : ",") + std::to_string(value);
    return text + "]";
  };
  const std::string y = list({n, k, size, size}), pad = std::to_string(r / 2);
  return "(f32" + list({n, c, size, size}) + "c16h1, f32" + list({k, c, r, r}) +
         "k16c16) { %2 = conv2d(%0, %1) {dilations=[1,1], groups=1, padding=[" + pad + "," + pad + "," + pad + "," +
         pad + "], strides=[1,1]} : f32" + y + " } -> (%2: f32" + y + "c16)";
}

/// As specs were printed before nodes said types, if their results are all f32.
std::string withoutTypes(std::string text) {
  for (size_t at; (at = text.find("} : f32[")) != std::string::npos;)
    text.erase(at + 4, 3);
  return text;
}

KernelSpec specOf(const std::string &text) {
  KernelSpec spec;
  std::string error;
  EXPECT_TRUE(parse(text, spec, error)) << error;
  return spec;
}

TargetInfo target(const std::string &name) {
  TargetInfo found;
  std::string error;
  EXPECT_TRUE(findTarget(name, found, error)) << error;
  return found;
}

TuningRecord record(const std::string &spec, const Knobs &knobs) {
  return {.target = "x86-64-v3",
          .cpu = "cpu",
          .version = "1",
          .spec = spec,
          .knobs = knobs,
          .median = 800,
          .spread = 10,
          .untuned = 1000,
          .error = 70};
}

/// An entry function's signature.
const char *const kEntry = "entry train_step 0123456789abcdef";
const Knobs kDirect = {4, 1, 1, 2, 4, 0, 0, 0}, kWinograd = {4, 2, 4, 4, 1, 8, 4}, kWinograd2 = {2, 4, 2, 4, 1, 8, 4};

/// Of a search that raced only what strict programs may use.
TuningRecord strictRecord(const std::string &spec, const Knobs &knobs) {
  TuningRecord strict = record(spec, knobs);
  strict.numerics = codegen::Numerics::Strict;
  return strict;
}

KnobChooser chooser(const std::vector<TuningRecord> &user, const std::vector<TuningRecord> &shipped = {},
                    codegen::Numerics numerics = codegen::Numerics::Fast) {
  return {user, shipped, target("v3"), "cpu", "1", numerics};
}

std::vector<TuningRecord> read(const std::string &path, bool warns) {
  std::string warning;
  std::vector<TuningRecord> records = readDatabase(path, warning);
  EXPECT_EQ(!warning.empty(), warns) << warning;
  return records;
}

void put(const std::string &path, const TuningRecord &record) {
  std::string error;
  auto database = TuningDatabase::open(path, error);
  ASSERT_TRUE(database) << error;
  EXPECT_TRUE(database->put(record, error)) << error;
}

void execute(const std::string &path, const std::string &statements) {
  sqlite3 *database = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &database), SQLITE_OK);
  EXPECT_EQ(sqlite3_exec(database, statements.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
      << sqlite3_errmsg(database);
  sqlite3_close(database);
}

//===----------------------------------------------------------------------===//
// The database
//===----------------------------------------------------------------------===//

TEST(TuningDatabaseTest, ReadsWhatItWrote) {
  TemporaryFolder folder;
  const std::string path = folder / "deep/tuning.db";
  EXPECT_TRUE(read(path, false).empty());
  const TuningRecord first = record(conv(1, 16, 8, 16), kDirect),
                     second = record(conv(1, 32, 8, 16), {4, 1, 1, 4, 1, 4, 0});
  put(path, first);
  put(path, second);
  TuningRecord better = first;
  better.median = 700;
  put(path, better);
  std::vector<TuningRecord> records = read(path, false);
  ASSERT_EQ(records.size(), 2u);
  EXPECT_TRUE((records[0] == better && records[1] == second) || (records[1] == better && records[0] == second));
}

TEST(TuningDatabaseTest, NumericsAreOfTheKey) {
  TemporaryFolder folder;
  const std::string path = folder / "tuning.db", text = conv(1, 16, 8, 16);
  const TuningRecord fast = record(text, kWinograd), strict = strictRecord(text, kDirect);
  put(path, fast);
  put(path, strict);
  put(path, fast);
  EXPECT_EQ(read(path, false), (std::vector<TuningRecord>{fast, strict}));
}

/// As Resin wrote them before knobs had names, and with format 0 before records had numerics.
void makeOldDatabase(const std::string &path, int format, const TuningRecord &record, const std::string &numbers) {
  const std::string numerics = format ? " numerics TEXT," : "";
  execute(path, "PRAGMA user_version = " + std::to_string(format));
  execute(path, "CREATE TABLE tuning (hash INTEGER, target TEXT, cpu TEXT, threads INTEGER, version TEXT, spec TEXT," +
                    numerics +
                    " knob0 INTEGER, knob1 INTEGER, knob2 INTEGER, knob3 INTEGER, knob4 INTEGER, knob5 INTEGER,"
                    " knob6 INTEGER, knob7 INTEGER, knob8 INTEGER, median INTEGER, spread INTEGER, untuned INTEGER,"
                    " error INTEGER, PRIMARY KEY (hash, target, cpu, threads, version, spec" +
                    (format ? ", numerics))" : "))"));
  std::string nulls;
  for (auto commas = std::count(numbers.begin(), numbers.end(), ','); commas < 8; ++commas)
    nulls += ",NULL";
  execute(path, "INSERT INTO tuning VALUES (" + std::to_string(static_cast<int64_t>(hash(record.spec))) + ",'" +
                    record.target + "','" + record.cpu + "',1,'" + record.version + "','" + record.spec + "'," +
                    (format ? std::string("'") + codegen::nameOf(record.numerics) + "'," : "") + numbers + nulls + "," +
                    std::to_string(record.median) + "," + std::to_string(record.spread) + "," +
                    std::to_string(record.untuned) + "," + std::to_string(record.error) + ")");
}

// Their searches raced all forms. The first record that is added brings the table up to date.
TEST(TuningDatabaseTest, OldDatabasesAreFast) {
  TemporaryFolder folder;
  const std::string path = folder / "tuning.db", text = conv(1, 16, 8, 16);
  const TuningRecord old = record(text, kWinograd), strict = strictRecord(text, kDirect);
  makeOldDatabase(path, 0, old, "4,2,4,4,1,8,4");
  EXPECT_EQ(read(path, false), std::vector<TuningRecord>{old});
  put(path, strict);
  EXPECT_EQ(read(path, false), (std::vector<TuningRecord>{old, strict}));
  TuningRecord better = old;
  better.median = 700;
  put(path, better);
  EXPECT_EQ(read(path, false), (std::vector<TuningRecord>{better, strict}));
}

// Nodes did not say the types of their results. Such a record is of the same kernel as today's, and is replaced by one.
TEST(TuningDatabaseTest, OldDatabasesHaveNodesWithoutTypes) {
  TemporaryFolder folder;
  const std::string path = folder / "tuning.db", text = conv(1, 16, 8, 16);
  const TuningRecord old = record(text, kDirect), untyped = record(withoutTypes(text), kDirect);
  makeOldDatabase(path, 1, untyped, "4,1,1,2,4,0,0,0");
  EXPECT_EQ(read(path, false), std::vector<TuningRecord>{old});
  TuningRecord better = old;
  better.median = 700;
  put(path, better);
  EXPECT_EQ(read(path, false), std::vector<TuningRecord>{better});
}

// What numbers meant was told by how many there were, and of Winograd's by the tile that came first.
TEST(TuningDatabaseTest, OldNumbersGetNames) {
  const std::string text = conv(4, 64, 8, 64);
  const std::pair<const char *, const char *> cases[] = {
      {"4,1,1,2,4,0,0,1",
       "direct{pixels=4, rows=1, images=1, vectors=2, channels=4, taps_inside=0, blocks=0, order=1}"},
      {"2,4,3,1,8,1,2,0,1", "weight{vectors=2, channels=4, taps_across=3, taps_down=1, rows=8, images=1, pixels=2, "
                            "rolled=0, pixels_inside=1}"},
      {"4,2,4,4,1,8,0", "winograd{rows=2, images=4, tiles=4, blocks=1, channels=8, chunk=0}"},
      {"2,4,2,4,1,8,4", "winograd2{rows=4, images=2, tiles=4, blocks=1, channels=8, chunk=4}"},
      {"4,16,3,2,4,4", "winograd-weight{rows=16, channels=3, blocks=2, tiles=4, panel=4}"},
      {"2,16,3,2,4,4", "winograd2-weight{rows=16, channels=3, blocks=2, tiles=4, panel=4}"}};
  for (const auto &[numbers, names] : cases)
    for (int format : {0, 1, 2}) {
      TemporaryFolder folder;
      const std::string path = folder / "tuning.db", other = conv(1, 16, 8, 16);
      const std::optional<resin::Knobs> known = readKnobs(names);
      ASSERT_TRUE(known) << names;
      const TuningRecord old = record(text, *known), later = record(other, kDirect);
      makeOldDatabase(path, format, old, numbers);
      EXPECT_EQ(read(path, false), std::vector<TuningRecord>{old}) << numbers;
      put(path, later);
      const std::vector<TuningRecord> both = read(path, false);
      EXPECT_EQ(both.size(), 2u);
      EXPECT_EQ(std::count(both.begin(), both.end(), old), 1) << numbers;
      // The same in a line of text.
      std::string line = printRecord(old), warning;
      EXPECT_NE(line.find(names), std::string::npos) << line;
      line.replace(line.find(names), std::string(names).size(), numbers);
      EXPECT_EQ(readRecordLines(line + "\n", warning), std::vector<TuningRecord>{old}) << warning;
    }
}

TEST(TuningDatabaseTest, OldFusionGetsNames) {
  TemporaryFolder folder;
  const std::string path = folder / "tuning.db";
  const TuningRecord old = record(kEntry, named({0, 1, 256, 16}));
  makeOldDatabase(path, 1, old, "0,1,256,16");
  EXPECT_EQ(read(path, false), std::vector<TuningRecord>{old});
  EXPECT_EQ(printKnobs(old.knobs), "fusion{epilogues=0, rebuild=1, piece_kib=256, most_pieces=16}");
}

TEST(TuningDatabaseTest, LaterFormatsAreLeftAlone) {
  TemporaryFolder folder;
  const std::string path = folder / "tuning.db";
  put(path, record(conv(1, 16, 8, 16), kDirect));
  execute(path, "PRAGMA user_version = 7");
  EXPECT_TRUE(read(path, true).empty());
  std::string error;
  EXPECT_FALSE(TuningDatabase::open(path, error));
  EXPECT_NE(error.find("its format 7 is unknown"), std::string::npos) << error;
  execute(path, "PRAGMA user_version = 3");
  EXPECT_EQ(read(path, false).size(), 1u);
}

TEST(TuningDatabaseTest, DamageIsAWarning) {
  TemporaryFolder folder;
  const std::string path = folder / "tuning.db";
  std::ofstream(path) << "this is no database, and long enough that nobody takes it for an empty one ................";
  EXPECT_TRUE(read(path, true).empty());
  std::string error;
  EXPECT_FALSE(TuningDatabase::open(path, error));
  EXPECT_NE(error.find("move it away"), std::string::npos) << error;
}

TEST(TuningDatabaseTest, EveryTruncationIsReadWithoutHarm) {
  TemporaryFolder folder;
  const std::string path = folder / "tuning.db", part = folder / "part.db";
  for (int c = 16; c <= 256; c += 16)
    put(path, record(conv(1, c, 8, 16), kDirect));
  const auto size = std::filesystem::file_size(path);
  for (uintmax_t length = 0; length < size; length += 977) {
    std::filesystem::copy_file(path, part, std::filesystem::copy_options::overwrite_existing);
    std::filesystem::resize_file(part, length);
    std::string warning;
    EXPECT_LE(readDatabase(part, warning).size(), 16u);
  }
}

TEST(TuningDatabaseTest, ForeignTablesAreAWarning) {
  TemporaryFolder folder;
  const std::string other = folder / "other.db", endless = folder / "endless.db";
  execute(other, "CREATE TABLE tuning (a, b)");
  EXPECT_TRUE(read(other, true).empty());
  std::string error;
  EXPECT_FALSE(TuningDatabase::open(other, error));
  execute(other, "SELECT a, b FROM tuning"); // is still what it was
  execute(
      endless,
      "CREATE VIEW tuning AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i AS hash, 'a' AS "
      "target, 'a' AS cpu, 1 AS threads, 'a' AS version, 'a' AS spec, 1 AS knob0, 1 AS knob1, 1 AS knob2, 1 AS knob3, "
      "1 "
      "AS knob4, 1 AS knob5, 1 AS knob6, 1 AS knob7, 1 AS knob8, 1 AS median, 1 AS spread, 1 AS untuned, 1 AS error "
      "FROM n");
  EXPECT_TRUE(read(endless, true).empty());
  EXPECT_FALSE(TuningDatabase::open(endless, error));
}

TEST(TuningDatabaseTest, HostileValuesAreLeftOut) {
  TemporaryFolder folder;
  for (const char *change : {"knobs = '-1,1,1,2,4,0,0,0'",
                             "knobs = '1000000000000,1,1,2,4,0,0,0'",
                             "knobs = '4,1,many'",
                             "knobs = 'direct{pixels=4}'",
                             "knobs = 'direct{'",
                             "knobs = 'fusion{epilogues=1}'",
                             "knobs = ''",
                             "knobs = 4",
                             "knobs = '1,2,3'",
                             "median = 0",
                             "spread = -5",
                             "spec = 'x'",
                             "spec = NULL",
                             "threads = 0",
                             "target = ''",
                             "target = zeroblob(100)",
                             "knobs = NULL",
                             "error = 1e300",
                             "numerics = 'exact'",
                             "numerics = NULL",
                             "numerics = 1",
                             "numerics = 'strict', knobs = '4,2,4,4,1,8,4'"}) { // Winograd's F(4x4)
    const std::string path = folder / "tuning.db";
    std::filesystem::remove(path);
    put(path, record(conv(1, 16, 8, 16), kDirect));
    execute(path, std::string("UPDATE tuning SET ") + change);
    EXPECT_TRUE(read(path, true).empty()) << change;
  }
}

TEST(TuningRecordTest, TextRoundTripsAndLeavesOutWhatIsWrong) {
  const TuningRecord one = record(conv(1, 16, 8, 16), kDirect);
  std::string warning;
  const std::string text =
      "# comment\n" + printRecord(one) + "\n\nnonsense\n" + printRecord(record("no spec", kDirect)) + "\n";
  std::vector<TuningRecord> records = readRecordLines(text, warning);
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0], one);
  EXPECT_NE(warning.find("2 tuning records were left out; line 4: "), std::string::npos) << warning;
}

TEST(TuningRecordTest, TextSaysNumerics) {
  const TuningRecord fast = record(conv(1, 16, 8, 16), kWinograd), strict = strictRecord(fast.spec, kWinograd2);
  std::string warning;
  EXPECT_EQ(readRecordLines(printRecord(fast) + "\n" + printRecord(strict) + "\n", warning),
            (std::vector<TuningRecord>{fast, strict}));
  // Older lines end with the error.
  const std::string line = printRecord(fast), old = line.substr(0, line.rfind('\t'));
  EXPECT_EQ(readRecordLines(old + "\n", warning), std::vector<TuningRecord>{fast});
  EXPECT_EQ(warning, "");
  EXPECT_TRUE(readRecordLines(old + "\texact\n", warning).empty());
  EXPECT_TRUE(readRecordLines(old + "\tstrict\n", warning).empty());
  EXPECT_NE(warning.find("strict numerics do not allow the knobs winograd{rows=2, images=4,"), std::string::npos)
      << warning;
}

TEST(TuningRecordTest, OldLinesHaveNodesWithoutTypes) {
  const std::string text = conv(1, 32, 8, 32);
  std::string line = printRecord(record(text, kDirect)), warning;
  line.replace(line.find(text), text.size(), withoutTypes(text));
  const std::vector<TuningRecord> records = readRecordLines(line + "\n", warning);
  EXPECT_EQ(records, std::vector<TuningRecord>{record(text, kDirect)}) << warning;
  const KnobChoice choice = chooser(records).choose(specOf(text));
  EXPECT_EQ(choice.source, KnobSource::Tuned);
  EXPECT_EQ(choice.knobs, kDirect);
}

// What is yielded always said its type. What stays inside is f32 but for the part of a sum, and a rank.
TEST(TuningRecordTest, OldSpecsGetTheTypesOfTheirNodes) {
  const std::pair<std::string, std::string> cases[] = {
      {"(f32[2,8]c16) { %1 = relu(%0) {} : [2,8]; %2 = channel_sum(%1) {pieces=1} : [1,8] } -> (%1: f32[2,8], %2: "
       "f64[1,8]c16)",
       "(f32[2,8]c16) { %1 = relu(%0) {} : f32[2,8]; %2 = channel_sum(%1) {pieces=1} : f64[1,8] } -> (%1: f32[2,8], "
       "%2: f64[1,8]c16)"},
      {"(f64[4,8], f64[4,8], f32[8], f32[8]) { %4, %5 = finish(%0, %1, %2, %3) {count=2.0} : [8], [8]; %6 = add(%4, "
       "%5) {} : [8] } -> (%6: f32[8])",
       "(f64[4,8], f64[4,8], f32[8], f32[8]) { %4, %5 = finish(%0, %1, %2, %3) {count=2.0} : f32[8], f32[8]; %6 = "
       "add(%4, %5) {} : f32[8] } -> (%6: f32[8])"},
      {"(f64[4,8]) { %1 = part(%0) {dim=1, piece_of=2} : [4,4]; %2 = batch_sum(%1) {} : [4] } -> (%2: f64[4])",
       "(f64[4,8]) { %1 = part(%0) {dim=1, piece_of=2} : f64[4,4]; %2 = batch_sum(%1) {} : f64[4] } -> (%2: f64[4])"},
      {"(f32[4,3], i32[4]) { %2 = label_rank(%0, %1) {} : [4]; %3 = part(%2) {dim=0, piece_of=1} : [4]; %4 = "
       "cross_entropy(%0, %1) {label_smoothing=0.1} : [4] } -> (%3: i32[4], %4: f32[4])",
       "(f32[4,3], i32[4]) { %2 = label_rank(%0, %1) {} : i32[4]; %3 = part(%2) {dim=0, piece_of=1} : i32[4]; %4 = "
       "cross_entropy(%0, %1) {label_smoothing=0.1} : f32[4] } -> (%3: i32[4], %4: f32[4])"}};
  for (const auto &[old, today] : cases) {
    EXPECT_EQ(withTypes(old), today);
    EXPECT_EQ(withTypes(today), today);
    specOf(today);
  }
  for (const char *other : {"", "} : [", "(} : [2] } -> (", "(f32[2]) { %1 = relu(%0) {} : [2]", kEntry})
    EXPECT_EQ(withTypes(other), other);
}

TEST(TuningRecordTest, EntryFunctionsHaveFusionKnobs) {
  const TuningRecord one = record(kEntry, named({1, 1, 512, 4}));
  std::string warning;
  EXPECT_EQ(readRecordLines(printRecord(one) + "\n", warning), std::vector<TuningRecord>{one});
  EXPECT_EQ(warning, "");
  for (const Knobs &knobs : {Knobs{2, 1, 512}, Knobs{2, 1, 512, 8, 0}, Knobs{3, 1, 512, 8}, Knobs{2, 1, 511, 8}}) {
    EXPECT_TRUE(readRecordLines(printRecord(record(kEntry, knobs)) + "\n", warning).empty());
    EXPECT_NE(warning.find("fusion has no knobs"), std::string::npos) << warning;
  }
  for (const char *spec : {"entry train_step 1234", "entry train_step 123456789abcdefg", "entry  0123456789abcdef"})
    EXPECT_FALSE(isEntry(spec)) << spec;
}

TEST(TuningRecordTest, ShippedRecordsAreInRange) {
  std::string warning;
  std::set<std::string> targets;
  for (const TuningRecord &record : readRecordLines(shippedRecords(), warning)) {
    targets.insert(record.target);
    if (isEntry(record.spec))
      EXPECT_TRUE(fusionKnobsFrom(record.knobs)) << printRecord(record);
    else
      EXPECT_TRUE(planOf(specOf(record.spec), target(record.target))->accepts(record.knobs)) << printRecord(record);
    EXPECT_LE(record.median, record.untuned * 1.02) << printRecord(record);
  }
  EXPECT_EQ(warning, "");
  EXPECT_EQ(targets, (std::set<std::string>{"x86-64-v3", "x86-64-v4"}));
}

//===----------------------------------------------------------------------===//
// Knobs
//===----------------------------------------------------------------------===//

TEST(KnobsTest, TemplatesAcceptTheirDefaults) {
  for (const char *name : {"v2", "v3", "v4"})
    for (const std::string &text : {conv(1, 16, 8, 16), conv(4, 64, 7, 32), conv(1, 64, 56, 64, 1)}) {
      const Knobs untuned = planOf(specOf(text), target(name))->untuned();
      EXPECT_TRUE(planOf(specOf(text), target(name))->accepts(untuned))
          << name << " " << text << " " << printKnobs(untuned);
      EXPECT_EQ(planOf(specOf(text), target(name))->starts()[0], untuned);
    }
}

// Where rounding must be that of a plain sum, neither the default nor a record of F(4x4) is taken; F(2x2) is as good.
TEST(KnobsTest, StrictNumericsPassOverF4) {
  const std::string text = conv(4, 64, 8, 64);
  const KernelSpec spec = specOf(text);
  const Knobs winograd = planOf(spec, target("v3"))->untuned(),
              winograd2 = planOf(spec, target("v3"))->untuned(codegen::Numerics::Strict);
  ASSERT_EQ(winograd.form, "winograd");
  ASSERT_EQ(winograd2.form, "winograd2");
  EXPECT_FALSE(cpu().satisfies(winograd, codegen::Numerics::Strict));
  EXPECT_TRUE(cpu().satisfies(winograd, codegen::Numerics::Fast));
  EXPECT_TRUE(cpu().satisfies(winograd2, codegen::Numerics::Strict));

  auto chosen = [&](const std::vector<TuningRecord> &records, codegen::Numerics numerics) {
    return KnobChooser(records, {}, target("v3"), "cpu", "1", numerics).choose(spec).knobs;
  };
  EXPECT_EQ(chosen({}, codegen::Numerics::Fast), Knobs());
  EXPECT_EQ(chosen({}, codegen::Numerics::Strict), winograd2);
  const TuningRecord tuned = record(text, kWinograd), tuned2 = record(text, kWinograd2),
                     tunedDirect = record(text, kDirect);
  EXPECT_EQ(chosen({tuned}, codegen::Numerics::Fast), tuned.knobs);
  EXPECT_EQ(chosen({tuned}, codegen::Numerics::Strict), winograd2);
  EXPECT_EQ(chosen({tuned2}, codegen::Numerics::Fast), tuned2.knobs);
  EXPECT_EQ(chosen({tuned2}, codegen::Numerics::Strict), tuned2.knobs);
  EXPECT_EQ(chosen({tunedDirect}, codegen::Numerics::Strict), kDirect);
}

// What a form takes: by Winograd's method the products at its tiles' points, tiles rounded up; else the plain sum.
TEST(KnobsTest, FormsSayWhatTheyMultiply) {
  const TargetInfo v3 = target("v3");
  auto formOf = [&](const std::string &text, const Knobs &knobs) { return planOf(specOf(text), v3)->formOf(knobs); };
  // 2 images of 7x7 make 2x2 tiles of 4x4, or 4x4 of 2x2; 32 x 48 pairs of channels.
  const std::string text = conv(2, 32, 7, 48);
  codegen::KernelForm form = formOf(text, {4, 2, 2, 4, 1, 8, 0});
  EXPECT_EQ(form.name, "winograd 4x4");
  EXPECT_EQ(form.operations, 2 * 2 * 4 * 36 * 32 * 48);
  form = formOf(text, {2, 4, 2, 4, 1, 8, 0});
  EXPECT_EQ(form.name, "winograd 2x2");
  EXPECT_EQ(form.operations, 2 * 2 * 16 * 16 * 32 * 48);
  form = formOf(text, kDirect);
  EXPECT_EQ(form.name, "direct");
  EXPECT_EQ(form.operations, 2 * 2 * 49 * 9 * 32 * 48);
  EXPECT_EQ(formOf(text, {}).name, "generic");
  // What follows the convolution is added: one operation an element of a relu.
  const std::string y = ": f32[2,48,7,7]", relu = conv(2, 32, 7, 48).substr(0, conv(2, 32, 7, 48).find(" } ->")) +
                                                  "; %3 = relu(%2) {} " + y + " } -> (%3: f32[2,48,7,7]c16)";
  EXPECT_EQ(formOf(relu, {4, 2, 2, 4, 1, 8, 0}).operations, 2 * 2 * 4 * 36 * 32 * 48 + 2 * 48 * 49);
  const std::string gradient =
      "(f32[2,16,8,8]c16h1, f32[2,32,8,8]c16h1) { %2 = conv2d_grad_weight(%0, %1) {dilations=[1,1], groups=1, "
      "kernel=[3,3], lane=1, padding=[1,1,1,1], strides=[1,1]} : f32[1,32,16,3,3] } -> (%2: f32[1,32,16,3,3]k16c16)";
  form = formOf(gradient, {4, 1, 4, 1, 1, 2});
  EXPECT_EQ(form.name, "winograd 4x4");
  EXPECT_EQ(form.operations, 2 * 2 * 4 * 36 * 16 * 32);
  EXPECT_EQ(formOf("(f32[2]) { %1 = relu(%0) {} : f32[2] } -> (%1: f32[2])", {}).name, "");
}

// On no shape and in no direction is F(4x4) what strict numerics are built with, and every search tries both forms.
TEST(KnobsTest, StrictNumericsNeverMeetF4) {
  const std::string common = "dilations=[1,1], groups=1", window = "padding=[1,1,1,1], strides=[1,1]";
  for (const char *name : {"v2", "v3", "v4"})
    for (int n : {1, 2, 16})
      for (int c : {5, 16, 64, 256, 512})
        for (int size : {1, 5, 7, 8, 14, 32}) {
          const std::string x = "[" + std::to_string(n) + "," + std::to_string(c) + "," + std::to_string(size) + "," +
                                std::to_string(size) + "]",
                            w = "[" + std::to_string(c) + "," + std::to_string(c) + ",3,3]";
          for (const std::string &text :
               {conv(n, c, size, c),
                "(f32" + x + "c16h1, f32" + w + "c16k16) { %2 = conv2d_grad_data(%0, %1) {" + common +
                    ", padding=[1,1,1,1], size=[" + std::to_string(size) + "," + std::to_string(size) +
                    "], strides=[1,1]} : f32" + x + " } -> (%2: f32" + x + "c16)",
                "(f32" + x + "c16h1, f32" + x + "c16h1) { %2 = conv2d_grad_weight(%0, %1) {" + common +
                    ", kernel=[3,3], " + window + "} : f32" + w + " } -> (%2: f32" + w + "k16c16)"}) {
            const KernelSpec spec = specOf(text);
            const Knobs strict = planOf(spec, target(name))->untuned(codegen::Numerics::Strict);
            ASSERT_FALSE(strict.empty()) << text;
            EXPECT_TRUE(cpu().satisfies(strict, codegen::Numerics::Strict)) << text;
            EXPECT_TRUE(planOf(spec, target(name))->accepts(strict)) << text << printKnobs(strict);
            const std::vector<resin::Knobs> raced = planOf(spec, target(name))->starts(codegen::Numerics::Strict);
            ASSERT_FALSE(raced.empty()) << text;
            EXPECT_EQ(raced[0], strict) << text;
            for (const resin::Knobs &knobs : raced)
              EXPECT_TRUE(cpu().satisfies(knobs, codegen::Numerics::Strict)) << text << printKnobs(knobs);
            std::set<std::string> forms;
            for (const resin::Knobs &knobs : planOf(spec, target(name))->starts())
              forms.insert(knobs.form);
            if (n <= 2 && c <= 64) // others may have more scratch than a worker's stack holds
              EXPECT_EQ(forms.count("winograd2") + forms.count("winograd2-weight"), 1u) << text;
            if (n <= 2 && c <= 64)
              EXPECT_EQ(forms.count("winograd") + forms.count("winograd-weight"), 1u) << text;
          }
        }
}

TEST(KnobsTest, HostileNumbersAreRefused) {
  const KernelSpec spec = specOf(conv(4, 64, 7, 32));
  for (const Knobs &knobs : std::vector<Knobs>{{},
                                               {1},
                                               {0, 0, 0, 0, 0, 0, 0},
                                               {0, 0, 0, 0, 0, 0, 0, 0},
                                               {0, 0, 0, 0, 0},
                                               {0, 0, 0, 0, 0, 0, 0, 0, 0},
                                               {7, 4, 4, 8, 16, 1, 0, 0}, // a body of thousands
                                               {4, 1, 3, 2, 4, 0, 0, 0},  // 4 images are no multiple of 3
                                               {4, 1, 1, 2, 4, 0, 2, 0},  // chunks need panels
                                               {4, 1, 1, 2, 4, 0, 0, 9},
                                               {4, 1, 1, 2, 4, 2, 0, 0},
                                               {1 << 30, 1 << 30, 1, 2, 4, 0, 0, 0},
                                               {4, 1, 4, 5, 1, 4, 0}, // images without all rows
                                               {4, 2, 4, 4, 1, 4, 3}, // 4 blocks are no multiple of 3
                                               {2, 2, 4, 4, 1, 4, 1}, // tiles of 2 have 4 rows
                                               {3, 1, 1, 4, 1, 4, 0}, // no form has tiles of 3
                                               {4, 1, 1, 4, 1},       // of a weight gradient
                                               {1, 4, 3, 1, 6, 1, 2, 1, 0}})
    EXPECT_FALSE(planOf(spec, target("v3"))->accepts(knobs)) << printKnobs(knobs);
  EXPECT_FALSE(
      planOf(specOf("(f32[2]) { %1 = relu(%0) {} : f32[2] } -> (%1: f32[2])"), target("v3"))->accepts(kDirect));
}

TEST(KnobsTest, LibraryRefusesWhatNoTemplateTakes) {
  std::vector<codegen::CompiledKernel> kernels;
  std::string error;
  EXPECT_FALSE(
      codegen::compileKernels({{specOf(conv(1, 16, 8, 16)), Knobs{1, 2, 3}}}, {.target = "v2"}, kernels, error));
  EXPECT_NE(error.find("no template takes the knobs 1,2,3"), std::string::npos) << error;
}

// Knobs are part of what the cache goes by.
TEST(KnobsTest, CacheTellsKnobsApart) {
  TemporaryFolder folder;
  const codegen::CompileOptions options{.target = "v2", .cacheDirectory = folder / "cache"};
  const KernelSpec spec = specOf(conv(1, 16, 8, 16, 1));
  const codegen::KernelRequest untuned{spec}, tuned{spec, Knobs{2, 1, 1, 4, 1, 0, 0, 0}};
  std::vector<codegen::CompiledKernel> kernels, again;
  std::string error;
  ASSERT_TRUE(codegen::compileKernels({untuned, tuned, tuned}, options, kernels, error)) << error;
  ASSERT_EQ(kernels.size(), 2u);
  EXPECT_EQ(kernels[0].symbol, kernels[1].symbol);
  EXPECT_NE(kernels[0].object, kernels[1].object);
  ASSERT_TRUE(codegen::compileKernels({tuned}, options, again, error)) << error;
  EXPECT_TRUE(again[0].cached);
  EXPECT_EQ(again[0].object, kernels[1].object);
}

// Every candidate that a search may meet from where it begins computes the same.
TEST(KnobsTest, CandidatesComputeWhatTheInterpreterSays) {
  const TargetInfo host = target("host");
  const std::string gradient =
      "(f32[2,16,8,8]c16h1, f32[2,32,8,8]c16h1) { %2 = conv2d_grad_weight(%0, %1) {dilations=[1,1], groups=1, "
      "kernel=[3,3], lane=1, padding=[1,1,1,1], strides=[1,1]} : f32[1,32,16,3,3] } -> (%2: f32[1,32,16,3,3]k16c16)";
  const std::string groups = "(f32[2,24,8,8]c16h1, f32[36,8,3,3]k16) { %2 = conv2d(%0, %1) {dilations=[1,1], groups=3, "
                             "padding=[1,1,1,1], strides=[1,1]} : f32[2,36,8,8] } -> (%2: f32[2,36,8,8]c16)";
  for (const std::string &text : {conv(2, 32, 8, 32), gradient, groups}) {
    const KernelSpec spec = specOf(text);
    std::vector<resin::Knobs> list = planOf(spec, host)->starts();
    ASSERT_GE(list.size(), 2u);
    for (const resin::Knobs &knobs : std::vector<resin::Knobs>(list))
      for (const resin::Knobs &near : planOf(spec, host)->neighbours(knobs))
        if (list.size() < 12)
          list.push_back(near);
    std::vector<codegen::KernelRequest> requests;
    for (const resin::Knobs &knobs : list)
      requests.push_back({spec, knobs});
    std::vector<codegen::CompiledKernel> kernels;
    std::string error;
    ASSERT_TRUE(codegen::compileKernels(requests, {}, kernels, error)) << error;
    auto trial = KernelTrial::create(spec, 1, error);
    ASSERT_TRUE(trial) << error;
    for (const codegen::CompiledKernel &kernel : kernels) {
      auto library = codegen::LoadedKernels::load({kernel}, error);
      ASSERT_TRUE(library) << error;
      EXPECT_EQ(trial->check(library->find(kernel.symbol), 1e-5), "");
    }
  }
}

//===----------------------------------------------------------------------===//
// Choosing
//===----------------------------------------------------------------------===//

TEST(ChooseKnobsTest, OwnRecordWins) {
  const std::string text = conv(1, 32, 8, 32);
  const Knobs other = {2, 1, 1, 2, 4, 0, 0, 0};
  KnobChoice choice = chooser({record(text, kDirect)}, {record(text, other)}).choose(specOf(text));
  EXPECT_EQ(choice.source, KnobSource::Tuned);
  EXPECT_EQ(choice.knobs, kDirect);
  choice = chooser({}, {record(text, other)}).choose(specOf(text));
  EXPECT_EQ(choice.source, KnobSource::Tuned);
  EXPECT_EQ(choice.knobs, other);
}

TEST(ChooseKnobsTest, OtherMachineIsBorrowed) {
  const std::string text = conv(1, 32, 8, 32);
  TuningRecord foreign = record(text, kDirect);
  foreign.cpu = "another";
  EXPECT_EQ(chooser({foreign}).choose(specOf(text)).source, KnobSource::Borrowed);
  foreign.target = "x86-64-v4";
  EXPECT_EQ(chooser({foreign}).choose(specOf(text)).source, KnobSource::Default);
}

TEST(ChooseKnobsTest, BorrowsFromTheNearestThatFits) {
  const Knobs oneImage = {4, 1, 1, 2, 4, 0, 0, 0}, fourImages = {1, 1, 4, 2, 4, 0, 0, 0};
  const std::vector<TuningRecord> records = {record(conv(4, 32, 8, 32), fourImages),
                                             record(conv(1, 64, 8, 64), oneImage)};
  KnobChoice choice = chooser(records).choose(specOf(conv(4, 32, 8, 64)));
  EXPECT_EQ(choice.source, KnobSource::Borrowed);
  EXPECT_EQ(choice.knobs, fourImages);
  // Three images are no multiple of four.
  choice = chooser(records).choose(specOf(conv(3, 32, 8, 64)));
  EXPECT_EQ(choice.source, KnobSource::Borrowed);
  EXPECT_EQ(choice.knobs, oneImage);
}

TEST(ChooseKnobsTest, EntryFunctionsHaveTheirOwnRecords) {
  const FusionKnobs few = {1, 1, 512, 4}, apart = {0, 1, 512, 8};
  TuningRecord own = record(kEntry, named(few)), foreign = record(kEntry, named(apart));
  foreign.cpu = "another";
  FusionChoice choice = chooser({foreign, own}).chooseFusion(kEntry);
  EXPECT_EQ(choice.source, KnobSource::Tuned);
  EXPECT_EQ(choice.knobs, few);
  choice = chooser({foreign}, {own}).chooseFusion(kEntry);
  EXPECT_EQ(choice.knobs, few) << "this machine's before another's";
  choice = chooser({foreign}).chooseFusion(kEntry);
  EXPECT_EQ(choice.source, KnobSource::Borrowed);
  EXPECT_EQ(choice.knobs, apart);
  choice = chooser({own}).chooseFusion("entry predict_1 0123456789abcdef");
  EXPECT_EQ(choice.source, KnobSource::Default);
  EXPECT_EQ(choice.knobs, usualFusion(target("v3").machine));
  own.numerics = codegen::Numerics::Strict;
  EXPECT_EQ(chooser({own}).chooseFusion(kEntry).source, KnobSource::Default);
  // A kernel borrows nothing from it.
  EXPECT_EQ(chooser({foreign}).choose(specOf(conv(1, 32, 8, 32))).source, KnobSource::Default);
}

TEST(ChooseKnobsTest, OtherKindsLendNothing) {
  EXPECT_EQ(chooser({record(conv(1, 32, 8, 32, 3), kDirect)}).choose(specOf(conv(1, 32, 8, 32, 1))).source,
            KnobSource::Default);
  EXPECT_EQ(chooser({record(conv(1, 32, 8, 32), kDirect)}).choose(specOf(conv(64, 512, 64, 512))).source,
            KnobSource::Default);
  EXPECT_EQ(chooser({}).choose(specOf("(f32[2]) { %1 = relu(%0) {} : f32[2] } -> (%1: f32[2])")).source,
            KnobSource::Fixed);
}

// Each program has the record of its own numerics. Of the other's, a strict one may use what it is allowed to; a fast
// one, whose default no strict search has met, none.
TEST(ChooseKnobsTest, NumericsHaveTheirOwnRecords) {
  using codegen::Numerics;
  const std::string text = conv(4, 64, 8, 64);
  const KernelSpec spec = specOf(text);
  ASSERT_FALSE(cpu().satisfies(planOf(spec, target("v3"))->untuned(), Numerics::Strict));
  auto chosen = [&](const std::vector<TuningRecord> &records, Numerics numerics) {
    return chooser(records, {}, numerics).choose(spec);
  };
  const TuningRecord fast = record(text, kWinograd), fastDirect = record(text, kDirect),
                     strict = strictRecord(text, kWinograd2);
  for (const auto &records : {std::vector{fast, strict}, std::vector{strict, fast}, std::vector{strict, fastDirect}}) {
    const TuningRecord &own = records[0].numerics == Numerics::Fast ? records[0] : records[1];
    EXPECT_EQ(chosen(records, Numerics::Fast).knobs, own.knobs);
    EXPECT_EQ(chosen(records, Numerics::Fast).source, KnobSource::Tuned);
    EXPECT_EQ(chosen(records, Numerics::Strict).knobs, kWinograd2);
    EXPECT_EQ(chosen(records, Numerics::Strict).source, KnobSource::Tuned);
  }
  EXPECT_EQ(chosen({fastDirect}, Numerics::Strict).knobs, kDirect);
  EXPECT_EQ(chosen({fastDirect}, Numerics::Strict).source, KnobSource::Tuned);
  EXPECT_EQ(chosen({strict}, Numerics::Fast).source, KnobSource::Default);
  EXPECT_TRUE(chosen({strict}, Numerics::Fast).knobs.empty());
}

// Where fast and strict have one default, what beat it serves both.
TEST(ChooseKnobsTest, StrictRecordsServeFastProgramsOfTheSameDefault) {
  const std::string text = conv(1, 64, 8, 64, 1);
  const Knobs other = {2, 1, 1, 2, 4, 0, 0, 0};
  ASSERT_NE(planOf(specOf(text), target("v3"))->untuned(), other);
  const KnobChoice choice = chooser({strictRecord(text, other)}).choose(specOf(text));
  EXPECT_EQ(choice.source, KnobSource::Borrowed);
  EXPECT_EQ(choice.knobs, other);
}

// Where the default was as good as anything, the neighbour takes its own default.
TEST(ChooseKnobsTest, NoGainIsNotLent) {
  TuningRecord even = record(conv(1, 32, 8, 32), kDirect);
  even.median = even.untuned;
  KnobChoice choice = chooser({even}).choose(specOf(conv(1, 32, 8, 64)));
  EXPECT_EQ(choice.source, KnobSource::Borrowed);
  EXPECT_TRUE(choice.knobs.empty());
}

TEST(ChooseKnobsTest, HostileKnobsAreNotTaken) {
  const std::string text = conv(1, 32, 8, 32);
  for (const Knobs &knobs : std::vector<Knobs>{{0, 0, 0, 0, 0, 0, 0}, {28, 4, 1, 8, 16, 1, 0, 0}, {1}})
    EXPECT_TRUE(chooser({record(text, knobs)}).choose(specOf(text)).knobs.empty());
}

//===----------------------------------------------------------------------===//
// Searching
//===----------------------------------------------------------------------===//

// A filter of 512x512x3x3 and its operands are 9.7 MB: seven copies exceed 64 MiB. Of 256x256x3x3, 2.8 MB, it would
// take 24, and there are never more than 16.
TEST(KernelClockTest, OperandsAreWhereTheProgramHasThem) {
  auto copies = [](const std::string &text) { return copiesToTime(specOf(text)); };
  EXPECT_EQ(copies(conv(1, 256, 14, 256)), 16);
  EXPECT_EQ(copies(conv(1, 512, 7, 512)), 7);
  EXPECT_EQ(copies(conv(1, 2048, 7, 2048)), 1);
  EXPECT_EQ(copies("(f32[1,256,14,14]c16h1, f32[32,6,6,256]k16) { %2 = conv2d_winograd(%0, %1) {padding=[1,1,1,1]} : "
                   "f32[1,32,14,14] } -> (%2: f32[1,32,14,14]c16s256)"),
            16);
  // Of pieces of a batch, training, and gradients as many as exceed 8 MiB: more than 4 MB, 2.8 MB, a few KB.
  EXPECT_EQ(copies(conv(4, 256, 14, 256)), 2);
  const std::string text = conv(1, 256, 14, 256), sums = "; %3 = channel_sum(%2) {pieces=1} : f64[1,256] } -> (";
  std::string training = text;
  training.replace(training.find(" } -> ("), 7, sums);
  training.insert(training.rfind(')'), ", %3: f64[1,256]c16");
  EXPECT_EQ(copies(training), 3);
  EXPECT_EQ(copies("(f32[1,16,8,8]c16h1, f32[1,32,8,8]c16h1) { %2 = conv2d_grad_weight(%0, %1) {dilations=[1,1], "
                   "groups=1, kernel=[3,3], lane=1, padding=[1,1,1,1], strides=[1,1]} : f32[1,32,16,3,3] } -> (%2: "
                   "f32[1,32,16,3,3]k16c16)"),
            16);
  EXPECT_EQ(copies("(f32[2]) { %1 = relu(%0) {} : f32[2] } -> (%1: f32[2])"), 16);
}

TEST(KernelSearchTest, FindsWhatABuildThenTakes) {
  const KernelSpec spec = specOf(conv(1, 16, 8, 16));
  const TargetInfo host = target("host");
  KernelSearch search({.target = host});
  std::string error;
  std::optional<TuningRecord> found = search.tune({spec}, {}, 3, error);
  ASSERT_TRUE(found) << error;
  EXPECT_EQ(findMistake(*found), "");
  EXPECT_LE(found->median, found->untuned);
  EXPECT_LT(found->error, 10'000); // 1e-5
  KnobChooser chooser({*found}, {}, host, cpuModel(), codegen::codegenVersion());
  EXPECT_EQ(chooser.choose(spec).source, KnobSource::Tuned);
  std::optional<TuningRecord> again = search.measure({spec}, found->knobs, error);
  ASSERT_TRUE(again) << error;
  EXPECT_EQ(again->knobs, found->knobs);
}

// Not even where it is told that F(4x4) was best for a neighbour.
TEST(KernelSearchTest, StrictSearchesFindWhatStrictProgramsMayUse) {
  const TuningSubject subject{specOf(conv(2, 32, 16, 32)), codegen::Numerics::Strict};
  const TargetInfo host = target("host");
  const Knobs fast = planOf(subject.spec, host)->untuned();
  ASSERT_FALSE(cpu().satisfies(fast, subject.numerics));
  KernelSearch search({.target = host});
  std::string error;
  std::optional<TuningRecord> found = search.tune(subject, fast, 2, error);
  ASSERT_TRUE(found) << error;
  EXPECT_EQ(found->numerics, subject.numerics);
  EXPECT_EQ(findMistake(*found), "");
  EXPECT_LT(found->error, 2'000); // 2e-6
  KnobChooser chooser({*found}, {}, host, cpuModel(), codegen::codegenVersion(), subject.numerics);
  EXPECT_EQ(chooser.choose(subject.spec).source, KnobSource::Tuned);
}

TEST(KernelSearchTest, StopsWhenItIsTold) {
  KernelSearch search({.target = target("host"), .hooks = {.isStopped = [] { return true; }}});
  std::string error;
  EXPECT_FALSE(search.tune({specOf(conv(1, 16, 8, 16))}, {}, 60, error));
  EXPECT_EQ(error, "stopped");
}

} // namespace
