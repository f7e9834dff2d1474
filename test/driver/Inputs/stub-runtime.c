/* Calls every function of the program twice and prints what the first 64 bytes of each named place hold. Offsets come
   from the manifest, read with sscanf:
   enough for the one test that wants it. */
#include "runtime/Abi.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Pieces on worker 1, the last first; a single one on worker 0. */
static void run(const ResinProgram *program, const ResinCall *call, const ResinFunction *function) {
  ResinBuffer *buffers = calloc(program->buffers + 1, sizeof(ResinBuffer));
  for (uint32_t r = 0; r < function->regions; ++r) {
    const ResinRegion *region = &program->region[function->region + r];
    const int64_t worker = region->pieces > 1;
    for (int64_t i = region->pieces - 1; i >= 0; --i) {
      const ResinLoop *loop = &program->loop[region->loop];
      while (i >= loop->piece + loop->pieces)
        ++loop;
      for (uint32_t l = 0; l < loop->launches; ++l) {
        const ResinLaunch *launch = &program->launch[loop->launch + l];
        for (uint32_t o = 0; o < launch->operands; ++o) {
          const ResinOperand *operand = &program->operand[launch->operand + o];
          buffers[o].host = call->arena + operand->offset + (i - loop->piece) * operand->per_piece + worker *
              operand->per_worker;
        }
        program->kernel[launch->kernel](call, buffers, i - loop->piece, worker);
        if (launch->counter == RESIN_NOT_COUNTED)
          continue;
        call->counters[worker * program->counters + launch->counter].calls++;
      }
    }
  }
  free(buffers);
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
  ResinCall call = {aligned_alloc(1 << 21, 1 << 21), calloc(2 * program->counters, sizeof(ResinCounter))};
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
      run(program, &call, &program->function[f]);
      printf("%s: weight %g\n", program->function[f].name, weight[0]);
    }
  for (uint32_t k = 0; k < program->counters; ++k)
    printf("kernel %u: %lu + %lu calls\n", k, call.counters[k].calls, call.counters[program->counters + k].calls);
  return 0;
}
