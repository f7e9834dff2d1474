//===- Main.cpp - A compiled network as a program -------------------------===//

#include "runtime/Program.h"

int main(int argc, char **argv) { return resin::runtime::runProgram(resin_program, argc, argv); }
