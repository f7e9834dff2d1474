/* Calls every function of the program twice and prints what the first 64 bytes of each named place hold. Offsets come from the manifest, read with sscanf:
   enough for the one test that wants it. */
#include "runtime/Abi.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void serial(const ResinCall *call, ResinBody body, int64_t pieces, int64_t fillers) {
  (void)fillers;
  for (int64_t piece = pieces - 1; piece >= 0; --piece)
    body(call, piece, 1);
}

static long number(const char *from, const char *key) {
  const char *at = strstr(from, key);
  return at ? atol(at + strlen(key)) : -1;
}

int main(int argc, char **argv) {
  const ResinProgram *program = &resin_program;
  if (argc > 1) {
    puts(program->manifest);
    return program->manifest_bytes != strlen(program->manifest);
  }
  long arena = number(program->manifest, "\"arena_bytes\":"), scratch = number(program->manifest, "\"scratch_bytes\":");
  ResinCall call = {aligned_alloc(1 << 21, 1 << 21), calloc(2 * program->kernels, sizeof(ResinCounter)), serial, 0};
  if (arena < 0 || arena + 2 * scratch > 1 << 21)
    return 1;
  memset(call.arena, 0, 1 << 21);
  /* Keys are sorted: the first offset behind "arguments" is the image's. */
  float *image = (float *)(call.arena + number(strstr(program->manifest, "\"arguments\":"), "\"offset\":"));
  float *weight = (float *)(call.arena + number(strstr(program->manifest, "\"variables\":"), "\"offset\":"));
  for (int i = 0; i < 128; ++i)
    image[i] = i % 2 ? 1 : -1;
  for (int turn = 0; turn < 2; ++turn)
    for (uint32_t f = 0; f < program->functions; ++f) {
      program->function[f].entry(&call);
      printf("%s: weight %g\n", program->function[f].name, weight[0]);
    }
  for (uint32_t k = 0; k < program->kernels; ++k)
    printf("kernel %u: %lu + %lu calls, %s\n", k, call.counters[k].calls, call.counters[program->kernels + k].calls,
           call.counters[k].ticks + call.counters[program->kernels + k].ticks ? "timed" : "not timed");
  return 0;
}
