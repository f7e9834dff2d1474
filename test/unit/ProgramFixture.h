//===- ProgramFixture.h - Runs a program as a user would --------*- C++ -*-===//
//
// Starts `program-double`, a program with a hand-written network, in a folder with
// data of its own, and says how it ended.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_TEST_UNIT_PROGRAMFIXTURE_H
#define RESIN_TEST_UNIT_PROGRAMFIXTURE_H

#include "test/unit/ProgramDouble.h"
#include "test/unit/TemporaryFolder.h"

#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

struct Outcome {
  int code = -1; ///< exit code; 128 + signal if one killed it
  std::string out, err;
};

/// A program under way.
struct Running {
  pid_t process;
  std::string out, err; ///< paths

  Outcome wait() const {
    int state = 0;
    ::waitpid(process, &state, 0);
    auto text = [](const std::string &path) -> std::string {
      if (!std::filesystem::is_regular_file(path)) // /dev/full never ends
        return "";
      std::ifstream file(path);
      return std::string(std::istreambuf_iterator<char>(file), {});
    };
    return {WIFEXITED(state) ? WEXITSTATUS(state) : 128 + WTERMSIG(state), text(out), text(err)};
  }
};

class Program : public testing::Test {
protected:
  TemporaryFolder folder;
  int started = 0;
  int sleep = 0; ///< milliseconds a train step
  rlim_t largestFile = RLIM_INFINITY;
  bool ignoreHangUps = false; ///< as `nohup` starts a program, and a script's shell one in the background
  rlim_t mostMemory = RLIM_INFINITY; ///< bytes of addresses
  std::string standardOutput; ///< instead of a file of ours; "closed": none
  std::map<std::string, std::string> environment;
  std::string program = PROGRAM_DOUBLE;

  void SetUp() override {
    folder.write("data/data_batch_1.bin", records(80, 1));
    folder.write("data/test_batch.bin", records(37, 2));
  }

  /// Images whose brightness in one place tells their class, with noise.
  static std::string records(int count, uint32_t seed) {
    std::string bytes;
    const int first = static_cast<int>(seed);
    for (int i = 0; i < count; ++i) {
      const int label = (i * 7 + first) % 10;
      bytes += static_cast<char>(label);
      for (int p = 0; p < 3072; ++p) {
        seed = seed * 1664525 + 1013904223;
        bytes += static_cast<char>((p % 1024 / 100 == label ? 150 : 60) + (seed >> 26));
      }
    }
    return bytes;
  }

  Running start(std::vector<std::string> arguments) {
    const std::string name = std::to_string(started++);
    Running running{0, standardOutput.empty() ? folder / (name + ".out") : standardOutput, folder / (name + ".err")};
    arguments.insert(arguments.begin(), program);
    std::vector<char *> argv;
    for (std::string &argument : arguments)
      argv.push_back(argument.data());
    argv.push_back(nullptr);
    running.process = ::fork();
    if (running.process != 0)
      return running;
    if (standardOutput != "closed")
      ::dup2(::open(running.out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0666), STDOUT_FILENO);
    ::dup2(::open(running.err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0666), STDERR_FILENO);
    if (standardOutput == "closed")
      ::close(STDOUT_FILENO);
    for (int signal : {SIGINT, SIGHUP})
      ::signal(signal, ignoreHangUps ? SIG_IGN : SIG_DFL);
    const rlimit limit{largestFile, largestFile};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    for (const auto &[name, value] : environment)
      ::setenv(name.c_str(), value.c_str(), 1);
    const rlimit memory{mostMemory, mostMemory};
    ::setrlimit(RLIMIT_AS, &memory);
    if (sleep)
      ::setenv("RESIN_DOUBLE_SLEEP", std::to_string(sleep).c_str(), 1);
    ::execv(program.c_str(), argv.data());
    ::_exit(99);
  }
  Outcome run(std::vector<std::string> arguments) { return start(std::move(arguments)).wait(); }

  /// train on the folder's data into `out`.
  std::vector<std::string> train(const std::string &out, std::vector<std::string> more = {}) {
    std::vector<std::string> all = {"train", "--data", folder / "data", "--out", folder / out, "--threads", "2"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  void expectOk(const Outcome &outcome) { EXPECT_EQ(outcome.code, 0) << outcome.err; }
  std::string last(const std::string &out) { return folder.read(out + "/last.safetensors"); }
  /// Whether both runs have the same newest and best checkpoints: told without the bytes.
  testing::AssertionResult sameRuns(const std::string &one, const std::string &other) {
    for (const char *name : {"/last.safetensors", "/best.safetensors"})
      if (folder.read(one + name) != folder.read(other + name))
        return testing::AssertionFailure() << one << name << " is not " << other << name;
    return testing::AssertionSuccess();
  }
  bool exists(const std::string &name) { return std::filesystem::exists(folder / name); }

  void waitFor(const std::string &name) {
    for (int i = 0; i < 1000 && !exists(name); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    ASSERT_TRUE(exists(name));
  }
};

inline bool contains(const std::string &text, const std::string &part) { return text.find(part) != std::string::npos; }

#endif // RESIN_TEST_UNIT_PROGRAMFIXTURE_H
