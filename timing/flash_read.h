/* How fast a file is read from storage, past the page cache. */
#ifndef LATHE_TIMING_FLASH_READ_H
#define LATHE_TIMING_FLASH_READ_H

#include <stdint.h>

#include "base/status.h"

/* Writes a file of `bytes` (a multiple of 1 MiB) into `directory`, reads it back `rounds` (1..16)
 * times and removes it. It reads with O_DIRECT, or, where the file system has none, after asking
 * the kernel to drop the file's pages. gbps: [rounds]. What a hypervisor or the drive keeps in its
 * own memory counts as storage. Errors: STATUS_IO (no room, read-only), STATUS_NOMEM; the file is
 * gone either way. */
enum status flash_read(const char *directory, int64_t bytes, int rounds, double *gbps,
                       struct err *err);

#endif
