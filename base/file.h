/* Files that are whole or not there. */
#ifndef LATHE_BASE_FILE_H
#define LATHE_BASE_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/status.h"

/* The whole file, with a 0 after its end; free with memory_free. "-" is standard input. Errors: STATUS_IO, STATUS_RANGE
 * (longer than max_bytes), STATUS_NOMEM. */
enum status file_read(const char *path, int64_t max_bytes, char **data, int64_t *length,
                      struct err *err);

/* A file written beside its final name and renamed there on commit, so that a full disk or a kill
 * leaves the old file or none, never a part. */
struct file_out {
    FILE *stream;
    char path[4096], temporary[4200];
};
enum status file_create(struct file_out *out, const char *path, struct err *err);
/* Flushes, syncs, renames. On error the temporary is removed. */
enum status file_commit(struct file_out *out, struct err *err);
void file_abandon(struct file_out *out); /* safe after commit */

/* Writes `text` as the whole of `path`, the same way. "-" is standard output. */
enum status file_write(const char *path, const char *text, struct err *err);

/* What comes after the last slash; the path itself without one. */
const char *file_base_name(const char *path);
/* What comes before it, "/" for a file of the root, "." without one. */
void file_directory(const char *path, char *out, size_t size);

bool file_exists(const char *path);
/* Whether it is a regular file that starts with `magic`. A pipe is not touched: what is read of it is
 * gone. */
bool file_begins_with(const char *path, const char *magic);
bool file_is_directory(const char *path);

/* Path of an installed or in-tree data file, e.g. "devices/iphone-13.json": looked for in
 * $LATHE_DATA, beside the binary (../share/lathe, ../data, data), then in the source tree.
 * STATUS_NOT_FOUND lists where it looked. */
enum status file_data_path(const char *relative, char *out, size_t size, struct err *err);

#endif
