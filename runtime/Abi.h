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

#define RESIN_ABI_VERSION 4

/* Ticks (the CPU's cycle counter) and calls of one kernel on one worker. Every
 * launch adds to the row of its kernel and worker: 20 ns beside kernels that take
 * tens of microseconds, so it is always on. */
typedef struct ResinCounter {
  uint64_t ticks;
  uint64_t calls;
} ResinCounter;

/* What compiled code is called with. */
typedef struct ResinCall {
  char *arena;            /* 2 MiB aligned; manifest "arena_bytes", then one scratch per worker */
  ResinCounter *counters; /* [worker][counter], `counters` of the program to a row */
} ResinCall;

/* A program is a table of tables, which the runtime walks: a function is a range of
 * regions, with a barrier between each two; a region a range of loops; a loop a
 * number of pieces, for each of which it makes a range of launches; a launch a
 * kernel and a range of operands. All of it is constant, and a hundred bytes a
 * launch, whatever the network's depth; code there is for each kernel only. */

/* Where an operand stands in piece `piece` on worker `worker`:
 * arena + offset + piece * per_piece + worker * per_worker. */
typedef struct ResinOperand {
  int64_t offset, per_piece, per_worker;
} ResinOperand;

/* A `halide_buffer_t`, of which kernels read the address of the elements alone. */
typedef struct ResinBuffer {
  uint64_t unread[2];
  char *host;
  uint64_t unread_too[4];
} ResinBuffer;

/* Computes one launch: `buffers` are its operands. What it calls knows nothing of
 * where these stand, so networks of any depth share it. */
typedef void (*ResinKernel)(const ResinCall *call, const ResinBuffer *buffers, int64_t piece, int64_t worker);

#define RESIN_NOT_COUNTED 0xffffffffu

typedef struct ResinLaunch {
  uint32_t kernel;
  uint32_t counter; /* a row of the manifest's "kernels", or RESIN_NOT_COUNTED */
  uint32_t operand; /* the first */
  uint32_t operands;
} ResinLaunch;

/* Pieces are independent of each other; which worker computes which is not
 * determined, and does not show in the results. */
typedef struct ResinLoop {
  uint32_t launch; /* the first */
  uint32_t launches;
  uint32_t piece; /* the first, counted in the region */
  uint32_t pieces;
} ResinLoop;

/* The last `fillers` of its pieces are for whoever has nothing else to do. */
typedef struct ResinRegion {
  uint32_t loop; /* the first */
  uint32_t loops;
  uint32_t pieces; /* of all loops */
  uint32_t fillers;
} ResinRegion;

typedef struct ResinFunction {
  const char *name; /* "train_step", "evaluate", "prepare", "predict_1", ... */
  uint32_t region;  /* the first */
  uint32_t regions;
} ResinFunction;

/* The compiled program: the symbol `resin_program`. The manifest is JSON, described
 * in docs/Manifest.md. */
typedef struct ResinProgram {
  uint32_t abi_version;
  uint32_t counters;  /* rows of the manifest's "kernels" */
  uint32_t functions; /* entries of `function` */
  uint32_t buffers;   /* the most operands of a launch */
  const char *manifest;
  uint64_t manifest_bytes;
  const ResinFunction *function;
  const ResinRegion *region;
  const ResinLoop *loop;
  const ResinLaunch *launch;
  const ResinOperand *operand;
  const ResinKernel *kernel;
} ResinProgram;

extern const ResinProgram resin_program;

#ifdef __cplusplus
}
static_assert(sizeof(ResinBuffer) == 56, "as halide_buffer_t is");
static_assert(sizeof(ResinOperand) == 24 && sizeof(ResinLaunch) == 16, "compiled code emits these");
static_assert(sizeof(ResinLoop) == 16 && sizeof(ResinRegion) == 16, "compiled code emits these");
static_assert(sizeof(ResinFunction) == 16 && sizeof(ResinProgram) == 80, "compiled code emits these");
#endif

#endif /* RESIN_RUNTIME_ABI_H */
