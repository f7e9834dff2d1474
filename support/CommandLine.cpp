//===- CommandLine.cpp - What a person typed, and what is wrong with it ---===//

#include "support/CommandLine.h"

#include "support/DidYouMean.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <functional>

using namespace resin;

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

/// All of `text` as a number.
template <typename Number> static std::optional<Number> read(const std::string &text) {
  Number number{};
  const char *begin = text.data(), *end = begin + text.size();
  if (end - begin > 1 && *begin == '+')
    ++begin;
  const auto [rest, error] = std::from_chars(begin, end, number);
  return error == std::errc() && rest == end ? std::optional(number) : std::nullopt;
}

static CLI::Validator validator(const std::string &wanted, const std::function<bool(std::string &)> &accepts) {
  auto check = [=](std::string &text) -> std::string {
    const std::string given = text;
    return accepts(text) ? "" : concat("wants ", wanted, ", not '", given, "'");
  };
  return CLI::Validator(check, "");
}

CLI::Validator resin::wholeNumber(uint64_t least, uint64_t most) {
  const bool isOpen = most >= INT64_MAX;
  const std::string wanted = concat("a whole number from ", least, isOpen ? " up" : concat(" to ", most));
  return validator(wanted, [=](std::string &text) {
    const std::optional<uint64_t> number = read<uint64_t>(text);
    if (!number || *number < least || *number > most)
      return false;
    text = std::to_string(*number);
    return true;
  });
}

CLI::Validator resin::realNumber(double least, double most) {
  const std::string wanted = concat("a number from ", least, std::isinf(most) ? " up" : concat(" to ", most));
  return validator(wanted, [=](std::string &text) {
    const std::optional<double> number = read<double>(text);
    return number && std::isfinite(*number) && *number >= least && *number <= most;
  });
}

CLI::Validator resin::oneOf(const std::vector<std::string> &words) {
  const std::string wanted = listNames({words.begin(), words.end() - 1}) + " or " + words.back();
  auto check = [=](std::string &text) -> std::string {
    if (std::find(words.begin(), words.end(), text) != words.end())
      return "";
    return concat("wants ", wanted, ", not '", text, "'", didYouMean(text, words));
  };
  return CLI::Validator(check, "");
}

//===----------------------------------------------------------------------===//
// Mistakes
//===----------------------------------------------------------------------===//

/// "; did you mean ..?", or all there are if none is near.
static std::string suggest(const std::string &name, const std::vector<std::string> &known) {
  return didYouMeanOr(name, known, "there are");
}

static std::vector<std::string> commandsOf(const CLI::App &app) {
  std::vector<std::string> names;
  for (const CLI::App *command : app.get_subcommands([](const CLI::App *) { return true; }))
    names.push_back(command->get_name());
  return names;
}

/// Those that are shown by --help.
static std::vector<std::string> optionsOf(const CLI::App &app) {
  std::vector<std::string> names;
  for (const CLI::Option *option : app.get_options([](const CLI::Option *) { return true; }))
    if (!option->get_group().empty() && !option->get_positional())
      names.push_back(option->get_name());
  return names;
}

/// The option that was meant by "-epochs=3" or "--Epochs" is "--epochs".
static std::string nearestOption(const std::string &given, const std::vector<std::string> &known) {
  const std::string name = given.substr(0, given.find('='));
  for (const std::string &each : known)
    if (each == "-" + name)
      return "; did you mean '" + each + "'?";
  return suggest(name, known);
}

static bool isOption(const std::string &text) { return text.size() > 1 && text[0] == '-'; }

/// What is left over beside a command; empty if nothing.
static std::string explainExtras(const CLI::App &app, const CLI::App &command) {
  const std::vector<std::string> before = app.remaining(), behind = command.remaining();
  if (auto option = std::find_if(behind.begin(), behind.end(), isOption); option != behind.end())
    return concat("there is no option '", *option, "'", nearestOption(*option, optionsOf(command)));
  if (!behind.empty())
    return concat("'", behind[0], "' is one argument too many");
  if (!before.empty())
    return concat("'", before[0], "' stands before the command: options stand behind it");
  return "";
}

/// The same where there is no command.
static std::string explainNoCommand(const CLI::App &app) {
  const std::vector<std::string> all = app.remaining();
  if (auto word = std::find_if_not(all.begin(), all.end(), isOption); word != all.end())
    return concat("there is no command '", *word, "'", suggest(*word, commandsOf(app)));
  if (!all.empty())
    return concat("there is no option '", all[0], "'", nearestOption(all[0], optionsOf(app)));
  return concat("a command is needed; there are ", listNames(commandsOf(app)));
}

static std::string explainMissing(const CLI::App &command) {
  for (const CLI::Option *option : command.get_options([](const CLI::Option *) { return true; }))
    if (option->get_required() && option->count() == 0)
      return concat(option->get_name(), " is needed: ", option->get_description());
  return "";
}

static std::string explainRepetition(const CLI::App &command) {
  for (const CLI::Option *option : command.get_options([](const CLI::Option *) { return true; }))
    if (option->get_items_expected_max() == 1 && option->count() > 1)
      return concat(option->get_name(), " is given more than once: as '", listNames(option->results(), "' and as '"),
                    "'");
  return "";
}

/// Of a flag that was given a value.
static std::string explainFlag(const CLI::App &command) {
  for (const CLI::Option *option : command.get_options([](const CLI::Option *) { return true; }))
    if (option->get_items_expected_max() == 0 && option->count() > 0 && option->results().back() != "true")
      return option->get_name() + " takes no value";
  return "";
}

/// What CLI11 said begins with the option's name.
static std::string explainValue(const CLI::ParseError &error) {
  const std::string text = error.what();
  if (const size_t verb = text.find(" excludes "); error.get_name() == "ExcludesError")
    return text.substr(0, verb) + " does not go with " + text.substr(verb + 10);
  const size_t end = text.find(':');
  const bool isValidators = error.get_name() == "ValidationError";
  return text.substr(0, end) + (isValidators ? text.substr(end + 1) : " wants a value");
}

static std::string explain(CLI::App &app, const CLI::ParseError &error) {
  const std::vector<CLI::App *> parsed = app.get_subcommands();
  if (parsed.empty())
    return explainNoCommand(app);
  const CLI::App &command = *parsed.front();
  const std::string about = command.get_name() + ": ";
  if (const std::string text = explainExtras(app, command); !text.empty())
    return about + text;
  if (error.get_name() == "RequiredError")
    return about + explainMissing(command);
  for (const std::string &text : {explainRepetition(command), explainFlag(command)})
    if (!text.empty())
      return about + text;
  return about + explainValue(error);
}

/// An empty value is a variable of a script that was not set.
static std::string explainEmpty(const CLI::App &command) {
  for (const CLI::Option *option : command.get_options([](const CLI::Option *) { return true; }))
    if (std::find(option->results().begin(), option->results().end(), "") != option->results().end())
      return concat(command.get_name(), ": ", option->get_name(), " wants a value, not ''");
  return "";
}

static ExitCode printAnswer(const std::string &text) {
  std::fputs(text.c_str(), stdout);
  return std::fflush(stdout) == 0 ? ExitCode::Ok : ExitCode::IoError;
}

std::optional<ExitCode> resin::parseCommandLine(CLI::App &app, int argc, const char *const *argv,
                                                const std::string &prefix) {
  std::string mistake;
  try {
    app.parse(argc, argv);
    mistake = explainEmpty(*app.get_subcommands().front());
  } catch (const CLI::CallForHelp &) {
    return printAnswer(app.help());
  } catch (const CLI::CallForVersion &) {
    return printAnswer(app.version() + "\n");
  } catch (const CLI::ParseError &error) {
    mistake = explain(app, error);
  }
  if (mistake.empty())
    return std::nullopt;
  std::fprintf(stderr, "%s%s\n", prefix.c_str(), mistake.c_str());
  return ExitCode::Usage;
}
