/* O_DIRECT is Linux's own. */
#define _GNU_SOURCE
#include "timing/flash_read.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

enum { CHUNK = 1 << 20 };

static enum status write_file(int file, uint8_t *chunk, int64_t bytes, struct err *err)
{
    for (int64_t done = 0; done < bytes; done += CHUNK) {
        /* Different blocks, so that no layer below stores them once. */
        memcpy(chunk, &done, sizeof done);
        for (size_t filled = sizeof done; filled < CHUNK; filled += filled)
            memcpy(chunk + filled, chunk, filled < CHUNK - filled ? filled : CHUNK - filled);
        if (write(file, chunk, CHUNK) != CHUNK)
            return err_errno(err, "cannot write a test file of %lld MB",
                             (long long)bytes / 1000000);
    }
    if (fsync(file) != 0)
        return err_errno(err, "cannot write the test file out");
    return STATUS_OK;
}

static enum status read_file(const char *path, uint8_t *chunk, int64_t bytes, double *gbps,
                             struct err *err)
{
    int file = -1;
#ifdef O_DIRECT
    file = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);
#endif
    if (file < 0)
        file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return err_errno(err, "cannot read the test file '%s'", path);
    posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
    int64_t start = clock_ns(), done = 0;
    while (done < bytes) {
        ssize_t got = read(file, chunk, CHUNK);
        if (got <= 0)
            break;
        done += got;
    }
    int64_t ns = clock_ns() - start;
    close(file);
    if (done < bytes)
        return err_errno(err, "cannot read the test file '%s'", path);
    *gbps = (double)bytes / (double)(ns > 0 ? ns : 1);
    return STATUS_OK;
}

enum status flash_read(const char *directory, int64_t bytes, int rounds, double *gbps,
                       struct err *err)
{
    char path[4096];
    void *chunk = NULL;
    enum status status = STATUS_OK;
    if (snprintf(path, sizeof path, "%s/.lathe-flash-XXXXXX", directory) >= (int)sizeof path)
        return err_set(err, STATUS_IO, "directory name '%s' is too long", directory);
    if (posix_memalign(&chunk, 4096, CHUNK) != 0)
        return err_set(err, STATUS_NOMEM, "out of memory");
    int file = mkstemp(path);
    if (file < 0) {
        status = err_errno(err, "cannot create a test file in '%s'", directory);
        goto out;
    }
    status = write_file(file, chunk, bytes, err);
    for (int i = 0; i < rounds && status == STATUS_OK; i++)
        status = read_file(path, chunk, bytes, &gbps[i], err);
    close(file);
    unlink(path);
out:
    free(chunk);
    return status;
}
