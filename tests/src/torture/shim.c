/* Stands between the agent and the C library: counts the calls that change something, ends the process at one of
 * them, lets writes fail, and moves the clock. What it does stands in a file that the tests write to while the agent
 * runs; its layout is that of `Field` in shim.rs.
 *
 * The calls are made as plain system calls, so nothing of the C library is needed before it is ready. */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum field { CALLS, KILL_AT, WRITES, FAIL_FROM, FAIL_COUNT, FAIL_ERROR, FAILED, CLOCK_OFFSET, CLOCK_READS, FIELDS };

static _Atomic uint64_t *control;

__attribute__((constructor)) static void begin(void) {
  const char *path = getenv("TORTURE_CONTROL");
  if (!path) return;
  int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0);
  if (fd < 0) abort();
  void *page = mmap(NULL, FIELDS * sizeof(uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (page == MAP_FAILED) abort();
  close(fd);
  control = page;
}

/* Counts a call that changes something; the one that was asked for does not come to pass. */
static void step(void) {
  if (!control) return;
  uint64_t call = atomic_fetch_add(&control[CALLS], 1) + 1;
  if (call == atomic_load(&control[KILL_AT])) {
    syscall(SYS_kill, getpid(), SIGKILL);
    for (;;) pause();
  }
}

/* Counts a write to a disk; true when it is to fail, with errno set. */
static int fails(void) {
  if (!control) return 0;
  uint64_t write = atomic_fetch_add(&control[WRITES], 1) + 1;
  uint64_t from = atomic_load(&control[FAIL_FROM]);
  if (from == 0 || write < from || write - from >= atomic_load(&control[FAIL_COUNT])) return 0;
  atomic_fetch_add(&control[FAILED], 1);
  errno = (int)atomic_load(&control[FAIL_ERROR]);
  return 1;
}

static int is_file(int fd) {
  struct stat it;
  return fd > 2 && fstat(fd, &it) == 0 && S_ISREG(it.st_mode);
}

static int is_remote(int fd) {
  struct sockaddr_storage it;
  socklen_t size = sizeof it;
  return getsockname(fd, (struct sockaddr *)&it, &size) == 0 &&
         (it.ss_family == AF_INET || it.ss_family == AF_INET6);
}

/* Before bytes go anywhere: -1 when they are to fail. */
static int out(int fd) {
  int saved = errno, file = is_file(fd), remote = !file && is_remote(fd);
  errno = saved;
  if (file || remote) step();
  return file && fails() ? -1 : 0;
}

/* Before a change of names or sizes on a disk. */
static int change(void) {
  step();
  return fails() ? -1 : 0;
}

ssize_t write(int fd, const void *from, size_t size) {
  return out(fd) ? -1 : syscall(SYS_write, fd, from, size);
}
ssize_t pwrite(int fd, const void *from, size_t size, off_t at) {
  return out(fd) ? -1 : syscall(SYS_pwrite64, fd, from, size, at);
}
ssize_t pwrite64(int fd, const void *from, size_t size, off64_t at) {
  return out(fd) ? -1 : syscall(SYS_pwrite64, fd, from, size, at);
}
ssize_t writev(int fd, const struct iovec *from, int count) {
  return out(fd) ? -1 : syscall(SYS_writev, fd, from, count);
}
ssize_t send(int fd, const void *from, size_t size, int flags) {
  return out(fd) ? -1 : syscall(SYS_sendto, fd, from, size, flags, NULL, 0);
}
ssize_t sendto(int fd, const void *from, size_t size, int flags, const struct sockaddr *to, socklen_t length) {
  return out(fd) ? -1 : syscall(SYS_sendto, fd, from, size, flags, to, length);
}
ssize_t sendmsg(int fd, const struct msghdr *message, int flags) {
  return out(fd) ? -1 : syscall(SYS_sendmsg, fd, message, flags);
}
ssize_t copy_file_range(int from, off64_t *from_at, int to, off64_t *to_at, size_t size, unsigned flags) {
  return out(to) ? -1 : syscall(SYS_copy_file_range, from, from_at, to, to_at, size, flags);
}
ssize_t sendfile(int to, int from, off_t *at, size_t size) {
  return out(to) ? -1 : syscall(SYS_sendfile, to, from, at, size);
}
ssize_t sendfile64(int to, int from, off64_t *at, size_t size) {
  return out(to) ? -1 : syscall(SYS_sendfile, to, from, at, size);
}

int fsync(int fd) { return change() ? -1 : (int)syscall(SYS_fsync, fd); }
int fdatasync(int fd) { return change() ? -1 : (int)syscall(SYS_fdatasync, fd); }
int ftruncate(int fd, off_t size) { return change() ? -1 : (int)syscall(SYS_ftruncate, fd, size); }
int ftruncate64(int fd, off64_t size) { return change() ? -1 : (int)syscall(SYS_ftruncate, fd, size); }
int fallocate(int fd, int mode, off_t at, off_t size) {
  return change() ? -1 : (int)syscall(SYS_fallocate, fd, mode, at, size);
}
int fallocate64(int fd, int mode, off64_t at, off64_t size) {
  return change() ? -1 : (int)syscall(SYS_fallocate, fd, mode, at, size);
}

int renameat2(int from_in, const char *from, int to_in, const char *to, unsigned flags) {
  return change() ? -1 : (int)syscall(SYS_renameat2, from_in, from, to_in, to, flags);
}
int renameat(int from_in, const char *from, int to_in, const char *to) {
  return renameat2(from_in, from, to_in, to, 0);
}
int rename(const char *from, const char *to) { return renameat2(AT_FDCWD, from, AT_FDCWD, to, 0); }
int linkat(int from_in, const char *from, int to_in, const char *to, int flags) {
  return change() ? -1 : (int)syscall(SYS_linkat, from_in, from, to_in, to, flags);
}
int link(const char *from, const char *to) { return linkat(AT_FDCWD, from, AT_FDCWD, to, 0); }
int unlinkat(int in, const char *path, int flags) {
  return change() ? -1 : (int)syscall(SYS_unlinkat, in, path, flags);
}
int unlink(const char *path) { return unlinkat(AT_FDCWD, path, 0); }
int rmdir(const char *path) { return unlinkat(AT_FDCWD, path, AT_REMOVEDIR); }
int mkdirat(int in, const char *path, mode_t mode) {
  return change() ? -1 : (int)syscall(SYS_mkdirat, in, path, mode);
}
int mkdir(const char *path, mode_t mode) { return mkdirat(AT_FDCWD, path, mode); }

/* Opening changes something when it may make a file. */
static int open_in(int in, const char *path, int flags, mode_t mode) {
  if ((flags & O_CREAT) && change()) return -1;
  return (int)syscall(SYS_openat, in, path, flags, mode);
}
#define MODE(flags)                            \
  mode_t mode = 0;                             \
  if ((flags) & (O_CREAT | __O_TMPFILE)) {     \
    va_list more;                              \
    va_start(more, flags);                     \
    mode = (mode_t)va_arg(more, int);          \
    va_end(more);                              \
  }
int open(const char *path, int flags, ...) {
  MODE(flags)
  return open_in(AT_FDCWD, path, flags, mode);
}
int open64(const char *path, int flags, ...) {
  MODE(flags)
  return open_in(AT_FDCWD, path, flags, mode);
}
int openat(int in, const char *path, int flags, ...) {
  MODE(flags)
  return open_in(in, path, flags, mode);
}
int openat64(int in, const char *path, int flags, ...) {
  MODE(flags)
  return open_in(in, path, flags, mode);
}

/* Nanoseconds by which the clock of the wall is moved. */
static int64_t offset(void) {
  if (!control) return 0;
  atomic_fetch_add(&control[CLOCK_READS], 1);
  return (int64_t)atomic_load(&control[CLOCK_OFFSET]);
}
int clock_gettime(clockid_t which, struct timespec *now) {
  int failed = (int)syscall(SYS_clock_gettime, which, now);
  if (!failed && (which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE)) {
    int64_t moved = (int64_t)now->tv_sec * 1000000000 + now->tv_nsec + offset();
    now->tv_sec = moved / 1000000000;
    now->tv_nsec = moved % 1000000000;
  }
  return failed;
}
int gettimeofday(struct timeval *restrict now, void *restrict zone) {
  (void)zone;
  struct timespec precise;
  int failed = clock_gettime(CLOCK_REALTIME, &precise);
  now->tv_sec = precise.tv_sec;
  now->tv_usec = precise.tv_nsec / 1000;
  return failed;
}
time_t time(time_t *now) {
  struct timespec precise;
  clock_gettime(CLOCK_REALTIME, &precise);
  if (now) *now = precise.tv_sec;
  return precise.tv_sec;
}
