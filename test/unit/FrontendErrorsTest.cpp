//===- FrontendErrorsTest.cpp - Every mistake has its message -------------===//
//
// One row for each message of the front end: a text, and the lines that must be
// among those printed. What is malformed beyond words must at least not crash.
//
//===----------------------------------------------------------------------===//

#include "FrontendText.h"

#include <gtest/gtest.h>

using namespace resin::frontend;

namespace {

struct Mistake {
  const char *name;
  std::string text;
  std::vector<std::string> messages;
};

void PrintTo(const Mistake &mistake, std::ostream *out) { *out << mistake.name; }

class Mistakes : public testing::TestWithParam<Mistake> {};

TEST_P(Mistakes, areReported) {
  Analysis analysis = analyzeText(GetParam().text);
  EXPECT_FALSE(analysis.network);
  for (const std::string &message : GetParam().messages)
    EXPECT_NE(analysis.messages.find(message), std::string::npos) << "expected: " << message << "\nfound:\n"
                                                                  << analysis.messages;
}

std::string sayName(const testing::TestParamInfo<Mistake> &info) { return info.param.name; }

std::string nest(int depth, const std::string &open, const std::string &inner, const std::string &close) {
  std::string text;
  for (int i = 0; i < depth; ++i)
    text += open;
  text += inner;
  for (int i = 0; i < depth; ++i)
    text += close;
  return text;
}

std::string withTrain(const std::string &settings) { return inModel("") + "train {\n" + settings + "\n}\n"; }

//===----------------------------------------------------------------------===//
// Tokens
//===----------------------------------------------------------------------===//

INSTANTIATE_TEST_SUITE_P(
    Tokens, Mistakes,
    testing::ValuesIn(std::vector<Mistake>{
        {"character", inModel("  x = x $ 3"), {"net.resin:3:9: error: unexpected character '$'"}},
        {"letter", inModel("  \xc3\xa9 = 3"), {"net.resin:3:3: error: unexpected character '\xc3\xa9'"}},
        {"byte", inModel("  x = \xff\xfe"), {"net.resin:3:7: error: unexpected byte 0xff"}},
        {"zero", inModel(std::string("  x = \0", 7)), {"net.resin:3:7: error: unexpected byte 0x00"}},
        {"letterAfterLetters",
         inModel("  x = same + \"\xc3\xa9\xe2\x82\xac\" + \xc3\xa9\xc3\xa9"),
         {"net.resin:3:21: error: unexpected character '\xc3\xa9' (U+00E9)\n"
          "  x = same + \"\xc3\xa9\xe2\x82\xac\" + \xc3\xa9\xc3\xa9\n                    ^\n"}},
        {"noBreakSpace",
         inModel("  x = x # \xc3\xa9\n  y = \"\xc3\xa9\" +\xc2\xa0 3"),
         {"net.resin:4:12: error: unexpected U+00A0, a no-break space: write a space\n"
          "  y = \"\xc3\xa9\" +\xc2\xa0 3\n           ^\n"}},
        {"zeroWidthSpace",
         inModel("  x = \xe2\x80\x8bx"),
         {"net.resin:3:7: error: unexpected U+200B, a zero-width space: leave it out\n"
          "  x = <U+200B>x\n      ^~~~~~~~\n"}},
        {"typographicQuote",
         withTrain("  data = \xe2\x80\x9csynthetic\xe2\x80\x9d"),
         {"net.resin:7:10: error: unexpected U+201C, a typographic quote: write \"",
          "net.resin:7:20: error: unexpected U+201D, a typographic quote: write \""}},
        {"minusSign", inModel("  y = 3 \xe2\x88\x92 1"), {"unexpected U+2212, a minus sign: write -"}},
        {"laterByteOrderMark",
         inModel("  \xef\xbb\xbfx = x"),
         {"net.resin:3:3: error: unexpected U+FEFF, a byte order mark: leave it out"}},
        {"utf16", std::string("\xff\xfe#\0\n\0m\0", 8), {"error: the file is UTF-16 or UTF-32: save it as UTF-8"}},
        {"utf16BigEndian", std::string("\xfe\xff\0#\0\n", 6), {"error: the file is UTF-16 or UTF-32"}},
        {"utf16WithoutMark", std::string("#\0\n\0m\0", 6), {"error: the file is UTF-16 or UTF-32"}},
        {"carriageReturnEndsComment",
         "# Macintosh\r" + inModel("  x = $"),
         {"net.resin:4:7: error: unexpected character '$'\n  x = $\n      ^\n"}},
        {"carriageReturnEndsString",
         withTrain("  data = \"cifar10\r"),
         {"the string is not closed before the line ends"}},
        {"commentNotUtf8", inModel("  # \xff"), {"net.resin:3:3: error: the comment is not UTF-8"}},
        {"stringNotUtf8", withTrain("  data = \"\xff\""), {"error: the string is not UTF-8"}},
        {"openString", withTrain("  data = \"cifar10"), {"error: the string is not closed before the line ends"}},
        {"noNumber", inModel("  y = 12abc"), {"net.resin:3:7: error: '12abc' is not a number"}},
        {"twoPoints", inModel("  y = 1.2.3"), {"net.resin:3:7: error: '1.2.3' is not a number"}},
        {"largeInteger",
         inModel("  y = 9223372036854775808"),
         {"net.resin:3:7: error: the number 9223372036854775808 is too large: the largest integer is "
          "9223372036854775807"}},
        {"longInteger", inModel("  y = " + std::string(5000, '9')), {"999... is too large"}},
        {"largeFloat", inModel("  y = 1e999"), {"net.resin:3:7: error: the number '1e999' is too large"}},
    }),
    sayName);

//===----------------------------------------------------------------------===//
// Grammar
//===----------------------------------------------------------------------===//

INSTANTIATE_TEST_SUITE_P(
    Grammar, Mistakes,
    testing::ValuesIn(std::vector<Mistake>{
        {"long", std::string((1 << 20) + 1, ' '), {"net.resin:1:1: error: the file has more than 1048576 bytes"}},
        {"empty", "", {"net.resin:1:1: error: the file has no 'model'"}},
        {"noDeclaration",
         "x = 3\n" + inModel(""),
         {"net.resin:1:1: error: expected 'block', 'model' or 'train', found 'x'"}},
        {"blockName", "block (x) { return x }", {"net.resin:1:7: error: expected the block's name, found '('"}},
        {"keywordName",
         "block train(x) { return x }",
         {"error: expected the block's name, found 'train', which is a word of the language"}},
        {"noParameters",
         "block b { return x }",
         {"net.resin:1:9: error: expected '(' before the parameters, found '{'"}},
        {"parameterName",
         "block b(3) { return x }",
         {"net.resin:1:9: error: expected a parameter's name, found a number"}},
        {"comma", "block b(x y) { return x }", {"net.resin:1:11: error: expected ',' or ')', found 'y'"}},
        {"noImageShape",
         "model m(image) -> [10] { }",
         {"error: expected ':' and the image's shape [channels, height, width], found ')'"}},
        {"noResultShape",
         "model m(image: [3, 32, 32]) { }",
         {"error: expected '->' and the result's shape [classes], found '{'"}},
        {"noList", "model m(image: 3) -> [10] { }", {"error: expected '[' before a list, found a number"}},
        {"imageEnd", "model m(image: [3, 32, 32], n) -> [10] { }", {"error: expected ')' after the image, found ','"}},
        {"noBody", "block b(x) return x", {"net.resin:1:12: error: expected '{' before the body, found 'return'"}},
        {"openBody",
         "block b(x) {\n  return x\n",
         {"net.resin:3:1: error: expected '}' before the end of the file",
          "net.resin:1:12: note: the brace was opened here"}},
        {"noStatement", inModel("  3"), {"net.resin:3:3: error: expected a statement, found a number"}},
        {"noAssign", inModel("  relu(x)"), {"net.resin:3:7: error: expected '=' after 'relu', found '('"}},
        {"labelledStatement",
         inModel("  conv1: conv(x, 3)"),
         {"net.resin:3:3: error: a label here must stand before 'repeat'; to name a layer, write 'x = conv1: ...'"}},
        {"repeatIndex",
         inModel("  repeat 3 as 4 { }"),
         {"net.resin:3:15: error: expected the index's name, found a number"}},
        {"noThen", inModel("  y = if true 3 else 4"), {"error: expected 'then' after the condition, found a number"}},
        {"noElse", inModel("  y = if true then 3"), {"error: expected 'else' and the other value, found 'return'"}},
        {"noValue", inModel("  y = *"), {"net.resin:3:7: error: expected a value, found '*'"}},
        {"openParen", inModel("  y = (3"), {"error: expected ')' after the expression, found 'return'"}},
        {"noStage",
         inModel("  x = x |> 3"),
         {"net.resin:3:12: error: expected a layer or a block after '|>', found a number"}},
        {"openGroup", inModel("  x = x |> g: { relu"), {"error: expected '}' after the group, found 'return'"}},
        {"groupWithoutInput",
         inModel("  x = { relu }"),
         {"net.resin:3:7: error: a group in braces needs an input: write 'x |> { ... }'"}},
        {"labelledGroupWithoutInput",
         inModel("  x = g: { relu }"),
         {"error: a group in braces needs an input: write 'x |> g: { ... }'"}},
        {"labelledName",
         inModel("  x = g: relu"),
         {"error: expected '(' and the layer's input after 'relu', found 'return'"}},
        {"labelledNumber",
         inModel("  x = g: 3"),
         {"net.resin:3:10: error: expected a layer or a block, found a number"}},
        {"positionalAfterNamed",
         inModel("  x = conv(x, channels = 3, 3)"),
         {"net.resin:3:29: error: an argument without a name can't follow one with a name"}},
        {"chainedComparison",
         inModel("  y = 1 < 2 < 3"),
         {"net.resin:3:13: error: comparisons don't chain: join them with 'and'"}},
        {"trainBrace", "train data", {"error: expected '{' after 'train', found 'data'"}},
        {"trainKey", "train { 3 }", {"error: expected a setting or '}', found a number"}},
        {"trainAssign", "train { data cifar10 }", {"error: expected '=' after 'data', found 'cifar10'"}},
        {"deepParens", inModel("  y = " + nest(40000, "(", "1", ")")), {"nested more than 200 deep"}},
        {"deepLists", inModel("  y = " + nest(40000, "[", "1", "]")), {"nested more than 200 deep"}},
        {"deepCalls", inModel("  y = " + nest(40000, "relu(", "x", ")")), {"nested more than 200 deep"}},
        {"deepUnary", inModel("  y = " + nest(40000, "-", "1", "")), {"nested more than 200 deep"}},
        {"deepNot", inModel("  y = " + nest(40000, "not ", "true", "")), {"nested more than 200 deep"}},
        {"deepIfs", inModel("  y = " + nest(40000, "if true then ", "1", " else 2")), {"nested more than 200 deep"}},
        {"deepElses", inModel("  y = " + nest(40000, "if true then 1 else ", "1", "")), {"nested more than 200 deep"}},
        {"deepGroups", inModel("  x = x |> " + nest(40000, "{ relu |> ", "relu", " }")), {"nested more than 200 deep"}},
        {"deepBodies", inModel(nest(40000, "if true { ", "y = 1", " }")), {"nested more than 200 deep"}},
        {"deepRepeats", inModel(nest(40000, "repeat 2 { ", "y = 1", " }")), {"nested more than 200 deep"}},
        {"deepElseIfs", inModel(nest(40000, "if true { } else ", "{ }", "")), {"nested more than 200 deep"}},
        {"longSum", inModel("  y = " + nest(40000, "1 + ", "1", "")), {"nested more than 200 deep"}},
        {"manyBraces", nest(40000, "{", "", ""), {"expected 'block', 'model' or 'train'"}},
        {"manyErrors",
         nest(1000, "block b(x) { x = $ }\n", "", ""),
         {"error: there are more mistakes; these are the first 20\n"}},
    }),
    sayName);

//===----------------------------------------------------------------------===//
// Names
//===----------------------------------------------------------------------===//

INSTANTIATE_TEST_SUITE_P(
    Names, Mistakes,
    testing::ValuesIn(std::vector<Mistake>{
        {"layer",
         inModel("  x = x |> batchnrm"),
         {"net.resin:3:12: error: unknown layer or block 'batchnrm'; did you mean 'batch_norm'?"}},
        {"blockSuggested",
         "block basic(x) { return relu(x) }\n" + inModel("  x = x |> basik"),
         {"unknown layer or block 'basik'; did you mean 'basic'?"}},
        {"nothingNear", inModel("  x = x |> zebra"), {"unknown layer or block 'zebra'\n"}},
        {"variable",
         inModel("  width = 3\n  y = widht"),
         {"net.resin:4:7: error: unknown name 'widht'; did you mean 'width'?"}},
        {"layerAsValue",
         inModel("  y = relu"),
         {"net.resin:3:7: error: 'relu' is a layer: give it an input, as in 'x |> relu'"}},
        {"blockAsValue",
         "block b(x) { return x }\n" + inModel("  y = b"),
         {"error: 'b' is a block: give it an input, as in 'x |> b'"}},
        {"inUncalledBlock",
         "block b(x) {\n  if false { return x |> rleu }\n  repeat 2 { y = [q] }\n  return -(1 + r)\n}\n" + inModel(""),
         {"net.resin:2:26: error: unknown layer or block 'rleu'; did you mean 'relu'?",
          "net.resin:3:19: error: unknown name 'q'", "net.resin:4:16: error: unknown name 'r'"}},
        {"defaultSeesOnlyEarlier",
         "block b(x, n = m, m = 2) { return x }\n" + inModel(""),
         {"net.resin:1:16: error: unknown name 'm'"}},
        {"argumentInUncalledBlock",
         "block b(x) { return x |> conv(3, kernal = 3) }\n" + inModel(""),
         {"error: 'conv' has no argument 'kernal'; did you mean 'kernel'?"}},
        {"notYet", inModel("  if false { y = 3 }\n  z = y"), {"net.resin:4:7: error: 'y' has no value yet here"}},
        {"labelledFunction",
         inModel("  y = a: shape(x)"),
         {"net.resin:3:7: error: a label names a layer, a block or a group, and 'shape' is a function"}},
        {"blockTwice",
         "block b(x) { return x }\nblock b(x) { return x }\n" + inModel(""),
         {"net.resin:2:7: error: the block 'b' is declared twice", "net.resin:1:7: note: it was declared here"}},
        {"modelTwice", inModel("") + inModel(""), {"error: the model 'm' is declared twice"}},
        {"parameterTwice",
         "block b(x, x) { return x }\n" + inModel(""),
         {"net.resin:1:12: error: the parameter 'x' is declared twice"}},
        {"blockIsLayer",
         "block conv(x) { return x }\n" + inModel(""),
         {"net.resin:1:7: error: 'conv' is a layer: give the block another name"}},
        {"blockIsFunction",
         "block shape(x) { return x }\n" + inModel(""),
         {"error: 'shape' is a function: give the block another name"}},
        {"trainTwice",
         inModel("") + "train { }\ntrain { }\n",
         {"net.resin:7:1: error: a file has one 'train'", "net.resin:6:1: note: the first is here"}},
        {"severalModels",
         inModel("") + "model n(image: [3, 32, 32]) -> [10] { return image |> flatten |> linear(10) }",
         {"error: the file has several models: choose one with --model (m, n)"}},
        {"noModel", "block b(x) { return x }", {"error: the file has no 'model'"}},
        {"layersWithOneName",
         inModel("  x = x |> a: conv(3, kernel = 3)\n  x = x |> a: relu"),
         {"net.resin:4:15: error: two layers are named 'a'", "net.resin:3:15: note: the other is here"}},
        {"repeatWithoutLabel",
         inModel("  repeat 2 { x = x |> a: relu }"),
         {"net.resin:3:26: error: two layers are named 'a': this one is made twice; give the 'repeat' or the calls "
          "around it a label"}},
        {"severalInOneRun",
         inModel("  y = q\n  x = x |> rel\n  z = 1 / 0"),
         {"net.resin:3:7: error: unknown name 'q'",
          "net.resin:4:12: error: unknown layer or block 'rel'; did you mean 'relu'?",
          "net.resin:5:9: error: division by zero"}},
    }),
    sayName);

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

INSTANTIATE_TEST_SUITE_P(
    Values, Mistakes,
    testing::ValuesIn(std::vector<Mistake>{
        {"integerDivision", inModel("  y = 1 / 0"), {"net.resin:3:9: error: division by zero"}},
        {"integerRemainder", inModel("  y = 1 % 0"), {"division by zero"}},
        {"floatDivision", inModel("  y = 1.0 / 0"), {"division by zero"}},
        {"sum",
         inModel("  y = 9223372036854775807 + 1"),
         {"net.resin:3:27: error: the result is too large for an integer"}},
        {"difference", inModel("  y = -9223372036854775807 - 2"), {"the result is too large for an integer"}},
        {"product", inModel("  y = 9223372036854775807 * 2"), {"the result is too large for an integer"}},
        {"quotient", inModel("  y = (-9223372036854775807 - 1) / -1"), {"the result is too large for an integer"}},
        {"remainder", inModel("  y = (-9223372036854775807 - 1) % -1"), {"the result is too large for an integer"}},
        {"negation", inModel("  y = -(-9223372036854775807 - 1)"), {"the result is too large for an integer"}},
        {"roundedRate",
         inModel("  x = x |> dropout(1 / 10)"),
         {"net.resin:3:20: error: 'rate' of 'dropout' is a number from 0, below 1, not 0, to which the integers 1 / 10 "
          "are rounded: write 1.0 / 10"}},
        {"roundedEpsilon",
         inModel("  x = x |> batch_norm(epsilon = 7 / 2)"),
         {"'epsilon' of 'batch_norm' is a number above 0, not 3, to which the integers 7 / 2 are rounded: write 7.0 / "
          "2"}},
        {"roundedBesideNumber",
         inModel("  y = 0.1 * (128 / 256)"),
         {"net.resin:3:14: error: a number is wanted beside '*', not 0, to which the integers 128 / 256 are rounded: "
          "write 128.0 / 256"}},
        {"roundedCompared",
         inModel("  if height(x) / 5 > 6.1 { y = 1 }"),
         {"net.resin:3:6: error: a number is wanted beside '>', not 6, to which the integers 32 / 5 are rounded"}},
        {"roundedOnTheWay",
         inModel("  n = -(7 / 2) + 4\n  x = x |> dropout(n % 2)"),
         {"'rate' of 'dropout' is a number from 0, below 1, not 1, to which the integers 7 / 2 are rounded"}},
        {"floatOverflow", inModel("  y = 1e300 * 1e300"), {"the result is too large for a number"}},
        {"kinds", inModel("  y = 1 + true"), {"net.resin:3:9: error: '+' can't join 1 and true"}},
        {"tensorAndNumber", inModel("  y = x + 1"), {"'+' can't join a tensor and 1"}},
        {"tensorProduct", inModel("  y = x * x"), {"'*' can't join a tensor and a tensor"}},
        {"minusWord", inModel("  y = -same"), {"net.resin:3:8: error: '-' takes a number, not 'same'"}},
        {"notNumber", inModel("  y = not 3"), {"'not' takes true or false, not 3"}},
        {"andNumber", inModel("  y = 3 and true"), {"net.resin:3:7: error: 'and' takes true or false, not 3"}},
        {"orNumber", inModel("  y = false or 3"), {"net.resin:3:16: error: 'or' takes true or false, not 3"}},
        {"compareKinds", inModel("  y = 1 == true"), {"'==' can't compare 1 and true"}},
        {"compareTensors",
         inModel("  y = x == x"),
         {"'==' can't compare a tensor and a tensor", "note: shapes can be compared: shape(x) == shape(y)"}},
        {"orderLists", inModel("  y = [1] < [2]"), {"'<' can't compare [1] and [2]"}},
        {"condition", inModel("  if 3 { y = 1 }"), {"net.resin:3:6: error: a condition is true or false, not 3"}},
        {"ifExprCondition", inModel("  y = if x then 1 else 2"), {"a condition is true or false, not a tensor"}},
        {"listOfLists", inModel("  y = [[1]]"), {"net.resin:3:8: error: a list holds numbers and words, not [1]"}},
        {"repeatCount",
         inModel("  repeat 1.5 { }"),
         {"net.resin:3:10: error: 'repeat' takes an integer from 0 to 100000, not 1.5"}},
        {"repeatNegative", inModel("  repeat -1 { }"), {"'repeat' takes an integer from 0 to 100000, not -1"}},
        {"repeatHuge",
         inModel("  repeat 1000000000 { x = relu(x) }"),
         {"'repeat' takes an integer from 0 to 100000, not 1000000000"}},
        {"manyExpressions",
         inModel("  repeat 100000 { y = [" + nest(10000, "1, ", "", "") + "] }"),
         {"unrolling the model takes more than 1000000 steps"}},
        {"manySteps",
         inModel("  repeat 100000 { repeat 100000 { } }"),
         {"unrolling the model takes more than 1000000 steps"}},
        {"manyLayers",
         inModel("  repeat 100000 { x = relu(x) }"),
         {"net.resin:3:23: error: the model has more than 20000 layers"}},
        {"function", inModel("  y = shape(3)"), {"net.resin:3:13: error: 'shape' takes a tensor, not 3"}},
        {"functionNoArgument", inModel("  y = shape()"), {"'shape' needs 'x'"}},
        {"mixedEquality", inModel("  if 7 / 2 == 3.5 { y = 1 }"), {"a number is wanted beside '=='"}},
        {"functionArguments", inModel("  y = shape(x, x)"), {"'shape' takes 1 argument, not 2"}},
        {"heightOfVector", inModel("  y = height(global_avg_pool(x))"), {"a tensor [3] has no height"}},
    }),
    sayName);

//===----------------------------------------------------------------------===//
// Blocks and models
//===----------------------------------------------------------------------===//

INSTANTIATE_TEST_SUITE_P(
    Blocks, Mistakes,
    testing::ValuesIn(std::vector<Mistake>{
        {"noReturn",
         "block b(x) {\n  y = x\n}\n" + inModel("  x = b(x)"),
         {"net.resin:3:1: error: the block 'b' ends without 'return'", "net.resin:6:7: note: in 'b', called here"}},
        {"recursion",
         "block b(x) { return b(x) }\n" + inModel("  x = b(x)"),
         {"net.resin:1:21: error: the block 'b' calls itself", "net.resin:4:7: note: it is entered here"}},
        {"mutualRecursion",
         "block a(x) { return b(x) }\nblock b(x) { return a(x) }\n" + inModel("  x = a(x)"),
         {"the block 'a' calls itself"}},
        {"recursiveDefault",
         "block b(x, y = b(1)) { return x }\n" + inModel("  x = b(x)"),
         {"the block 'b' calls itself"}},
        {"missing",
         "block b(x, n) { return x }\n" + inModel("  x = b(x)"),
         {"net.resin:4:7: error: 'b' needs 'n'", "net.resin:1:12: note: it is declared here without a default"}},
        {"tooMany",
         "block b(x) { return x }\n" + inModel("  x = x |> b(3)"),
         {"net.resin:4:14: error: 'b' takes no arguments beside its input, not 1"}},
        {"noneAtAll", "block b() { return 3 }\n" + inModel("  x = x |> b"), {"'b' takes no arguments, not 1"}},
        {"twice",
         "block b(x, n) { return x }\n" + inModel("  x = b(x, 3, n = 4)"),
         {"net.resin:4:15: error: 'n' of 'b' is given twice", "net.resin:4:12: note: it is given here too"}},
        {"inside",
         "block b(x, n) { return x |> conv(n, kernel = 3) }\n" + inModel("  x = b(x, 0)"),
         {"net.resin:1:34: error: 'channels' of 'conv' is an integer from 1 to 1048576, not 0",
          "net.resin:4:7: note: in 'b', called here"}},
        {"modelNoReturn",
         "model m(image: [3, 32, 32]) -> [10] {\n}",
         {"net.resin:2:1: error: the model 'm' ends without 'return'"}},
        {"imageRank",
         "model m(image: [32, 32]) -> [10] { return image }",
         {"net.resin:1:16: error: the image is [channels, height, width], each from 1 to 1048576, not [32, 32]"}},
        {"imageZero",
         "model m(image: [0, 32, 32]) -> [10] { return image }",
         {"the image is [channels, height, width], each from 1 to 1048576, not [0, 32, 32]"}},
        {"imageHuge",
         "model m(image: [1048576, 1048576, 1048576]) -> [10] { return image |> global_avg_pool |> linear(10) }",
         {"the image [1048576, 1048576, 1048576] has more than 2147483648 elements"}},
        {"resultRank",
         "model m(image: [3, 32, 32]) -> [10, 10] { return image |> flatten |> linear(10) }",
         {"the result is [classes], each from 1 to 1048576, not [10, 10]"}},
        {"resultShape",
         "model m(image: [3, 32, 32]) -> [100] {\n  return image |> flatten |> linear(10)\n}",
         {"net.resin:1:32: error: the model returns [10], not [100]", "net.resin:2:30: note: the result is made here"}},
        {"resultNoTensor",
         "model m(image: [3, 32, 32]) -> [10] { return 3 }",
         {"net.resin:1:7: error: the model 'm' returns 3 instead of a tensor"}},
        {"unused",
         inModel("  y = x |> conv1: conv(8, kernel = 3)"),
         {"net.resin:3:19: error: the result of 'conv1' is never used"}},
        {"noParameters",
         "model m(image: [10, 32, 32]) -> [10] { return image |> global_avg_pool }",
         {"error: the model has no parameters to train"}},
    }),
    sayName);

std::string callChain(int length) {
  std::string text;
  for (int i = 0; i < length; ++i)
    text += "block b" + std::to_string(i) + "(x) { return b" + std::to_string(i + 1) + "(x) }\n";
  return text + "block b" + std::to_string(length) + "(x) { return x }\n" + inModel("  x = b0(x)");
}

/// Each block calls the next twice: 2^40 calls.
std::string callTree() {
  std::string text;
  for (int i = 0; i < 40; ++i)
    text += "block b" + std::to_string(i) + "(x) { y = b" + std::to_string(i + 1) + "(x) return b" +
            std::to_string(i + 1) + "(y) }\n";
  return text + "block b40(x) { return x }\n" + inModel("  x = b0(x)");
}

INSTANTIATE_TEST_SUITE_P(Chains, Mistakes,
                         testing::ValuesIn(std::vector<Mistake>{
                             {"callChain", callChain(1000), {"blocks call each other more than 64 deep"}},
                             {"callTree", callTree(), {"unrolling the model takes more than 1000000 steps"}},
                         }),
                         sayName);

//===----------------------------------------------------------------------===//
// Layers
//===----------------------------------------------------------------------===//

INSTANTIATE_TEST_SUITE_P(
    Layers, Mistakes,
    testing::ValuesIn(std::vector<Mistake>{
        {"missing",
         inModel("  x = x |> conv(8)"),
         {"net.resin:3:12: error: 'conv' needs 'kernel': an integer from 1 to 1048576 or [height, width]"}},
        {"noInput",
         inModel("  x = conv(8, kernel = 3)"),
         {"net.resin:3:12: error: 'x' of 'conv' is a tensor [channels, height, width], not 8"}},
        {"tooMany",
         inModel("  x = x |> relu(3)"),
         {"net.resin:3:17: error: 'relu' takes no arguments beside its input, not 1"}},
        {"convOfVector",
         inModel("  x = x |> global_avg_pool |> conv(8, kernel = 3)"),
         {"net.resin:3:31: error: 'x' of 'conv' is a tensor [channels, height, width], not a tensor [3]"}},
        {"linearOfImage",
         inModel("  x = x |> linear(8)"),
         {"'x' of 'linear' is a tensor [features], not a tensor [3, 32, 32]: use flatten or global_avg_pool before"}},
        {"reluOfNumber", inModel("  x = relu(3)"), {"'x' of 'relu' is a tensor, not 3"}},
        {"channels",
         inModel("  x = x |> conv(1.5, kernel = 3)"),
         {"'channels' of 'conv' is an integer from 1 to 1048576, not 1.5"}},
        {"hugeChannels",
         inModel("  x = x |> conv(1048577, kernel = 3)"),
         {"'channels' of 'conv' is an integer from 1 to 1048576, not 1048577"}},
        {"kernel",
         inModel("  x = x |> conv(8, kernel = [3, 3, 3])"),
         {"'kernel' of 'conv' is an integer from 1 to 1048576 or [height, width], not [3, 3, 3]"}},
        {"padWord",
         inModel("  x = x |> conv(8, kernel = 3, pad = zeros)"),
         {"'pad' of 'conv' is an integer from 0, [height, width], [top, left, bottom, right], same, keras_same or "
          "valid, not 'zeros'"}},
        {"padNegative", inModel("  x = x |> conv(8, kernel = 3, pad = -1)"), {"'pad' of 'conv' is", "not -1"}},
        {"bias", inModel("  x = x |> conv(8, kernel = 3, bias = 1)"), {"'bias' of 'conv' is true or false, not 1"}},
        {"init",
         inModel("  x = x |> conv(8, kernel = 3, init = same)"),
         {"'init' of 'conv' is he_normal, glorot_uniform, linear_uniform or zeros, not 'same'"}},
        {"epsilon",
         inModel("  x = x |> batch_norm(epsilon = 0)"),
         {"'epsilon' of 'batch_norm' is a number above 0, not 0"}},
        {"momentum",
         inModel("  x = x |> batch_norm(momentum = 1.5)"),
         {"'momentum' of 'batch_norm' is a number from 0 to 1, not 1.5"}},
        {"rate", inModel("  x = x |> dropout(1)"), {"'rate' of 'dropout' is a number from 0, below 1, not 1"}},
        {"epsilonVanishes",
         inModel("  x = x |> batch_norm(epsilon = 1e-60)"),
         {"'epsilon' of 'batch_norm' is a number above 0, not 1e-60, which is 0 as a 32-bit float"}},
        {"epsilonInfinite",
         inModel("  x = x |> batch_norm(epsilon = 1e39)"),
         {"net.resin:3:33: error: 'epsilon' of 'batch_norm' is a number above 0, not 1e+39, which is infinite as a "
          "32-bit float"}},
        {"rateRoundsToOne",
         inModel("  x = x |> dropout(0.99999999999)"),
         {"'rate' of 'dropout' is a number from 0, below 1, not 0.99999999999, which is 1 as a 32-bit float"}},
        {"unknownArgument",
         inModel("  x = x |> dropout(probability = 0.1)"),
         {"net.resin:3:20: error: 'dropout' has no argument 'probability'; it takes x, rate"}},
        {"likeAndStride",
         inModel("  y = x |> max_pool(2)\n  x = x |> conv(3, kernel = 1, stride = 2, like = y)"),
         {"net.resin:4:41: error: 'like' already says the stride: leave one of them out",
          "net.resin:4:51: note: 'like' is given here"}},
        {"likeLarger",
         inModel("  y = x |> max_pool(2)\n  x = y |> conv(3, kernel = 1, like = x)"),
         {"net.resin:4:39: error: no stride makes a map of [32, 32] out of one of [16, 16]",
          "net.resin:1:9: note: [3, 32, 32] is made here"}},
        {"likeBetween",
         inModel("  y = x |> max_pool(10, stride = 1)\n  x = x |> subsample(like = y)"),
         {"no stride makes a map of [23, 23] out of one of [32, 32]"}},
        {"likeVector",
         inModel("  y = x |> global_avg_pool\n  x = x |> subsample(like = y)"),
         {"'like' of 'subsample' is a tensor [channels, height, width], not a tensor [3]"}},
        {"subsampleTwoStrides",
         inModel("  y = x |> max_pool([2, 4])\n  x = x |> subsample(like = y)"),
         {"'subsample' has one stride for both directions, and [3, 16, 8] of [3, 32, 32] wants [2, 4]"}},
        {"subsampleNothing",
         inModel("  x = x |> subsample"),
         {"net.resin:3:12: error: 'subsample' needs 'stride', or 'like': a tensor as large as the result"}},
        {"optimizersName",
         inModel("  x = x |> optimizer: { momentum: { a: conv(3, kernel = 1) } }"),
         {"net.resin:3:40: error: the path 'optimizer.momentum.a' begins with 'optimizer', as the names of the "
          "optimizer's state do: give the label another name"}},
        {"oneValueAChannel",
         "model m(image: [3, 8, 8]) -> [10] {\n  return image |> conv(8, kernel = 8, pad = 0) |> b: batch_norm |> "
         "flatten "
         "|> linear(10)\n}\ntrain { batch = 1 }",
         {"net.resin:2:54: error: in training 'b' would have one value a channel and make it 0: its map [8, 1, 1] is "
          "one pixel and the batch is 1; take a batch of 2 or more"}},
        {"oneClass",
         "model m(image: [3, 8, 8]) -> [1] { return image |> flatten |> linear(1) }",
         {"net.resin:1:30: error: cross_entropy over one class is always 0: a model has two classes or more"}},
        {"evenKernel",
         inModel("  x = x |> conv(8, kernel = 2)"),
         {"net.resin:3:12: error: there is no default padding for a kernel of 2: give 'pad' as a number, [top, left, "
          "bottom, right] or keras_same"}},
        {"evenSame",
         inModel("  x = x |> conv(8, kernel = 2, pad = same)"),
         {"net.resin:3:38: error: 'same' pads both sides alike, which a kernel of 2 can't have"}},
        {"groupsOfInput",
         inModel("  x = x |> conv(8, kernel = 3, groups = 2)"),
         {"2 groups don't divide the 3 channels of the input"}},
        {"groupsOfResult",
         inModel("  x = x |> conv(8, kernel = 3, groups = 3)"),
         {"3 groups don't divide the 8 channels of the result"}},
        {"window",
         inModel("  x = x |> a: relu |> conv(8, kernel = 35, pad = valid)"),
         {"the window of [35, 35] doesn't fit into [3, 32, 32] padded by [0, 0, 0, 0]",
          "net.resin:3:15: note: the input is made here"}},
        {"hugeWindow",
         inModel("  x = x |> conv(8, kernel = 1048575, dilation = 1048576, pad = valid)"),
         {"doesn't fit into [3, 32, 32]"}},
        {"poolPadding",
         inModel("  x = x |> max_pool(2, pad = 2)"),
         {"net.resin:3:30: error: the padding [2, 2, 2, 2] leaves a whole window of [2, 2] outside the image"}},
        {"hugeWeight",
         inModel("  x = x |> conv(1048576, kernel = 1023, pad = 1000)"),
         {"the layer's weight [1048576, 3, 1023, 1023] has more than 2147483648 elements"}},
        {"hugeResult",
         inModel("  x = x |> conv(65536, kernel = 3, pad = 1000)"),
         {"the layer's result [65536, 2030, 2030] has more than 2147483648 elements"}},
        {"padReach",
         inModel("  x = x |> conv(8, kernel = 3, pad = 1025)"),
         {"net.resin:3:12: error: the window would read 1025 pixels beyond the edge of its input [3, 32, 32]; the most "
          "is "
          "1024: take less padding or dilation"}},
        {"dilationReach",
         inModel("  x = x |> conv(16, kernel = 3, dilation = 5000)"),
         {"net.resin:3:12: error: the window would read 5000 pixels beyond the edge of its input [3, 32, 32]"}},
        {"poolReach",
         inModel("  x = x |> avg_pool(1027, pad = 1026, stride = 1)"),
         {"the window would read 1026 pixels beyond the edge of its input [3, 32, 32]"}},
        {"gradientReach",
         "model m(image: [1, 4000, 4000]) -> [10] {\n  return image |> a: relu |> conv(2, kernel = 2, dilation = 1500, "
         "pad "
         "= 0) |> global_avg_pool |> linear(10)\n}",
         {"net.resin:2:30: error: the gradient would read 1500 pixels beyond the edge of its result [2, 2500, 2500]; "
          "the "
          "most is 1024",
          "net.resin:2:22: note: the input is made here"}},
        {"addChannels",
         inModel("  y = x |> conv(8, kernel = 3)\n  x = y + x"),
         {"net.resin:4:9: error: 'add' joins [8, 32, 32] and [3, 32, 32]: the channels differ",
          "net.resin:3:12: note: [8, 32, 32] is made here", "net.resin:1:9: note: [3, 32, 32] is made here"}},
        {"addSizes",
         inModel("  x = add(x, x |> max_pool(2))"),
         {"'add' joins [3, 32, 32] and [3, 16, 16]: the sizes differ; a shortcut's conv or subsample takes 'like' "
          "instead of a stride, and is as large as that tensor"}},
        {"addRanks", inModel("  x = add(x, x |> flatten)"), {"'add' joins [3, 32, 32] and [3072]: the ranks differ"}},
        {"addFeatures",
         inModel("  x = add(x |> flatten, x |> global_avg_pool)"),
         {"'add' joins [3072] and [3]: the features differ"}},
        {"padChannels",
         inModel("  x = x |> pad_channels(2)"),
         {"net.resin:3:25: error: 'pad_channels' adds channels: 2 are fewer than the input's 3"}},
    }),
    sayName);

//===----------------------------------------------------------------------===//
// Recipes
//===----------------------------------------------------------------------===//

INSTANTIATE_TEST_SUITE_P(
    Recipes, Mistakes,
    testing::ValuesIn(std::vector<Mistake>{
        {"setting",
         withTrain("  epoch = 3"),
         {"net.resin:7:3: error: unknown setting 'epoch'; did you mean 'epochs'?",
          "note: settings are data, epochs, "}},
        {"settingTwice",
         withTrain("  epochs = 3\n  epochs = 4"),
         {"net.resin:8:3: error: 'epochs' is set twice", "net.resin:7:3: note: it is set here too"}},
        {"data", withTrain("  data = cifar"), {"net.resin:7:10: error: 'data' is cifar10 or synthetic, not 'cifar'"}},
        {"dataNumber", withTrain("  data = 10"), {"'data' is cifar10 or synthetic, not 10"}},
        {"dataShape",
         "model m(image: [3, 32, 32]) -> [100] { return image |> flatten |> linear(100) }\ntrain { data = cifar10 }",
         {"net.resin:2:16: error: cifar10 has images [3, 32, 32] in 10 classes; the model takes [3, 32, 32] and has "
          "100 classes",
          "net.resin:1:9: note: the image is declared here"}},
        {"epochs", withTrain("  epochs = 1.5"), {"'epochs' is an integer from 0 to 1000000000, not 1.5"}},
        {"batch", withTrain("  batch = 0"), {"'batch' is an integer from 1 to 65536, not 0"}},
        {"batchHuge", withTrain("  batch = 100000"), {"'batch' is an integer from 1 to 65536, not 100000"}},
        {"seed", withTrain("  seed = -1"), {"'seed' is an integer from 0 to 9223372036854775807, not -1"}},
        {"augment",
         withTrain("  augment = 3"),
         {"net.resin:7:13: error: 'augment' is a list, as in [pad_crop(4), flip], or none, not 3"}},
        {"augmentWord",
         withTrain("  augment = flop"),
         {"'augment' is pad_crop, flip; not 'flop'; did you mean 'flip'?"}},
        {"augmentation",
         withTrain("  augment = [flop]"),
         {"'augment' is pad_crop, flip; not 'flop'; did you mean 'flip'?"}},
        {"padCrop", withTrain("  augment = [pad_crop]"), {"'pad_crop' needs 'pad': an integer from 0 to 4096"}},
        {"padCropHuge",
         withTrain("  augment = [pad_crop(100000)]"),
         {"net.resin:7:23: error: 'pad' of 'pad_crop' is an integer from 0 to 4096, not 100000"}},
        {"flipArguments", withTrain("  augment = [flip(3)]"), {"'flip' takes no arguments, not 1"}},
        {"optimizer",
         withTrain("  optimizer = sdg"),
         {"'optimizer' is sgd, adam, adamw, rmsprop; not 'sdg'; did you mean 'sgd'?"}},
        {"optimizerNumber", withTrain("  optimizer = 3"), {"'optimizer' is sgd, adam, adamw, rmsprop; not 3"}},
        {"momentum",
         withTrain("  optimizer = sgd(momentum = 1)"),
         {"'momentum' of 'sgd' is a number from 0, below 1, not 1"}},
        {"optimizerArgument",
         withTrain("  optimizer = sgd(momentun = 0.9)"),
         {"'sgd' has no argument 'momentun'; did you mean 'momentum'?"}},
        {"argumentTwice", withTrain("  optimizer = sgd(0.9, momentum = 0.9)"), {"'momentum' of 'sgd' is given twice"}},
        {"namedTwice",
         withTrain("  optimizer = sgd(momentum = 0.9, momentum = 0.9)"),
         {"'momentum' of 'sgd' is given twice"}},
        {"nesterov", withTrain("  optimizer = sgd(nesterov = true)"), {"'nesterov' needs a momentum above 0"}},
        {"lr", withTrain("  lr = linear(3)"), {"'lr' is constant, step, cosine; not linear(...)"}},
        {"lrRounded",
         withTrain("  lr = 1 / 10"),
         {"net.resin:7:8: error: 'value' of 'constant' is a number above 0, not 0, to which the integers 1 / 10 are "
          "rounded: write 1.0 / 10"}},
        {"lrInfinite",
         withTrain("  lr = 1e39"),
         {"net.resin:7:8: error: 'value' of 'constant' is a number above 0, not 1e+39, which is infinite as a 32-bit "
          "float"}},
        {"decayInfinite",
         withTrain("  optimizer = sgd(weight_decay = 1e39)"),
         {"'weight_decay' of 'sgd' is a number from 0, not 1e+39, which is infinite as a 32-bit float"}},
        {"decayRounded",
         withTrain("  optimizer = sgd(weight_decay = 1 / 1000)"),
         {"'weight_decay' of 'sgd' is a number from 0, not 0, to which the integers 1 / 1000 are rounded"}},
        {"adamEpsilonVanishes",
         withTrain("  optimizer = adam(epsilon = 1e-60)"),
         {"'epsilon' of 'adam' is a number above 0, not 1e-60, which is 0 as a 32-bit float"}},
        {"momentumRoundsToOne",
         withTrain("  optimizer = sgd(momentum = 0.99999999999)"),
         {"'momentum' of 'sgd' is a number from 0, below 1, not 0.99999999999, which is 1 as a 32-bit float"}},
        {"smoothingRounded", withTrain("  loss = cross_entropy(1 / 10)"), {"to which the integers 1 / 10 are rounded"}},
        {"factorZero",
         withTrain("  lr = step(peak = 0.1, every = 3, factor = 0)"),
         {"'factor' of 'step' is a number above 0, not 0"}},
        {"everyOfCosine",
         withTrain("  lr = cosine(peak = 0.1, every = 3)"),
         {"net.resin:7:27: error: 'cosine' has no argument 'every'; it takes peak, warmup, final"}},
        {"meanInfinite",
         withTrain("  normalize = fixed(mean = [0, 1e39, 0], std = [1, 1, 1])"),
         {"'mean' of 'fixed' is a list of numbers, not of 1e+39, which is infinite as a 32-bit float"}},
        {"lrZero", withTrain("  lr = 0"), {"'value' of 'constant' is a number above 0, not 0"}},
        {"lrPeak", withTrain("  lr = cosine(warmup = 5)"), {"'cosine' needs 'peak': a number above 0"}},
        {"loss",
         withTrain("  loss = cross_entropi"),
         {"'loss' is cross_entropy; not 'cross_entropi'; did you mean 'cross_entropy'?"}},
        {"smoothing",
         withTrain("  loss = cross_entropy(label_smoothing = 1)"),
         {"'label_smoothing' of 'cross_entropy' is a number from 0, below 1, not 1"}},
        {"normalize", withTrain("  normalize = imagenet"), {"'normalize' is fixed, none, dataset; not 'imagenet'"}},
        {"normalizeCount",
         withTrain("  normalize = fixed(mean = [0.5], std = [0.5, 0.5, 0.5])"),
         {"'mean' of 'fixed' has a number for each of the image's 3 channels, not 1"}},
        {"normalizeStd",
         withTrain("  normalize = fixed(mean = [0, 0, 0], std = [1, 0, 1])"),
         {"'std' of 'fixed' is above 0, not 0"}},
        {"normalizeNumber",
         withTrain("  normalize = fixed(mean = 0, std = 1)"),
         {"'mean' of 'fixed' is a list of numbers, not 0"}},
        {"decay", withTrain("  weight_decay_on = biases"), {"'weight_decay_on' is all or weights, not 'biases'"}},
        {"layers", withTrain("  data = cifar10 |> relu"), {"a setting has no layers"}},
        {"labels", withTrain("  optimizer = a: sgd(momentum = 0.9)"), {"a setting has no labels"}},
        {"besideTheModel",
         inModel("  x = x |> rel") + "train { epoch = 3 }",
         {"did you mean 'relu'?", "did you mean 'epochs'?"}},
    }),
    sayName);

//===----------------------------------------------------------------------===//
// Whatever else
//===----------------------------------------------------------------------===//

const char *const sample =
    "block b(x, n = 2) { if n > 1 and true { return x |> g: { conv(n, kernel = [3, 3]) |> relu } } return x }\n"
    "model m(image: [3, 32, 32]) -> [10] {\n  l: repeat 2 as i { image = b(image, if i == 0 then 4 else -i * 2) }\n"
    "  return image |> global_avg_pool |> fc: linear(10) # end\n}\n"
    "train { lr = cosine(peak = 0.1) augment = [pad_crop(4), flip] data = \"cifar10\" }\n";

TEST(Hostile, everyPrefixIsSurvived) {
  llvm::StringRef text(sample);
  for (size_t length = 0; length < text.size(); ++length)
    analyzeText(text.take_front(length));
}

TEST(Hostile, everyDeletionIsSurvived) {
  std::string text(sample);
  for (size_t at = 0; at < text.size(); ++at)
    analyzeText(text.substr(0, at) + text.substr(at + 1));
}

TEST(Hostile, everyReplacementIsSurvived) {
  for (char other : {'(', '{', '}', '[', '=', ':', '9', '\xff', '\0', '"', '|', '-'})
    for (size_t at = 0; at < llvm::StringRef(sample).size(); ++at) {
      std::string text(sample);
      text[at] = other;
      analyzeText(text);
    }
}

} // namespace
