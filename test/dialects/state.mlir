// RUN: resin-opt %s --interpret="function=count steps=2 variables=true" -o /dev/null | FileCheck %s
// RUN: resin-opt %s --interpret="function=draw seed=1 limit=2" -o /dev/null | FileCheck %s --check-prefix=ONE
// RUN: resin-opt %s --interpret="function=draw seed=2 limit=2" -o /dev/null | FileCheck %s --check-prefix=TWO
// RUN: not resin-opt %s --interpret="function=missing" 2>&1 | FileCheck %s --check-prefix=MISSING
// RUN: not resin-opt %s --interpret="function=count precision=bf16" 2>&1 | FileCheck %s --check-prefix=PRECISION

// MISSING: error: there is no function 'missing'
// PRECISION: error: unknown precision 'bf16'; known are 'f32' and 'f64'

resnet.variable "statistic" @total : tensor<1xf32> init {name = "constant", value = 3 : i64}
resnet.variable "parameter" @weight : tensor<4x3x3x3xf32> init {name = "he_normal", fan = 27 : i64}

// A step adds the argument; the next one reads what was written.
// CHECK: total [1]: 4
// CHECK: total [1]: 5
// CHECK: total [1]: 5
// CHECK: weight [4, 3, 3, 3]:
func.func @count(%x: tensor<?x1xf32> {resnet.value = dense<1.> : tensor<1x1xf32>})
    -> (tensor<1xf32> {resnet.name = "total"}) {
  %0 = resnet.read @total : tensor<1xf32>
  %1 = resnet.add_bias %x, %0 : (tensor<?x1xf32>, tensor<1xf32>) -> tensor<?x1xf32>
  %2 = resnet.batch_sum %1 : (tensor<?x1xf32>) -> tensor<1xf32>
  resnet.write @total, %2 : tensor<1xf32>
  return %2 : tensor<1xf32>
}

// Initial values are a promise: the runtime draws the same. 108 numbers of variance 2 / 27 have squares of about 8.
// ONE: result 0 [4, 3, 3, 3]: -0.167986 -0.0845946 ... sum -3.70355 squares 6.44918
// TWO: result 0 [4, 3, 3, 3]: -0.166425 0.21005 ... sum 0.914751 squares 7.26479
func.func @draw() -> tensor<4x3x3x3xf32> {
  %0 = resnet.read @weight : tensor<4x3x3x3xf32>
  return %0 : tensor<4x3x3x3xf32>
}
