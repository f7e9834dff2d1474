//===- Summary.cpp - A network as a table ---------------------------------===//

#include "frontend/Summary.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/raw_ostream.h"

#include <array>

using namespace llvm;
using namespace resin::frontend;

using Row = std::array<std::string, 5>;

/// 1234567 -> "1 234 567"
static std::string group(uint64_t number) {
  std::string text = std::to_string(number);
  for (int at = static_cast<int>(text.size()) - 3; at > 0; at -= 3)
    text.insert(at, " ");
  return text;
}

static std::string blankIfZero(uint64_t number) { return number ? group(number) : ""; }

static void printRow(raw_ostream &out, const Row &row, const std::array<size_t, 5> &widths) {
  std::string line;
  raw_string_ostream text(line);
  for (auto [column, cell] : enumerate(row)) {
    bool isNumber = column >= 3;
    text << (isNumber ? right_justify(cell, widths[column]) : left_justify(cell, widths[column])) << "  ";
  }
  out << StringRef(line).rtrim() << '\n';
}

std::string resin::frontend::printSummary(const Network &network) {
  std::vector<Row> rows = {{"layer", "kind", "result", "parameters", "FLOPs"},
                           {"image", "", print(network.image), "", ""}};
  uint64_t parameters = 0, flops = 0;
  for (const Layer &layer : network.layers) {
    rows.push_back({layer.path, layer.name.str(), print(layer.result), blankIfZero(layer.countParameters()),
                    blankIfZero(layer.flops)});
    parameters += layer.countParameters();
    flops = SaturatingAdd(flops, layer.flops);
  }
  rows.push_back({"total", "", "", group(parameters), group(flops)});

  std::array<size_t, 5> widths{};
  for (const Row &row : rows)
    for (auto [width, cell] : zip(widths, row))
      width = std::max(width, cell.size());

  std::string text;
  raw_string_ostream out(text);
  out << "model " << network.name << ", for one image\n\n";
  for (const Row &row : rows)
    printRow(out, row, widths);
  return text;
}
