// RUN: resin-opt %s --split-input-file --verify-diagnostics

// State: what breaks a constraint is told at its line. Constraints are numbered in StateOps.td.

// expected-error@+1 {{variable 'variable_c1' has role 'weight'; known are 'parameter', 'statistic', 'slot' and 'prepared'}}
resnet.variable "weight" @variable_c1 : tensor<4xf32> init {name = "constant", value = 0.0 : f64}

// -----

// expected-error@+1 {{variable 'variable_c2' needs a static shape of numbers}}
resnet.variable "parameter" @variable_c2 : tensor<?xf32> init {name = "constant", value = 0.0 : f64}

// -----

// expected-error@+1 {{variable 'variable_c3' has no known initialiser; known are 'he_normal', 'glorot_uniform', 'linear_uniform' and 'constant'}}
resnet.variable "parameter" @variable_c3 : tensor<4xf32> init {name = "he_uniform", fan = 4 : i64}

// -----

// expected-error@+1 {{variable 'variable_c3_number' needs the number 'fan_out' for 'glorot_uniform'}}
resnet.variable "parameter" @variable_c3_number : tensor<4xf32> init {name = "glorot_uniform", fan_in = 4 : i64}

// -----

func.func @read_c1() {
  // expected-error@+1 {{reads 'missing', which is no variable}}
  %0 = resnet.read @missing : tensor<4xf32>
  return
}

// -----

// expected-note@+1 {{the variable is declared here}}
resnet.variable "parameter" @w : tensor<4xf32> init {name = "constant", value = 0.0 : f64}
func.func @read_c2() {
  // expected-error@+1 {{reads 'w' as 'tensor<5xf32>', but it is 'tensor<4xf32>'}}
  %0 = resnet.read @w : tensor<5xf32>
  return
}

// -----

// expected-note@+1 {{the variable is declared here}}
resnet.variable "parameter" @w : tensor<4xf32, #resnet.layout<c16>> init {name = "constant", value = 0.0 : f64}
func.func @read_c2_layout() {
  // expected-error@+1 {{reads 'w' as 'tensor<4xf32>', but it is 'tensor<4xf32, #resnet.layout<c16>>'}}
  %0 = resnet.read @w : tensor<4xf32>
  return
}

// -----

func.func @write_c1(%x: tensor<4xf32>) {
  // expected-error@+1 {{writes 'write_c1', which is no variable}}
  resnet.write @write_c1, %x : tensor<4xf32>
  return
}

// -----

// expected-note@+1 {{the variable is declared here}}
resnet.variable "statistic" @w : tensor<4xf32> init {name = "constant", value = 0.0 : f64}
func.func @write_c2(%x: tensor<4x1xf32>) {
  // expected-error@+1 {{writes 'w' as 'tensor<4x1xf32>', but it is 'tensor<4xf32>'}}
  resnet.write @w, %x : tensor<4x1xf32>
  return
}

// -----

// expected-error@+1 {{variable 'variable_c4' is a slot, but not 'of' a variable}}
resnet.variable "slot" @variable_c4 : tensor<4xf32> init {name = "constant", value = 0.0 : f64}

// -----

resnet.variable "parameter" @w : tensor<4xf32> init {name = "constant", value = 0.0 : f64}
// expected-error@+1 {{variable 'variable_c4' is 'of' a variable, but no slot}}
resnet.variable "statistic" @variable_c4 of @w : tensor<4xf32> init {name = "constant", value = 0.0 : f64}

// -----

resnet.variable "parameter" @w : tensor<4xf32> init {name = "constant", value = 0.0 : f64}
// expected-error@+1 {{variable 'variable_c4' is of 'w', which is no variable of its shape}}
resnet.variable "slot" @variable_c4 of @w : tensor<2x2xf32> init {name = "constant", value = 0.0 : f64}

// -----

// expected-error@+1 {{variable 'variable_c4' is of 'v', which is no variable of its shape}}
resnet.variable "slot" @variable_c4 of @v : tensor<4xf32> init {name = "constant", value = 0.0 : f64}
