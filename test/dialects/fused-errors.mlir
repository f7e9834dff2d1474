// RUN: resin-opt %s --split-input-file --verify-diagnostics

// Layout and fusion: what breaks a constraint is told at its line. Constraints are numbered in FusionOps.td.

// expected-error@+1 {{layout 'c16' does not suit the shape [4, 4, 4]}}
func.func private @layout_c1(tensor<4x4x4xf32, #resnet.layout<c16>>)

// -----

// expected-error@+1 {{a halo of 1 does not suit the layout 'k16c16' of the shape [16, 16, 3, 3]}}
func.func private @layout_c2(tensor<16x16x3x3xf32, #resnet.layout<k16c16, halo = 1>>)

// -----

// expected-error@+1 {{a halo of -1 does not suit the layout 'c16' of the shape [2, 16, 3, 3]}}
func.func private @layout_c2_negative(tensor<2x16x3x3xf32, #resnet.layout<c16, halo = -1>>)

// -----

func.func @relayout_c1(%x: tensor<2x4xf32>) {
  // expected-error@+1 {{'relayout' changes only the layout, not 'tensor<2x4xf32>' to 'tensor<2x4xf64>'}}
  %y = resnet.relayout %x : tensor<2x4xf32> to tensor<2x4xf64>
  return
}

// -----

func.func @fused_c1(%x: tensor<2x4xf32>) {
  // expected-error@+1 {{'fused' needs at least one piece, not 0}}
  %y = resnet.fused(%x) pieces 0 dims [0] to [0] : (tensor<2x4xf32>) -> tensor<2x4xf32> {
  ^bb0(%a: tensor<2x4xf32>):
    resnet.yield %a : tensor<2x4xf32>
  }
  return
}

// -----

func.func @fused_c2(%x: tensor<2x4xf32>) {
  // expected-error@+1 {{'fused' has 1 operands, 2 dims for them and 1 in its region}}
  %y = resnet.fused(%x) pieces 1 dims [0, 0] to [0] : (tensor<2x4xf32>) -> tensor<2x4xf32> {
  ^bb0(%a: tensor<2x4xf32>):
    resnet.yield %a : tensor<2x4xf32>
  }
  return
}

// -----

func.func @fused_c2_yield(%x: tensor<2x4xf32>) {
  // expected-error@+1 {{'fused' has 1 results, 1 dims for them and 0 in its region}}
  %y = resnet.fused(%x) pieces 1 dims [0] to [0] : (tensor<2x4xf32>) -> tensor<2x4xf32> {
  ^bb0(%a: tensor<2x4xf32>):
    resnet.yield
  }
  return
}

// -----

func.func @fused_c3(%x: tensor<2x4xf32>) {
  // expected-error@+1 {{'fused' cannot cut operand 0 'tensor<2x4xf32>' into 3 equal pieces along dimension 0}}
  %y = resnet.fused(%x) pieces 3 dims [0] to [0] : (tensor<2x4xf32>) -> tensor<2x4xf32> {
  ^bb0(%a: tensor<2x4xf32>):
    resnet.yield %a : tensor<2x4xf32>
  }
  return
}

// -----

func.func @fused_c3_dimension(%x: tensor<2x4xf32>) {
  // expected-error@+1 {{'fused' cannot cut operand 0 'tensor<2x4xf32>' into 2 equal pieces along dimension 2}}
  %y = resnet.fused(%x) pieces 2 dims [2] to [0] : (tensor<2x4xf32>) -> tensor<2x4xf32> {
  ^bb0(%a: tensor<2x4xf32>):
    resnet.yield %a : tensor<2x4xf32>
  }
  return
}

// -----

func.func @fused_c4(%x: tensor<2x4xf32>) {
  // expected-error@+1 {{'fused' has pieces of type 'tensor<1x4xf32>' for operand 0, but its region has 'tensor<2x4xf32>'}}
  %y = resnet.fused(%x) pieces 2 dims [0] to [0] : (tensor<2x4xf32>) -> tensor<2x4xf32> {
  ^bb0(%a: tensor<2x4xf32>):
    resnet.yield %a : tensor<2x4xf32>
  }
  return
}

// -----

func.func @fused_c5(%x: tensor<2x4xf32>) {
  // expected-error@+1 {{'fused' puts the results of 2 pieces together along some dimension, not -1}}
  %y = resnet.fused(%x) pieces 2 dims [0] to [-1] : (tensor<2x4xf32>) -> tensor<1x4xf32> {
  ^bb0(%a: tensor<1x4xf32>):
    resnet.yield %a : tensor<1x4xf32>
  }
  return
}

// -----

resnet.variable "parameter" @w : tensor<2x4xf32> init {name = "constant", value = 0.0 : f64}
func.func @fused_c6(%x: tensor<2x4xf32>) {
  %y = resnet.fused(%x) pieces 2 dims [0] to [0] : (tensor<2x4xf32>) -> tensor<2x4xf32> {
  ^bb0(%a: tensor<1x4xf32>):
    // expected-error@+1 {{'resnet.read' cannot stand in a fused region}}
    %1 = resnet.read @w : tensor<2x4xf32>
    resnet.yield %a : tensor<1x4xf32>
  }
  return
}

// -----

func.func @fused_c7(%x: tensor<2x4xf32>) {
  // expected-error@+1 {{'fused' has 1 operands and 2 overlaps}}
  %y = resnet.fused(%x) pieces 1 dims [0] to [0] overlaps [0, 0] : (tensor<2x4xf32>) -> tensor<2x4xf32> {
  ^bb0(%a: tensor<2x4xf32>):
    resnet.yield %a : tensor<2x4xf32>
  }
  return
}

// -----

!x = tensor<1x2x4x4xf32, #resnet.layout<dense, halo = 1>>
func.func @fused_c7_halo(%x: !x) {
  // expected-error@+1 {{'fused' cannot overlap parts of operand 0 'tensor<1x2x4x4xf32, #resnet.layout<dense, halo = 1>>' by 2 rows}}
  %y = resnet.fused(%x) pieces 2 dims [2] to [2] overlaps [2] : (!x) -> !x {
  ^bb0(%a: tensor<1x2x6x4xf32, #resnet.layout<dense, halo = 1>>):
    resnet.yield %a : tensor<1x2x6x4xf32, #resnet.layout<dense, halo = 1>>
  }
  return
}

// -----

func.func @fused_c8(%x: tensor<4x4xf32>, %s: tensor<2xi32>) {
  %y = resnet.fused(%x, %s) pieces 2 dims [0, -1] to [0] : (tensor<4x4xf32>, tensor<2xi32>) -> tensor<4x4xf32> {
  ^bb0(%a: tensor<2x4xf32>, %b: tensor<2xi32>):
    // expected-error@+1 {{'resnet.dropout' is one of 1 pieces, in a fused region of 2}}
    %d = resnet.dropout %a, %b rate 0.5 layer 0 : (tensor<2x4xf32>, tensor<2xi32>) -> tensor<2x4xf32>
    resnet.yield %d : tensor<2x4xf32>
  }
  return
}

// -----

func.func @fused_c9(%x: tensor<4xi64>) {
  // expected-error@+1 {{kernels have no elements of type 'i64'; they have f64, f32, bf16, f16, i32, u8}}
  %y = resnet.fused(%x) pieces 1 dims [-1] to [-1] : (tensor<4xi64>) -> tensor<4xi64> {
  ^bb0(%a: tensor<4xi64>):
    resnet.yield %a : tensor<4xi64>
  }
  return
}

// -----

func.func @part_c1(%x: tensor<4x6xf32>) {
  // expected-error@+1 {{'part' makes one of 2 equal ranges of dimension 1, not 'tensor<2x6xf32>' of 'tensor<4x6xf32>'}}
  %y = resnet.part %x dim 1 piece_of 2 : tensor<4x6xf32> to tensor<2x6xf32>
  return
}

// -----

func.func @part_c1_unequal(%x: tensor<4x6xf32>) {
  // expected-error@+1 {{'part' makes one of 4 equal ranges of dimension 1, not 'tensor<4x1xf32>' of 'tensor<4x6xf32>'}}
  %y = resnet.part %x dim 1 piece_of 4 : tensor<4x6xf32> to tensor<4x1xf32>
  return
}

// -----

// expected-error@+1 {{'func.func' op 'resnet.fusion' is a dictionary of knobs, not 4 : i64}}
func.func private @fusion_kind() attributes {resnet.fusion = 4 : i64}

// -----

// expected-error@+1 {{'func.func' op 'resnet.fusion' has no knob "pieces"}}
func.func private @fusion_name() attributes {resnet.fusion = {pieces = 4 : i64}}

// -----

// expected-error@+1 {{'func.func' op 'resnet.fusion': "most_pieces" is one of 2, 4, 8, 16 : i64, not 3 : i64}}
func.func private @fusion_value() attributes {resnet.fusion = {most_pieces = 3 : i64}}

// -----

// expected-error@+1 {{'func.func' op 'resnet.fusion': "rebuild" is one of 0, 1 : i64, not true}}
func.func private @fusion_type() attributes {resnet.fusion = {rebuild = true}}

// -----

// expected-error@+1 {{'builtin.module' op 'resnet.target': unknown target 'x86-64-v9'; there are host, x86-64-v4, x86-64-v3 and x86-64-v2}}
module attributes {resnet.target = "x86-64-v9"} {}

// -----

// expected-error@+1 {{'builtin.module' op 'resnet.target' is a full name: 'x86-64-v2', not 'v2'}}
module attributes {resnet.target = "v2"} {}

// -----

// expected-error@+1 {{'builtin.module' op 'resnet.target' is a string on a module, not 3 : i64}}
module attributes {resnet.target = 3 : i64} {}
