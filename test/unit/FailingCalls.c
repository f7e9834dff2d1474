/*===- FailingCalls.c - Calls that save and fail ----------------------------===*
 *
 * A library for LD_PRELOAD. It counts the calls by which a program changes files
 * below the folder $FAULT_FOLDER (open, write, fsync, close, link, rename) and lets
 * some of them go wrong:
 *
 *   FAULT_FIRST  number of the first call that goes wrong, from 1
 *   FAULT_COUNT  how many do; absent: one
 *   FAULT_KILL   the program is killed before the call, instead
 *   FAULT_LOG    a file that gets the name of each call that went wrong
 *
 * A write that fails has written half. Nothing is really synced: no power fails here.
 *
 *===----------------------------------------------------------------------===*/

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static long number;

static int isBelow(const char *path) {
  const char *folder = getenv("FAULT_FOLDER");
  return folder && strncmp(path, folder, strlen(folder)) == 0;
}

static int isFileBelow(int descriptor) {
  char link[64], path[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0)
    return 0;
  path[length] = 0;
  return isBelow(path);
}

static long numberFrom(const char *variable, long otherwise) {
  const char *text = getenv(variable);
  return text ? atol(text) : otherwise;
}

/* Whether this call goes wrong. */
static int goesWrong(const char *call) {
  const char *log = getenv("FAULT_LOG");
  const long first = numberFrom("FAULT_FIRST", LONG_MAX), count = numberFrom("FAULT_COUNT", 1);
  ++number;
  if (number < first || number - first >= count)
    return 0;
  if (log) {
    int file = syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND, 0666);
    syscall(SYS_write, file, call, strlen(call));
    syscall(SYS_close, file);
  }
  if (getenv("FAULT_KILL"))
    kill(getpid(), SIGKILL);
  return 1;
}

static int fail(int error) {
  errno = error;
  return -1;
}

/* Only what makes a file: reading a folder or a checkpoint is no saving. */
int open(const char *path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = flags & O_CREAT ? va_arg(arguments, mode_t) : 0;
  va_end(arguments);
  if ((flags & O_CREAT) && isBelow(path) && goesWrong("open"))
    return fail(EDQUOT);
  return syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

ssize_t write(int descriptor, const void *bytes, size_t count) {
  if (isFileBelow(descriptor) && goesWrong("write")) {
    syscall(SYS_write, descriptor, bytes, count / 2);
    return fail(ENOSPC);
  }
  return syscall(SYS_write, descriptor, bytes, count);
}

int fsync(int descriptor) { return isFileBelow(descriptor) && goesWrong("fsync") ? fail(EIO) : 0; }

int close(int descriptor) {
  const int wrong = (fcntl(descriptor, F_GETFL) & O_ACCMODE) == O_WRONLY && isFileBelow(descriptor) &&
      goesWrong("close");
  syscall(SYS_close, descriptor);
  return wrong ? fail(EIO) : 0;
}

int link(const char *from, const char *to) {
  return isBelow(to) && goesWrong("link") ? fail(EPERM) : (int)syscall(SYS_link, from, to);
}

int rename(const char *from, const char *to) {
  return isBelow(to) && goesWrong("rename") ? fail(EROFS) : (int)syscall(SYS_rename, from, to);
}
