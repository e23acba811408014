// Makes the disk look full as long as the file that FULL names exists. Only SQLite calls pwrite, so other writes still
// work.
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static int is_full(void) {
    const char *path = getenv("FULL");
    return path && access(path, F_OK) == 0;
}

ssize_t pwrite(int file, const void *bytes, size_t length, off_t offset) {
    if (is_full()) {
        errno = ENOSPC;
        return -1;
    }
    return syscall(SYS_pwrite64, file, bytes, length, offset);
}

ssize_t pwrite64(int file, const void *bytes, size_t length, off64_t offset) {
    return pwrite(file, bytes, length, offset);
}
