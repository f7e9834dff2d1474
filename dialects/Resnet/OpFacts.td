//===- OpFacts.td - What is known of each op, as a table -------------------===//
//
// Facts that passes, kernels, the tuner and the front end ask for. They stand in the
// op's own record; most follow from its arguments. llvm-tblgen makes a table of them,
// which support/OpFacts.h reads without MLIR.
//
//===----------------------------------------------------------------------===//

#ifndef RESNET_OP_FACTS
#define RESNET_OP_FACTS

include "llvm/TableGen/SearchableTable.td"
include "mlir/IR/OpBase.td"

// A constraint on an operand that says what it may hold, beside its type (`Domain` in support/OpFacts.h).
class Holds<string what> {
  string domain = what;
}

class DomainOf<Constraint operand> {
  string name = !if(!isa<Holds>(operand), !cast<Holds>(operand).domain, "Real");
}

class KindOf<Attr attribute> {
  string name = !cond(!eq(attribute.storageType, F64Attr.storageType): "Real",
                      !eq(attribute.storageType, I64Attr.storageType): "Integer",
                      !eq(attribute.storageType, DenseI64ArrayAttr.storageType): "Integers",
                      !eq(attribute.storageType, BoolAttr.storageType): "Bool",
                      !eq(attribute.storageType, UnitAttr.storageType): "Unit",
                      true: "Other");
}

// A `Few` of C++.
class FewOf<list<string> items> {
  string text = "{{" # !interleave(items, ", ") # "}, " # !size(items) # "}";
}

class Resnet_Facts<string mnemonic> {
  string name = mnemonic;
  // As in Op.
  dag arguments = (ins);
  dag results = (outs);

  // How it takes part in a fused kernel: Anchor, Pointwise, Reduction, Update, View or Alone.
  string role = "Alone";
  // Floating-point operations for an element of its result or of its first operand, whichever has more; with a
  // `kernel`, for each of the window's elements. Products are counted by their shapes.
  bits<8> operations = 0;
  // Output, Image or Filter: which of the three a product of an image (or features) and a filter makes from the other
  // two.
  string product = "None";
  bit convolution = 0;
  // Pointwise ops and reductions behind it may become part of its kernel.
  bit joinable = !or(!eq(role, "Anchor"), !eq(role, "Pointwise"), !eq(role, "Reduction"));
  // An element of a result comes of the operands' elements at its index alone, vectors and scalars broadcast: a result
  // may be written over an operand, and an update may be cut anywhere.
  bit elementwise = !eq(role, "Pointwise");
  // An element is an expression of a few elements of the operands, and can be computed where it is used.
  bit expression = !or(!eq(role, "Pointwise"), !eq(role, "View"));
  // That expression is so long that it is neither unrolled nor computed on a convolution's registers.
  bit heavy = 0;
  // The operands and results that its gradient reads. `input|result`: either will do.
  list<string> gradientReads = [];
  // The op whose gradient this is, wholly or in part. Its operands but `gradient` are what that op read or made.
  string gradientOf = "";

  list<int> places = !range(!size(arguments));
  list<int> operandPlaces = !filter(i, places, !isa<TypeConstraint>(!getdagarg<Constraint>(arguments, i)));
  list<int> attributePlaces = !filter(i, places, !isa<Attr>(!getdagarg<Constraint>(arguments, i)));
  string operands = FewOf<!foreach(i, operandPlaces,
      "{\"" # !getdagname(arguments, i) # "\", Domain::" # DomainOf<!getdagarg<Constraint>(arguments, i)>.name
          # "}")>.text;
  string attributes = FewOf<!foreach(i, attributePlaces,
      "{\"" # !getdagname(arguments, i) # "\", AttributeKind::" # KindOf<!getdagarg<Attr>(arguments, i)>.name
          # "}")>.text;
  string reads = FewOf<!foreach(read, gradientReads, "\"" # read # "\"")>.text;
  string made = FewOf<!foreach(i, !range(!size(results)), "\"" # !getdagname(results, i) # "\"")>.text;
  string roleCode = "OpRole::" # role;
  string productCode = "Product::" # product;
}

def OpTable : GenericTable {
  let FilterClass = "Resnet_Facts";
  let CppTypeName = "OpFacts";
  let Fields = ["name", "roleCode", "operations", "productCode", "convolution", "joinable", "elementwise", "expression",
                "heavy", "reads", "gradientOf", "operands", "attributes", "made"];
  string TypeOf_roleCode = "code";
  string TypeOf_productCode = "code";
  string TypeOf_reads = "code";
  string TypeOf_operands = "code";
  string TypeOf_attributes = "code";
  string TypeOf_made = "code";
}

#endif
