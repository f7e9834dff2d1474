//===- Manifest.cpp - What a program says about itself --------------------===//

#include "runtime/Manifest.h"

#include <nlohmann/json.hpp>

using namespace resin;
using namespace resin::runtime;
using Json = nlohmann::json;

int64_t Tensor::elements() const {
  int64_t product = 1;
  for (int64_t extent : shape)
    product *= extent;
  return product;
}

static const Tensor *find(const std::vector<Tensor> &tensors, std::string_view name) {
  for (const Tensor &tensor : tensors)
    if (tensor.name == name)
      return &tensor;
  return nullptr;
}

const Tensor *Function::argument(std::string_view wanted) const { return find(arguments, wanted); }
const Tensor *Function::result(std::string_view wanted) const { return find(results, wanted); }

const Function *Manifest::function(std::string_view wanted) const {
  for (const Function &function : functions)
    if (function.name == wanted)
      return &function;
  return nullptr;
}

//===----------------------------------------------------------------------===//
// From JSON; whatever is wrong is thrown and caught in parseManifest
//===----------------------------------------------------------------------===//

namespace {
struct Reader {
  Manifest &manifest;

  void readTensor(const Json &json, Tensor &tensor) {
    tensor.name = json.at("name");
    tensor.shape = json.at("shape").get<std::vector<int64_t>>();
    tensor.offset = json.at("offset");
    tensor.halo = json.value("halo", int64_t(0));
    const std::string type = json.at("type");
    const std::optional<ElementType> known = elementTypeNamed(type);
    if (!known)
      throw std::invalid_argument(concat("'", tensor.name, "' is of the unknown type '", type, "'"));
    tensor.type = *known;
    checkPlace(json.value("layout", "dense"), tensor);
  }

  void checkPlace(const std::string &layout, Tensor &tensor) {
    std::optional<LayoutKind> kind = layoutNamed(layout);
    const size_t rank = tensor.shape.size();
    if (!kind || !hasRank(*kind, rank) || tensor.halo < 0 || tensor.halo > mostHalo(*kind, rank))
      throw std::invalid_argument(concat("'", tensor.name, "' of rank ", rank, " cannot have the layout '", layout,
                                         "' with a halo of ", tensor.halo));
    tensor.layout = *kind;
    const uint64_t element = bytesOf(tensor.type);
    int64_t room = static_cast<int64_t>(manifest.arenaBytes / element);
    for (int64_t extent : tensor.shape) {
      if (extent < 1 || extent > room)
        throw std::invalid_argument(concat("'", tensor.name, "' does not fit the arena"));
      room /= extent;
    }
    tensor.bytes = storageBytes(tensor.spec());
    if (tensor.offset % element || tensor.offset > manifest.arenaBytes ||
        tensor.bytes > manifest.arenaBytes - tensor.offset)
      throw std::invalid_argument(concat("'", tensor.name, "' at offset ", tensor.offset, " leaves the arena"));
  }

  Variable variable(const Json &json) {
    static const std::pair<const char *, Role> roles[] = {{"parameter", Role::Parameter},
                                                          {"statistic", Role::Statistic},
                                                          {"slot", Role::Slot},
                                                          {"prepared", Role::Prepared}};
    Variable variable;
    readTensor(json, variable);
    if (variable.type != ElementType::F32)
      throw std::invalid_argument(concat("the variable '", variable.name, "' is of the type '", nameOf(variable.type),
                                         "', where initial values and checkpoints are f32"));
    const std::string role = json.at("role");
    auto found = std::find_if(std::begin(roles), std::end(roles), [&](auto &row) { return role == row.first; });
    if (found == std::end(roles))
      throw std::invalid_argument(concat("'", variable.name, "' has the unknown role '", role, "'"));
    variable.role = found->second;
    variable.parameter = json.value("parameter", "");
    variable.init = initializer(json.contains("init") ? json.at("init") : Json{{"name", "constant"}, {"value", 0.0}});
    return variable;
  }

  void checkSlots() {
    for (const Variable &slot : manifest.variables) {
      auto isItsParameter = [&](const Variable &variable) {
        return variable.name == slot.parameter && variable.shape == slot.shape;
      };
      if (slot.role == Role::Slot && std::ranges::none_of(manifest.variables, isItsParameter))
        throw std::invalid_argument(
            concat("'", slot.name, "' is state of '", slot.parameter, "', which is no variable of its shape"));
    }
  }

  Initializer initializer(const Json &json) {
    Initializer init;
    init.name = json.at("name");
    init.value = json.value("value", 0.0);
    init.fan = json.value("fan", 0.0);
    init.fanIn = json.value("fan_in", 0.0);
    init.fanOut = json.value("fan_out", 0.0);
    static const char *names[] = {"he_normal", "glorot_uniform", "linear_uniform", "constant"};
    if (std::none_of(std::begin(names), std::end(names), [&](const char *name) { return init.name == name; }))
      throw std::invalid_argument("unknown initialiser '" + init.name + "'");
    return init;
  }

  Function function(const Json &json) {
    Function function;
    function.name = json.at("name");
    function.batch = json.value("batch", int64_t(0));
    function.task = manifest.task;
    for (const Json &argument : json.at("arguments"))
      readTensor(argument, function.arguments.emplace_back());
    for (const Json &result : json.at("results"))
      readTensor(result, function.results.emplace_back());
    checkSignature(function);
    return function;
  }

  /// What the commands rely on when they call it.
  void checkSignature(const Function &function) {
    const Task &task = manifest.task;
    auto need = [&](const Tensor *tensor, const std::string &name, ElementType type, std::vector<int64_t> shape) {
      if (!tensor || tensor->type != type || tensor->shape != shape)
        throw std::invalid_argument(concat("'", function.name, "' has no '", name, "' of the right type and shape"));
    };
    if (function.name == "prepare")
      return;
    const int64_t n = function.batch;
    need(function.input(), task.input, ElementType::F32,
         {n, manifest.image.at(0), manifest.image.at(1), manifest.image.at(2)});
    if (function.name.starts_with("predict_"))
      return need(function.output(), task.output, ElementType::F32, {n, manifest.classes});
    need(function.target(), task.target, ElementType::I32, {n});
    need(function.loss(), task.loss, ElementType::F32, {n});
    need(function.rank(), task.metric, ElementType::I32, {n});
  }

  /// The name of the one field of a list, which has to be of the kind.
  std::string onlyField(const Json &task, const char *list, const std::string &kind) {
    const Json &fields = task.at(list);
    if (fields.size() != 1 || fields.at(0).at("kind") != kind)
      throw std::invalid_argument(
          concat("the task has other ", list, " than one of the kind '", kind, "', which is all this runtime knows"));
    return fields.at(0).at("name");
  }

  Task task(const Json &json) {
    return {.name = json.at("name"),
            .input = onlyField(json, "inputs", "image"),
            .target = onlyField(json, "targets", "class"),
            .output = onlyField(json, "outputs", "scores"),
            .loss = json.at("loss"),
            .metric = onlyField(json, "metrics", "top-k")};
  }

  Kernel kernel(const Json &json) {
    Kernel kernel;
    kernel.name = json.at("name");
    kernel.function = json.value("function", "");
    kernel.source = json.value("source", "");
    kernel.layer = json.value("layer", "");
    kernel.flops = json.value("flops", 0.0);
    kernel.bytes = json.value("bytes", 0.0);
    kernel.form = json.value("form", "");
    kernel.formFlops = json.value("form_flops", kernel.flops);
    kernel.calls = json.value("calls", int64_t(0));
    return kernel;
  }

  void read(const Json &json) {
    manifest.model = json.at("model");
    manifest.source = json.value("source", "");
    manifest.hash = json.at("hash");
    manifest.build = json.value("build", "");
    manifest.target = json.at("target").at("name");
    manifest.features = json.at("target").at("features").get<std::vector<std::string>>();
    const Json tuning = json.value("tuning", Json::object());
    manifest.tuned = tuning.value("tuned", int64_t(0));
    manifest.borrowed = tuning.value("borrowed", int64_t(0));
    manifest.untuned = tuning.value("default", int64_t(0));
    manifest.templates = tuning.value("templates", manifest.templates);
    manifest.fusion = tuning.value("fusion", manifest.fusion);
    manifest.arenaBytes = json.at("arena_bytes");
    manifest.scratchBytes = json.at("scratch_bytes");
    manifest.batch = json.at("batch");
    manifest.classes = json.at("classes");
    manifest.image = json.at("image").get<std::vector<int64_t>>();
    manifest.flopsPerImage = json.value("flops_per_image", 0.0);
    if (manifest.image.size() != 3 || manifest.classes < 1 || manifest.batch < 1)
      throw std::invalid_argument("image, classes or batch is out of range");
    manifest.numerics = json.at("recipe").value("numerics", "");
    if (Status status = parseRecipe(json.at("recipe").dump(), manifest.recipe); status.failed())
      throw std::invalid_argument(status.message());
    manifest.task = task(json.at("task"));
    for (const Json &row : json.at("variables"))
      manifest.variables.push_back(variable(row));
    checkSlots();
    for (const Json &row : json.at("functions"))
      manifest.functions.push_back(function(row));
    for (const Json &row : json.value("kernels", Json::array()))
      manifest.kernels.push_back(kernel(row));
  }
};
} // namespace

StatusOr<Manifest> resin::runtime::parseManifest(std::string_view text) {
  Manifest manifest;
  manifest.text = text;
  try {
    Reader{manifest}.read(Json::parse(text));
  } catch (const std::exception &error) {
    return Status(ExitCode::Failure, concat("the program's manifest is wrong: ", error.what()));
  }
  return manifest;
}
