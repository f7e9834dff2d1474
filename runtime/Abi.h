/*===- Abi.h - Between compiled code and the runtime ----------------*- C -*-===*
 *
 * The one header both sides of a program share: the code that Resin compiled for
 * one network, and the runtime it is linked with. Plain C on stdint alone.
 *
 *===----------------------------------------------------------------------===*/

#ifndef RESIN_RUNTIME_ABI_H
#define RESIN_RUNTIME_ABI_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define RESIN_ABI_VERSION 2

/* Ticks (the CPU's cycle counter) and calls of one kernel on one worker. Every
 * launch adds to the row of its kernel and worker: 20 ns beside kernels that take
 * tens of microseconds, so it is always on. */
typedef struct ResinCounter {
  uint64_t ticks;
  uint64_t calls;
} ResinCounter;

struct ResinCall;

/* Computes piece `piece` of one parallel region on worker `worker`. Pieces are
 * independent of each other; which worker computes which is not determined, and
 * does not show in the results. */
typedef void (*ResinBody)(const struct ResinCall *call, int64_t piece, int64_t worker);

/* What an entry point is called with. */
typedef struct ResinCall {
  char *arena;            /* 2 MiB aligned; manifest "arena_bytes", then one scratch per worker */
  ResinCounter *counters; /* [worker][kernel], `kernels` of the program to a row */
  /* Runs body(call, 0 .. pieces-1, worker) on the workers and returns when all
   * are done: a barrier. The last `fillers` pieces are for whoever has nothing else
   * to do. */
  void (*parallel)(const struct ResinCall *call, ResinBody body, int64_t pieces, int64_t fillers);
  void *runtime; /* the runtime's own */
} ResinCall;

typedef void (*ResinEntry)(const ResinCall *call);

typedef struct ResinFunction {
  const char *name; /* "train_step", "evaluate", "prepare", "predict_1", ... */
  ResinEntry entry;
} ResinFunction;

/* The compiled program: the symbol `resin_program`. The manifest is JSON, described
 * in docs/Manifest.md. */
typedef struct ResinProgram {
  uint32_t abi_version;
  uint32_t kernels;   /* rows of the manifest's "kernels" */
  uint32_t functions; /* entries of `function` */
  uint32_t reserved;
  const char *manifest;
  uint64_t manifest_bytes;
  const ResinFunction *function;
} ResinProgram;

extern const ResinProgram resin_program;

#ifdef __cplusplus
}
static_assert(sizeof(ResinCounter) == 16, "compiled code adds to counters in place");
static_assert(sizeof(ResinCall) == 32, "compiled code reads its fields by offset");
static_assert(sizeof(ResinFunction) == 16 && sizeof(ResinProgram) == 40, "compiled code emits these");
#endif

#endif /* RESIN_RUNTIME_ABI_H */
