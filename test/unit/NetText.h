//===- NetText.h - Writes a model as the frontend would ---------*- C++ -*-===//
//
// Small networks for tests of passes, without the frontend: each layer appends its
// op to the text of @model and returns the value's name.
//
//   NetText net(/*batch=*/4, {3, 8, 8});
//   auto x = net.relu(net.batchNorm(net.conv("image", "conv1", 16, 3), "bn1"));
//   std::string module = net.finish(net.linear(net.globalAvgPool(x), "fc", 5));
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_TEST_UNIT_NETTEXT_H
#define RESIN_TEST_UNIT_NETTEXT_H

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace resin::test {

using Extents = std::vector<int64_t>;

struct ConvOptions {
  int64_t stride = 1, groups = 1;
  std::vector<int64_t> padding = {}; ///< empty: "same" for odd kernels
  bool bias = false;
};

class NetText {
public:
  NetText(int64_t batch, Extents image) : batch(batch), image(image) {
    shapes["image"] = {-1, image[0], image[1], image[2]};
  }

  std::string optimizer = R"({name = "sgd", momentum = 0.9 : f64, nesterov = true, weight_decay = 0.01 : f64})";
  double labelSmoothing = 0.1;

  std::string conv(const std::string &x, const std::string &name, int64_t k, int64_t kernel,
                   const ConvOptions &options = {}) {
    Extents s = shapes[x];
    std::vector<int64_t> pad = options.padding;
    if (pad.empty())
      pad.assign(4, (kernel - 1) / 2);
    int64_t c = s[1] / options.groups;
    std::string filter = parameter(name + ".weight", {k, c, kernel, kernel},
                                   "{name = \"he_normal\", fan = " + number(c * kernel * kernel) + "}");
    Extents out = {-1, k, (s[2] + pad[0] + pad[2] - kernel) / options.stride + 1,
                   (s[3] + pad[1] + pad[3] - kernel) / options.stride + 1};
    std::string result = op("conv2d", {x, filter},
                            "strides " + list({options.stride, options.stride}) + " padding " + list(pad) +
                                " dilations [1, 1] groups " + number(options.groups),
                            out);
    return options.bias ? addBias(result, name) : result;
  }

  std::string batchNorm(const std::string &x, const std::string &name) {
    int64_t c = shapes[x][1];
    std::string scale = parameter(name + ".weight", {c}, constant(1)),
                offset = parameter(name + ".bias", {c}, constant(0));
    variable("statistic", name + ".running_mean", {c}, constant(0));
    variable("statistic", name + ".running_var", {c}, constant(1));
    return op("batch_norm", {x, scale, offset},
              "running @" + name + ".running_mean @" + name + ".running_var epsilon 1.0e-5 momentum 1.0e-1", shapes[x]);
  }

  std::string addBias(const std::string &x, const std::string &name) {
    return op("add_bias", {x, parameter(name + ".bias", {shapes[x][1]}, constant(0.125))}, "", shapes[x]);
  }
  std::string relu(const std::string &x) { return op("relu", {x}, "", shapes[x]); }
  /// A layer that is a function of one activation.
  std::string map(const std::string &name, const std::string &x, const std::string &attributes = "") {
    return op(name, {x}, attributes, shapes[x]);
  }
  std::string add(const std::string &x, const std::string &y) { return op("add", {x, y}, "", shapes[x]); }
  std::string softmax(const std::string &x) { return op("softmax", {x}, "", shapes[x]); }
  std::string globalAvgPool(const std::string &x) { return op("global_avg_pool", {x}, "", {-1, shapes[x][1]}); }
  std::string flatten(const std::string &x) {
    Extents s = shapes[x];
    return op("flatten", {x}, "", {-1, s[1] * s[2] * s[3]});
  }
  std::string dropout(const std::string &x, double rate, int64_t layer) {
    hasSeed = true;
    shapes["seed"] = {2};
    return op("dropout", {x, "seed"}, "rate " + std::to_string(rate) + " layer " + number(layer), shapes[x]);
  }
  std::string subsample(const std::string &x, int64_t stride) {
    Extents s = shapes[x];
    return op("subsample", {x}, "stride " + number(stride),
              {-1, s[1], (s[2] + stride - 1) / stride, (s[3] + stride - 1) / stride});
  }
  std::string padChannels(const std::string &x, int64_t channels) {
    Extents s = shapes[x];
    return op("pad_channels", {x}, "channels " + number(channels), {-1, channels, s[2], s[3]});
  }
  std::string pool(const std::string &kind, const std::string &x, int64_t kernel, int64_t stride, int64_t pad) {
    Extents s = shapes[x];
    std::string window = "kernel " + list({kernel, kernel}) + " strides " + list({stride, stride}) + " padding " +
                         list({pad, pad, pad, pad});
    if (kind == "avg_pool")
      window += " count_include_pad true";
    return op(kind, {x}, window,
              {-1, s[1], (s[2] + 2 * pad - kernel) / stride + 1, (s[3] + 2 * pad - kernel) / stride + 1});
  }
  std::string linear(const std::string &x, const std::string &name, int64_t out) {
    int64_t in = shapes[x][1];
    std::string weight =
        parameter(name + ".weight", {out, in}, "{name = \"linear_uniform\", fan = " + number(in) + "}");
    return addBias(op("linear", {x, weight}, "", {-1, out}), name);
  }

  /// The module, whose model returns `logits`.
  std::string finish(const std::string &logits) {
    std::string seed = hasSeed ? ", %seed: tensor<2xi32> {resnet.name = \"seed\"}" : "";
    return "module attributes {resnet.model = \"net\", resnet.source = \"net.resin\", resnet.classes = " +
           number(shapes[logits][1]) + " : i64, resnet.recipe = {batch = " + number(batch) +
           " : i64, loss = {name = \"cross_entropy\", label_smoothing = " + std::to_string(labelSmoothing) +
           " : f64}, optimizer = " + optimizer + "}, " + kTask + "} {\n" + variables +
           "func.func @model(%image: " + type(shapes["image"]) + " {resnet.name = \"image\"}" + seed + ") -> " +
           type(shapes[logits]) + " {\n" + body + "  return %" + logits + " : " + type(shapes[logits]) + "\n}\n}\n";
  }

private:
  static constexpr const char *kTask =
      "resnet.task = {name = \"classification\", loss = \"loss\","
      " inputs = [{name = \"image\", kind = \"image\"}], targets = [{name = \"label\", kind = \"class\"}],"
      " outputs = [{name = \"logits\", kind = \"scores\"}], metrics = [{name = \"rank\", kind = \"top-k\"}]}";

  static std::string number(int64_t value) { return std::to_string(value); }
  static std::string constant(double value) { return "{name = \"constant\", value = " + std::to_string(value) + "}"; }
  static std::string list(const std::vector<int64_t> &values) {
    std::string text;
    for (int64_t value : values)
      text += (text.empty() ? "" : ", ") + number(value);
    return "[" + text + "]";
  }
  static std::string type(const Extents &shape) {
    std::string text = "tensor<";
    for (int64_t extent : shape)
      text += (extent < 0 ? "?" : number(extent)) + "x";
    return text + "f32>";
  }

  void variable(const std::string &role, const std::string &name, const Extents &shape, const std::string &init) {
    variables += "resnet.variable \"" + role + "\" @" + name + " : " + type(shape) + " init " + init + "\n";
  }

  std::string parameter(const std::string &name, const Extents &shape, const std::string &init) {
    variable("parameter", name, shape, init);
    std::string result = fresh(shape);
    body += "  %" + result + " = resnet.read @" + name + " : " + type(shape) + "\n";
    return result;
  }

  std::string op(const std::string &mnemonic, const std::vector<std::string> &operands, const std::string &attributes,
                 const Extents &shape) {
    std::string names, types;
    for (const std::string &operand : operands) {
      names += (names.empty() ? "%" : ", %") + operand;
      types += (types.empty() ? "" : ", ") + (operand == "seed" ? "tensor<2xi32>" : type(shapes[operand]));
    }
    std::string result = fresh(shape);
    body += "  %" + result + " = resnet." + mnemonic + " " + names + " " + attributes + " : (" + types + ") -> " +
            type(shape) + "\n";
    return result;
  }

  std::string fresh(const Extents &shape) {
    std::string name = "v" + number(count++);
    shapes[name] = shape;
    return name;
  }

  int64_t batch;
  Extents image;
  std::string variables, body;
  std::map<std::string, Extents> shapes;
  int64_t count = 0;
  bool hasSeed = false;
};

} // namespace resin::test

#endif // RESIN_TEST_UNIT_NETTEXT_H
