/* Lets the n-th write below one folder fail, and as many after it as wished: LD_PRELOAD this.
   arm(folder, n, times, error) begins to count, disarm() ends it, failures() tells how many calls failed. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static char folder[PATH_MAX];
static long first, times, count, failed;
static int error_number;

void arm(const char *where, long n, long how_often, int number)
{
    strncpy(folder, where, sizeof folder - 1);
    first = n, times = how_often, count = failed = 0, error_number = number;
}

void disarm(void) { folder[0] = 0; }
long failures(void) { return failed; }

static int fails(const char *path)
{
    if (!folder[0] || strncmp(path, folder, strlen(folder)))
        return 0;
    count++;
    if (count < first || count >= first + times)
        return 0;
    failed++;
    errno = error_number;
    return 1;
}

static int fails_at(int handle)
{
    char link[64], path[PATH_MAX];
    if (!folder[0])
        return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", handle);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0)
        return 0;
    path[length] = 0;
    return fails(path);
}

#define REAL(name) static __typeof__(&name) real; if (!real) real = dlsym(RTLD_NEXT, #name)

ssize_t write(int h, const void *b, size_t n)
{ REAL(write); return fails_at(h) ? -1 : real(h, b, n); }
ssize_t pwrite(int h, const void *b, size_t n, off_t o)
{ REAL(pwrite); return fails_at(h) ? -1 : real(h, b, n, o); }
ssize_t pwrite64(int h, const void *b, size_t n, off64_t o)
{ REAL(pwrite64); return fails_at(h) ? -1 : real(h, b, n, o); }
int fsync(int h) { REAL(fsync); return fails_at(h) ? -1 : real(h); }
int fdatasync(int h) { REAL(fdatasync); return fails_at(h) ? -1 : real(h); }
int ftruncate(int h, off_t n) { REAL(ftruncate); return fails_at(h) ? -1 : real(h, n); }
int ftruncate64(int h, off64_t n) { REAL(ftruncate64); return fails_at(h) ? -1 : real(h, n); }
int rename(const char *a, const char *b) { REAL(rename); return fails(b) ? -1 : real(a, b); }
int link(const char *a, const char *b) { REAL(link); return fails(b) ? -1 : real(a, b); }
int linkat(int x, const char *a, int y, const char *b, int f)
{ REAL(linkat); return fails(b) ? -1 : real(x, a, y, b, f); }
int mkdir(const char *a, mode_t m) { REAL(mkdir); return fails(a) ? -1 : real(a, m); }

#define OPENS(name) \
int name(const char *path, int flags, ...) \
{ \
    REAL(name); \
    va_list rest; va_start(rest, flags); mode_t mode = va_arg(rest, mode_t); va_end(rest); \
    return (flags & O_CREAT) && fails(path) ? -1 : real(path, flags, mode); \
}
OPENS(open)
OPENS(open64)
