//===- FilesTest.cpp - Outputs that a person named ------------------------===//

#include "support/Files.h"
#include "test/unit/TemporaryFolder.h"

#include <gtest/gtest.h>

#include <future>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace resin;
namespace fs = std::filesystem;

namespace {

size_t filesIn(const std::string &folder) {
  return static_cast<size_t>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

TEST(WriteOutput, ReplacesAFileAtOnce) {
  TemporaryFolder folder;
  ASSERT_TRUE(writeOutput(folder / "x", "one").ok());
  const int reader = ::open((folder / "x").c_str(), O_RDONLY);
  ASSERT_TRUE(writeOutput(folder / "x", "two").ok());
  char seen[4] = {};
  EXPECT_EQ(::read(reader, seen, 3), 3);
  ::close(reader);
  EXPECT_STREQ(seen, "one") << "who reads the old file goes on with it";
  EXPECT_EQ(folder.read("x"), "two");
  EXPECT_EQ(filesIn(folder / ""), 1u) << "nothing is left beside it";
}

TEST(WriteOutput, IsForWhomItIsMeant) {
  TemporaryFolder folder;
  const mode_t before = ::umask(022);
  ASSERT_TRUE(writeOutput(folder / "text", "x").ok());
  ASSERT_TRUE(writeOutput(folder / "program", "x", 0777).ok());
  ASSERT_TRUE(keepFile(folder / "kept", "x").ok());
  ::umask(before);
  EXPECT_EQ(fs::status(folder / "text").permissions(), fs::perms(0644));
  EXPECT_EQ(fs::status(folder / "program").permissions(), fs::perms(0755));
  EXPECT_EQ(fs::status(folder / "kept").permissions(), fs::perms(0644));
}

// Eight writers, each in turns: whoever reads sees one of them, and nobody fails.
TEST(WriteOutput, IsOneOfThoseThatWriteAtOnce) {
  TemporaryFolder folder;
  std::vector<std::future<bool>> writers;
  for (char letter = 'a'; letter < 'i'; ++letter)
    writers.push_back(std::async(std::launch::async, [&folder, letter] {
      const std::string text(100000, letter);
      bool done = true;
      for (int i = 0; i < 20; ++i)
        done &= writeOutput(folder / "x", text).ok() && keepFile(folder / "y", text).ok();
      return done;
    }));
  for (std::future<bool> &writer : writers)
    EXPECT_TRUE(writer.get());
  for (const char *name : {"x", "y"}) {
    const std::string text = folder.read(name);
    ASSERT_EQ(text.size(), 100000u);
    EXPECT_EQ(text, std::string(100000, text[0]));
  }
  EXPECT_EQ(filesIn(folder / ""), 2u);
}

TEST(ReadFile, DoesNotWaitForAPipe) {
  TemporaryFolder folder;
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(readFile(folder / "pipe").status().message(), folder / "pipe: is not a file");
}

TEST(WriteOutput, WritesWhatLinksLeadTo) {
  TemporaryFolder folder;
  folder.write("below/file", "old");
  fs::create_symlink("below/file", folder / "relative");
  fs::create_symlink(folder / "relative", folder / "absolute");
  fs::create_symlink("below/new", folder / "dangling");
  ASSERT_TRUE(writeOutput(folder / "absolute", "new").ok());
  ASSERT_TRUE(writeOutput(folder / "dangling", "fresh").ok());
  EXPECT_EQ(folder.read("below/file"), "new");
  EXPECT_EQ(folder.read("below/new"), "fresh");
  for (const char *link : {"relative", "absolute", "dangling"})
    EXPECT_TRUE(fs::is_symlink(folder / link)) << link;
}

TEST(WriteOutput, WritesIntoDevicesAndPipes) {
  TemporaryFolder folder;
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  std::future<std::string> read = std::async(std::launch::async, [&] { return folder.read("pipe"); });
  ASSERT_TRUE(writeOutput(folder / "pipe", "through").ok());
  EXPECT_EQ(read.get(), "through");
  EXPECT_TRUE(fs::is_fifo(folder / "pipe"));

  fs::create_symlink("/dev/null", folder / "null");
  ASSERT_TRUE(writeOutput(folder / "null", "away").ok());
  EXPECT_TRUE(fs::is_symlink(folder / "null"));
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
  fs::create_symlink("/dev/full", folder / "full");
  const Status full = writeOutput(folder / "full", "more");
  EXPECT_EQ(full.code(), ExitCode::IoError);
  EXPECT_EQ(full.message(), folder / "full: cannot write: No space left on device");
}

// Opened anew, /dev/stdout would begin at the start of the file and overwrite what stands there.
TEST(WriteOutput, GoesOnWhereStandardOutputIs) {
  TemporaryFolder folder;
  const int before = ::dup(STDOUT_FILENO), file = ::open((folder / "out").c_str(), O_WRONLY | O_CREAT, 0600);
  ::fflush(stdout);
  ::dup2(file, STDOUT_FILENO);
  const bool written = ::write(STDOUT_FILENO, "head ", 5) == 5 && writeOutput("/dev/stdout", "body").ok() &&
                       ::write(STDOUT_FILENO, " tail", 5) == 5;
  ::dup2(before, STDOUT_FILENO);
  ::close(before);
  ::close(file);
  EXPECT_TRUE(written);
  EXPECT_EQ(folder.read("out"), "head body tail");
}

TEST(CheckOutput, NamesWhatIsInTheWay) {
  TemporaryFolder folder;
  folder.write("input", "x");
  fs::create_symlink("input", folder / "link");
  fs::create_hard_link(folder / "input", folder / "hard");
  fs::create_symlink("none/file", folder / "dangling");
  auto refusal = [&](const std::string &name) {
    const Status status = checkOutput(folder / name, {folder / "absent", folder / "input"});
    EXPECT_EQ(status.code(), status.ok() ? ExitCode::Ok : ExitCode::CannotCreate);
    return status.message();
  };
  EXPECT_EQ(refusal("new"), "");
  for (const char *alias : {"input", "link", "hard", "./input"})
    EXPECT_EQ(refusal(alias),
              concat(folder / alias, ": cannot create: it is the input ", folder / "input", ", which would be lost"));
  EXPECT_EQ(refusal(""), concat(folder / "", ": cannot create: a folder is in the way"));
  EXPECT_EQ(refusal("none/x"), concat(folder / "none/x", ": cannot create: there is no folder ", folder / "none"));
  EXPECT_EQ(refusal("dangling"), concat(folder / "dangling", ": cannot create: there is no folder ", folder / "none"));
  EXPECT_EQ(checkOutput("").code(), ExitCode::CannotCreate);
  EXPECT_TRUE(checkOutput("/dev/null", {"/dev/null"}).ok()) << "nothing is lost there";
  EXPECT_EQ(writeOutput(folder / "", "x").code(), ExitCode::CannotCreate);
  EXPECT_EQ(writeOutput(folder / "none/x", "x").code(), ExitCode::CannotCreate);
}

} // namespace
