//===- KernelTrial.cpp - A compiled kernel against the interpreter --------===//

#include "tuning/KernelTrial.h"

#include "codegen/LoadedKernels.h"
#include "support/OpFacts.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstring>
#include <functional>
#include <istream>
#include <limits>
#include <ostream>
#include <random>

namespace resin {

/// Storage of one tensor between two guards: 64-byte aligned, but where it is dense.
class KernelTrial::Storage {
public:
  static constexpr uint32_t kUntouched = 0x7fc0dead; // a NaN
  enum class MayBeNan { Nothing, Padding, Anything };

  /// Of f64, f32 or i32: no kernel has others yet.
  explicit Storage(const TensorSpec &tensor)
      : tensor(tensor), words(bytesOf(tensor.type) / sizeof(uint32_t)), size(storageElements(tensor)),
        guard(tensor.layout == LayoutKind::Dense ? 256 + words : 256),
        memory(new (std::align_val_t(64)) uint32_t[words * size + 2 * guard]) {
    std::fill_n(memory.get(), words * size + 2 * guard, kUntouched);
  }

  void *host() { return memory.get() + guard; }
  uint32_t &word(int64_t at) { return memory.get()[guard + at]; }

  void set(int64_t offset, double value) {
    switch (tensor.type) {
    case ElementType::F32:
      return store(offset, static_cast<float>(value));
    case ElementType::F64:
      return store(offset, value);
    case ElementType::I32:
      return store(offset, static_cast<int32_t>(value));
    default:
      assert(false && "code generation refuses other types");
    }
  }
  double get(int64_t offset) {
    switch (tensor.type) {
    case ElementType::F32:
      return load<float>(offset);
    case ElementType::F64:
      return load<double>(offset);
    case ElementType::I32:
      return load<int32_t>(offset);
    default:
      assert(false && "code generation refuses other types");
      return 0;
    }
  }

  /// Elements in place, zeros in padding and rings; NaNs stay between the slices, and above and below a band.
  void fill(const Elements &elements);
  /// What is wrong with what a kernel wrote as piece `piece`; empty if nothing. `worst`
  /// becomes the greatest error beside the largest magnitude, if it is greater.
  std::string compare(const Elements &expected, int64_t piece, double tolerance, MayBeNan nan, double &worst);

private:
  struct Free {
    void operator()(uint32_t *p) const { operator delete[](p, std::align_val_t(64)); }
  };
  template <typename Element> void store(int64_t offset, Element value) {
    std::memcpy(&word(words * offset), &value, sizeof(Element));
  }
  template <typename Element> Element load(int64_t offset) {
    Element value;
    std::memcpy(&value, &word(words * offset), sizeof(Element));
    return value;
  }
  bool isUntouched(int64_t offset) {
    return std::all_of(&word(words * offset), &word(words * offset) + words,
                       [](uint32_t word) { return word == kUntouched; });
  }

  const TensorSpec tensor;
  const int64_t words; ///< of an element
  size_t size, guard;  ///< in elements; in words
  std::unique_ptr<uint32_t[], Free> memory;
};

namespace {

/// Calls `visit` with each index of `shape`, row-major.
void forEachIndex(const std::vector<int64_t> &shape, const std::function<void(const std::vector<int64_t> &)> &visit) {
  std::vector<int64_t> index(shape.size(), 0);
  while (true) {
    visit(index);
    size_t d = shape.size();
    while (d > 0 && ++index[d - 1] == shape[d - 1])
      index[--d] = 0;
    if (d == 0)
      return;
  }
}

std::string text(const std::vector<int64_t> &index) {
  std::string out = "[";
  for (int64_t i : index)
    out += (out.size() > 1 ? "," : "") + std::to_string(i);
  return out + "]";
}

int64_t padded(int64_t channels) { return (channels + kChannelBlock - 1) / kChannelBlock * kChannelBlock; }

/// Which offsets belong to the tensor: false only between the slices of images. To a band belongs the ring `above` or
/// `below` if it is the image's.
std::vector<bool> owned(const TensorSpec &tensor, bool above, bool below) {
  std::vector<bool> mine(storageElements(tensor), true);
  if (tensor.storedRows) {
    const int64_t row = (tensor.shape[3] + 2 * tensor.halo) * (tensor.layout == LayoutKind::C16 ? kChannelBlock : 1);
    const int64_t plane = (tensor.storedRows + 2 * tensor.halo) * row, end = tensor.halo + tensor.shape[2];
    for (size_t offset = 0; offset < mine.size(); ++offset) {
      const int64_t y = static_cast<int64_t>(offset) % plane / row;
      mine[offset] = y < tensor.halo ? above : y < end ? true : below && y < end + tensor.halo;
    }
    return mine;
  }
  if (!tensor.storedChannels)
    return mine;
  bool blocked = tensor.layout == LayoutKind::C16;
  int64_t plane = (tensor.shape[2] + 2 * tensor.halo) * (tensor.shape[3] + 2 * tensor.halo);
  int64_t slice = plane * (blocked ? padded(tensor.shape[1]) : tensor.shape[1]);
  int64_t image = plane * (blocked ? padded(tensor.storedChannels) : tensor.storedChannels);
  for (size_t offset = 0; offset < mine.size(); ++offset)
    mine[offset] = static_cast<int64_t>(offset) % image < slice;
  return mine;
}

} // namespace

void KernelTrial::Storage::fill(const Elements &elements) {
  std::vector<bool> mine = owned(tensor, false, false);
  for (size_t offset = 0; offset < size; ++offset)
    if (mine[offset])
      set(offset, 0);
  size_t element = 0;
  forEachIndex(tensor.shape,
               [&](const std::vector<int64_t> &index) { set(storageOffset(tensor, index), elements[element++]); });
}

std::string KernelTrial::Storage::compare(const Elements &expected, int64_t piece, double tolerance,
                                         MayBeNan nan, double &greatest) {
  double largest = 0;
  for (double value : expected)
    if (std::isfinite(value))
      largest = std::max(largest, std::fabs(value));
  const double allowed = tensor.type == ElementType::I32 ? 0 : tolerance * largest + 1e-30;
  const bool isLast = tensor.storedRows && (piece + 1) * tensor.shape[2] == tensor.storedRows;
  std::vector<bool> logical(size, false), mine = owned(tensor, piece == 0, isLast);
  std::string wrong;
  size_t element = 0, count = 0;
  double worst = 0;
  forEachIndex(tensor.shape, [&](const std::vector<int64_t> &index) {
    int64_t offset = storageOffset(tensor, index);
    logical[offset] = true;
    double want = expected[element++], have = get(offset), error = std::fabs(have - want);
    const bool mayBe = std::isnan(want) || nan == MayBeNan::Anything;
    if (have == want || (mayBe && std::isnan(have) && !isUntouched(offset)))
      return;
    greatest = std::max(greatest, error / (largest + 1e-30));
    if (error <= allowed)
      return;
    worst = std::isnan(error) ? error : std::max(worst, error);
    if (!count++)
      wrong = text(index) + " is " + std::to_string(have) + ", not " + std::to_string(want);
  });
  if (count)
    return wrong + " (" + std::to_string(count) + " of " + std::to_string(expected.size()) + " wrong, worst error " +
           std::to_string(worst) + " beside " + std::to_string(largest) + ")";
  auto isPadding = [&](size_t offset) {
    return get(offset) == 0 || (std::isnan(get(offset)) && nan != MayBeNan::Nothing && !isUntouched(offset));
  };
  for (size_t offset = 0; offset < size; ++offset)
    if (mine[offset] ? !logical[offset] && !isPadding(offset) : !isUntouched(offset))
      return "offset " + std::to_string(offset) +
             (mine[offset] ? ", padding, is " + std::to_string(get(offset)) : ", outside the slice, was written");
  for (size_t i = 0; i < guard; ++i)
    if (word(-1 - static_cast<int64_t>(i)) != kUntouched || word(words * size + i) != kUntouched)
      return "something outside the tensor was written";
  return "";
}

/// Those that are tried.
std::set<int32_t> KernelTrial::pieces() const {
  const int32_t last = asksForPiece(spec) ? piecesOf(spec) - 1 : 0;
  return {0, last / 2, last};
}

/// Poisons one element in 50, and at least one.
static void poisonSome(Elements &elements, double value, unsigned seed) {
  std::mt19937 random(seed);
  for (size_t left = 1 + elements.size() / 50; left > 0; --left)
    elements[random() % elements.size()] = value;
}

KernelTrial::KernelTrial(const KernelSpec &spec, unsigned seed, std::optional<Poison> poison)
    : spec(spec), seed(seed), poisoned(poison) {
  for (size_t i = 0; i < spec.operands.size(); ++i)
    operands.push_back(randomOperand(spec, i, seed + i));
  if (poison)
    poisonSome(operands[poison->operand], poison->value, seed);
}

KernelTrial::~KernelTrial() = default;

void KernelTrial::save(std::ostream &out) const {
  auto write = [&](const auto &value) { out.write(reinterpret_cast<const char *>(&value), sizeof value); };
  out << print(spec) << '\n';
  write(seed);
  write(expected.size());
  for (const auto &[piece, results] : expected) {
    write(piece);
    for (const Elements &elements : results) {
      write(elements.size());
      out.write(reinterpret_cast<const char *>(elements.data()), elements.size() * sizeof(double));
    }
  }
}

std::unique_ptr<KernelTrial> KernelTrial::restore(std::istream &in, std::string &error) {
  auto read = [&](auto &value) { in.read(reinterpret_cast<char *>(&value), sizeof value); };
  std::string line;
  KernelSpec spec;
  unsigned seed = 0;
  size_t pieces = 0;
  if (!std::getline(in, line) || !parse(line, spec, error))
    return nullptr;
  read(seed);
  read(pieces);
  std::unique_ptr<KernelTrial> trial(new KernelTrial(spec, seed));
  while (in && pieces--) {
    int32_t piece = 0;
    read(piece);
    for (size_t i = 0; i < spec.results.size(); ++i) {
      size_t count = 0;
      read(count);
      Elements elements(in && count <= static_cast<size_t>(storageElements(spec.results[i])) ? count : 0);
      in.read(reinterpret_cast<char *>(elements.data()), elements.size() * sizeof(double));
      trial->expected[piece].push_back(std::move(elements));
    }
  }
  error = in ? "" : "the trial ends too early";
  return in ? std::move(trial) : nullptr;
}

std::string KernelTrial::check(void *function, double tolerance,
                               const std::vector<std::pair<size_t, size_t>> &inPlace, bool mayBeNan) {
  worst = 0;
  for (int32_t piece : pieces())
    if (std::string wrong = checkPiece(function, piece, tolerance, inPlace, mayBeNan); !wrong.empty())
      return asksForPiece(spec) ? "piece " + std::to_string(piece) + ": " + wrong : wrong;
  return "";
}

std::string KernelTrial::checkPiece(void *function, int32_t piece, double tolerance,
                                    const std::vector<std::pair<size_t, size_t>> &inPlace, bool mayBeNan) {
  std::vector<std::unique_ptr<Storage>> inputs, outputs;
  std::vector<Storage *> place(spec.results.size(), nullptr);
  std::vector<void *> storage;
  for (size_t i = 0; i < operands.size(); ++i) {
    inputs.push_back(std::make_unique<Storage>(spec.operands[i]));
    inputs.back()->fill(operands[i]);
    storage.push_back(inputs.back()->host());
  }
  if (asksForPiece(spec))
    storage.push_back(&piece);
  for (auto [operand, result] : inPlace)
    place[result] = inputs[operand].get();
  for (size_t i = 0; i < spec.results.size(); ++i) {
    outputs.push_back(std::make_unique<Storage>(spec.results[i]));
    if (!place[i])
      place[i] = outputs.back().get();
    storage.push_back(place[i]->host());
  }
  if (int code = codegen::callKernel(function, storage))
    return "the kernel returned " + std::to_string(code);
  using MayBeNan = Storage::MayBeNan;
  const MayBeNan nan = mayBeNan ? MayBeNan::Anything : poisoned ? MayBeNan::Padding : MayBeNan::Nothing;
  const std::vector<Elements> &wanted = expected.at(countsPieces(spec) ? piece : 0);
  for (size_t i = 0; i < spec.results.size(); ++i)
    if (std::string wrong = place[i]->compare(wanted[i], piece, tolerance, nan, worst); !wrong.empty())
      return "result " + std::to_string(i) + ": " + wrong;
  return "";
}

// Not by the table of support/Layout.h: this is what kernels, which ask it, are held against.
int64_t storageOffset(const TensorSpec &tensor, const std::vector<int64_t> &index) {
  const std::vector<int64_t> &shape = tensor.shape;
  const size_t rank = shape.size();
  const int64_t block = kChannelBlock;
  switch (tensor.layout) {
  case LayoutKind::Dense:
  case LayoutKind::C16: {
    const bool blocked = tensor.layout == LayoutKind::C16;
    if (rank == 4) {
      const int64_t h = (tensor.storedRows ? tensor.storedRows : shape[2]) + 2 * tensor.halo,
                    w = shape[3] + 2 * tensor.halo, y = index[2] + tensor.halo, x = index[3] + tensor.halo;
      const int64_t channels = tensor.storedChannels ? tensor.storedChannels : shape[1];
      if (!blocked)
        return ((index[0] * channels + index[1]) * h + y) * w + x;
      return (((index[0] * (padded(channels) / block) + index[1] / block) * h + y) * w + x) * block + index[1] % block;
    }
    int64_t offset = 0;
    for (size_t d = 0; d < rank; ++d)
      offset = offset * (blocked && d == rank - 1 ? padded(shape[d]) : shape[d]) + index[d];
    return offset;
  }
  case LayoutKind::K16C16:
  case LayoutKind::C16K16: {
    const bool inputsInside = tensor.layout == LayoutKind::C16K16;
    const size_t f = rank - 4;
    const size_t inner = inputsInside ? f + 1 : f, outer = inputsInside ? f : f + 1;
    int64_t offset = f ? index[0] : 0;
    offset = offset * (padded(shape[inner]) / block) + index[inner] / block;
    offset = offset * (padded(shape[outer]) / block) + index[outer] / block;
    offset = (offset * shape[f + 2] + index[f + 2]) * shape[f + 3] + index[f + 3];
    return (offset * block + index[outer] % block) * block + index[inner] % block;
  }
  case LayoutKind::K16: {
    const size_t f = rank % 2;
    int64_t offset = (f ? index[0] : 0) * (padded(shape[f]) / block) + index[f] / block;
    for (size_t d = f + 1; d < rank; ++d)
      offset = offset * shape[d] + index[d];
    return offset * block + index[f] % block;
  }
  }
  return 0;
}

/// What the operand may hold, for all that read it. Of classes, `classes` becomes how many there are.
static Domain domainOf(const KernelSpec &spec, int number, int64_t &classes) {
  const std::vector<ValueSpec> values = valuesOf(spec);
  Domain domain = spec.operands[number].type == ElementType::I32 ? Domain::Seed : Domain::Real;
  for (const KernelNode &node : spec.nodes) {
    const OpFacts &facts = factsOf(node.op);
    for (size_t i = 0; i < std::min(node.operands.size(), facts.operands.size()); ++i) {
      if (node.operands[i] == number)
        domain = std::max(domain, facts.operands[i].domain);
      if (node.operands[i] == number && facts.operands[i].domain == Domain::Class)
        classes = values[node.operands[0]].shape.back();
    }
  }
  return domain;
}

Elements randomOperand(const KernelSpec &spec, int number, unsigned seed) {
  std::mt19937 random(seed);
  auto eighths = [&](int low, int high) { return (low + static_cast<int>(random() % (high - low + 1))) / 8.0; };
  int64_t classes = 0;
  const Domain domain = domainOf(spec, number, classes);
  auto draw = [&]() -> double {
    switch (domain) {
    case Domain::Real:
      return eighths(-16, 16);
    case Domain::Positive:
      return eighths(1, 16);
    case Domain::Squares:
      return 1e4 + eighths(0, 4096);
    case Domain::Seed:
      return static_cast<int32_t>(random());
    case Domain::Step:
      return 1 + random() % 5;
    case Domain::Class:
      return static_cast<int>(random() % (classes + 1)) - 1;
    }
    return 0;
  };
  int64_t size = 1;
  for (int64_t extent : spec.operands[number].shape)
    size *= extent;
  Elements elements(size);
  std::generate(elements.begin(), elements.end(), draw);
  return elements;
}

} // namespace resin
