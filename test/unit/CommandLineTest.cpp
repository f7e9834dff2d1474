//===- CommandLineTest.cpp - What is wrong with a command line ------------===//

#include "support/CommandLine.h"

#include <gtest/gtest.h>

using namespace resin;

namespace {

struct Given {
  std::string out, set;
  int64_t epochs = -1;
  double rate = -1;
  std::vector<std::string> sets;
  std::vector<int64_t> sizes;
  std::string kind;
  bool json = false, csv = false;
  std::string file;
};

/// What is printed for `arguments`; empty if nothing is wrong with them.
std::string complaint(std::vector<std::string> arguments, Given *result = nullptr) {
  Given given;
  CLI::App app("A program.");
  app.require_subcommand(1);
  CLI::App *train = app.add_subcommand("train", "trains");
  train->add_option("--out", given.out, "folder of the run")->required();
  train->add_option("--epochs", given.epochs, "how often")->transform(wholeNumber(0, 1000));
  train->add_option("-r,--rate", given.rate, "how fast")->transform(realNumber(0, INFINITY));
  train->add_option("--set", given.sets, "changes")->allow_extra_args(false);
  train->add_option("--sizes", given.sizes, "numbers")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->transform(wholeNumber(1));
  CLI::Option *json = train->add_flag("--json", given.json, "for tools");
  train->add_flag("--csv", given.csv, "for tables")->excludes(json);
  CLI::App *build = app.add_subcommand("build", "builds");
  build->add_option("FILE", given.file, "what to build")->required();
  build->add_option("--kind", given.kind, "of thing")->transform(oneOf({"resnet", "fused", "exe"}));
  arguments.insert(arguments.begin(), "net");
  std::vector<const char *> argv;
  for (const std::string &argument : arguments)
    argv.push_back(argument.c_str());
  testing::internal::CaptureStderr();
  const std::optional<ExitCode> code = parseCommandLine(app, static_cast<int>(argv.size()), argv.data(), "error: ");
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_EQ(code.value_or(ExitCode::Ok), text.empty() ? ExitCode::Ok : ExitCode::Usage);
  if (result)
    *result = given;
  return text;
}

TEST(CommandLine, SaysWhatIsWrong) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
      {{}, "a command is needed; there are train, build"},
      {{"trian"}, "there is no command 'trian'; did you mean 'train'?"},
      {{"x"}, "there is no command 'x'; there are train, build"},
      {{"xyzzy", "--out", "a"}, "there is no command 'xyzzy'; there are train, build"},
      {{"train"}, "train: --out is needed: folder of the run"},
      {{"train", "--out"}, "train: --out wants a value"},
      {{"train", "--out", ""}, "train: --out wants a value, not ''"},
      {{"train", "--uot", "a"}, "train: there is no option '--uot'; did you mean '--out'?"},
      {{"train", "--out", "a", "-epochs", "3"}, "train: there is no option '-epochs'; did you mean '--epochs'?"},
      {{"train", "--out", "a", "--epoch=3"}, "train: there is no option '--epoch=3'; did you mean '--epochs'?"},
      {{"train", "--out", "a", "--xyzzyxyzzy"},
       "train: there is no option '--xyzzyxyzzy'; there are --help, --out, --epochs, --rate, --set, --sizes, --json, "
       "--csv"},
      {{"train", "--out", "a", "--epochs", "2.7"}, "train: --epochs wants a whole number from 0 to 1000, not '2.7'"},
      {{"train", "--out", "a", "--epochs", "-1"}, "train: --epochs wants a whole number from 0 to 1000, not '-1'"},
      {{"train", "--out", "a", "--epochs", "0x10"}, "train: --epochs wants a whole number from 0 to 1000, not '0x10'"},
      {{"train", "--out", "a", "--epochs", "99999999999999999999"},
       "train: --epochs wants a whole number from 0 to 1000, not '99999999999999999999'"},
      {{"train", "--out", "a", "--epochs", "1", "--epochs", "2"},
       "train: --epochs is given more than once: as '1' and as '2'"},
      {{"train", "--out", "a", "--rate", "nan"}, "train: --rate wants a number from 0 up, not 'nan'"},
      {{"train", "--out", "a", "-r", "1e999"}, "train: --rate wants a number from 0 up, not '1e999'"},
      {{"train", "--out", "a", "--sizes", "1,0"}, "train: --sizes wants a whole number from 1 up, not '0'"},
      {{"train", "--out", "a", "--json=maybe"}, "train: --json takes no value"},
      {{"train", "--out", "a", "--set", ""}, "train: --set wants a value, not ''"},
      {{"train", "--out", "a", "--csv", "--json"}, "train: --json does not go with --csv"},
      {{"train", "--out", "a", "b"}, "train: 'b' is one argument too many"},
      {{"--json", "train", "--out", "a"}, "train: '--json' stands before the command: options stand behind it"},
      {{"build"}, "build: FILE is needed: what to build"},
      {{"build", "a", "b"}, "build: 'b' is one argument too many"},
      {{"build", "a", "--kind", "resent"},
       "build: --kind wants resnet, fused or exe, not 'resent'; did you mean 'resnet'?"},
  };
  for (const auto &[arguments, wanted] : cases)
    EXPECT_EQ(complaint(arguments), "error: " + wanted + "\n");
}

TEST(CommandLine, TakesWhatIsMeant) {
  Given given;
  EXPECT_EQ(complaint({"train", "--out", "-a", "--epochs", "010", "--rate", "+1e-2", "--sizes", "1,32", "--set",
                       "train.augment=[flip, flip]", "--set", "[b]"},
                      &given),
            "");
  EXPECT_EQ(given.out, "-a");
  EXPECT_EQ(given.epochs, 10) << "in base ten";
  EXPECT_EQ(given.rate, 1e-2);
  EXPECT_EQ(given.sizes, (std::vector<int64_t>{1, 32}));
  EXPECT_EQ(given.sets, (std::vector<std::string>{"train.augment=[flip, flip]", "[b]"}));
  EXPECT_EQ(complaint({"build", "--", "--kind"}, &given), "");
  EXPECT_EQ(given.file, "--kind");
  EXPECT_EQ(complaint({"build", "@file"}, &given), "");
  EXPECT_EQ(given.file, "@file");
  EXPECT_EQ(complaint({"build", "train"}, &given), "");
  EXPECT_EQ(given.file, "train");
}

} // namespace
