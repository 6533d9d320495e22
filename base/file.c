#define _XOPEN_SOURCE 700 /* realpath */

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"

enum status file_read(const char *path, int64_t max_bytes, char **data, int64_t *length,
                      struct err *err)
{
    enum status status = STATUS_OK;
    void *bytes = NULL;
    size_t capacity = 0, used = 0;
    FILE *stream = NULL;
    bool is_stdin = strcmp(path, "-") == 0;

    /* fopen takes a directory, and reading one fails with a puzzling message */
    if (!is_stdin && file_is_directory(path)) {
        errno = EISDIR;
        status = err_errno(err, "cannot read '%s'", path);
        goto out;
    }
    stream = is_stdin ? stdin : fopen(path, "rb");
    if (stream == NULL) {
        status = err_errno(err, "cannot read '%s'", path);
        goto out;
    }
    /* the size is not asked for first: a pipe has none, and a file may grow */
    for (;;) {
        status = memory_grow(&bytes, &capacity, used + 4096, 1, err);
        if (status != STATUS_OK)
            goto out;
        size_t got = fread((char *)bytes + used, 1, capacity - used - 1, stream);
        used += got;
        if (used > (uint64_t)max_bytes) {
            status = err_set(err, STATUS_RANGE, "cannot read '%s': longer than %lld bytes", path,
                             (long long)max_bytes);
            goto out;
        }
        if (got == 0)
            break;
    }
    if (ferror(stream)) {
        status = err_errno(err, "cannot read '%s'", path);
        goto out;
    }
    ((char *)bytes)[used] = '\0';
    *data = bytes;
    *length = (int64_t)used;
    bytes = NULL;
out:
    memory_free(bytes);
    if (stream != NULL && !is_stdin)
        fclose(stream);
    return status;
}

static enum status open_beside(struct file_out *out, const char *asked, struct err *err)
{
    for (int attempt = 0; attempt < 100; attempt++) {
        snprintf(out->temporary, sizeof out->temporary, "%s.%ld-%d.part", out->path, (long)getpid(),
                 attempt);
        int fd = open(out->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd >= 0) {
            out->stream = fdopen(fd, "wb");
            if (out->stream != NULL)
                return STATUS_OK;
            enum status status = err_errno(err, "cannot write '%s'", asked);
            close(fd);
            unlink(out->temporary);
            return status;
        }
        if (errno != EEXIST)
            break;
    }
    return err_errno(err, "cannot write '%s'", asked);
}

enum status file_create(struct file_out *out, const char *path, struct err *err)
{
    *out = (struct file_out){0};
    if (strlen(path) >= sizeof out->path)
        return err_set(err, STATUS_IO, "cannot write '%.100s...': name is too long", path);
    memcpy(out->path, path, strlen(path) + 1);

    struct stat info;
    if (stat(path, &info) != 0)
        return open_beside(out, path, err);
    if (S_ISREG(info.st_mode)) {
        if (access(path, W_OK) != 0)
            return err_errno(err, "cannot write '%s'", path);
        /* through a link to the file itself, so that the link stays one */
        char *target = realpath(path, NULL);
        if (target != NULL && strlen(target) < sizeof out->path)
            memcpy(out->path, target, strlen(target) + 1);
        free(target);
        return open_beside(out, path, err);
    }
    /* a device or a pipe is written, not replaced */
    out->stream = fopen(path, "wb");
    if (out->stream == NULL)
        return err_errno(err, "cannot write '%s'", path);
    return STATUS_OK;
}

enum status file_commit(struct file_out *out, struct err *err)
{
    bool is_replaced = out->temporary[0] != '\0';
    errno = 0;
    bool is_written = fflush(out->stream) == 0 && !ferror(out->stream) &&
                      (!is_replaced || fsync(fileno(out->stream)) == 0);
    if (errno == 0)
        errno = EIO;
    int reason = errno;
    if (fclose(out->stream) != 0 && is_written) {
        is_written = false;
        reason = errno;
    }
    out->stream = NULL;
    if (is_written && is_replaced && rename(out->temporary, out->path) != 0) {
        is_written = false;
        reason = errno;
    }
    if (is_written)
        return STATUS_OK;
    if (is_replaced)
        unlink(out->temporary);
    errno = reason;
    return err_errno(err, "cannot write '%s'", out->path);
}

void file_abandon(struct file_out *out)
{
    if (out->stream == NULL)
        return;
    fclose(out->stream);
    out->stream = NULL;
    if (out->temporary[0] != '\0')
        unlink(out->temporary);
}

enum status file_write(const char *path, const char *text, struct err *err)
{
    if (strcmp(path, "-") == 0) {
        if (fputs(text, stdout) == EOF || fflush(stdout) != 0)
            return err_errno(err, "cannot write standard output");
        return STATUS_OK;
    }
    struct file_out out;
    enum status status = file_create(&out, path, err);
    if (status != STATUS_OK)
        return status;
    fputs(text, out.stream);
    return file_commit(&out, err);
}

const char *file_base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

void file_directory(const char *path, char *out, size_t size)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        snprintf(out, size, ".");
    else
        snprintf(out, size, "%.*s", slash == path ? 1 : (int)(slash - path), path);
}

bool file_exists(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0;
}

bool file_begins_with(const char *path, const char *magic)
{
    struct stat info;
    char begin[16] = {0};
    size_t n = strlen(magic);
    if (n > sizeof begin || stat(path, &info) != 0 || !S_ISREG(info.st_mode))
        return false;
    FILE *file = fopen(path, "rb");
    bool found = file != NULL && fread(begin, 1, n, file) == n && memcmp(begin, magic, n) == 0;
    if (file != NULL)
        fclose(file);
    return found;
}

bool file_is_directory(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

static void directory_of_program(char *out, size_t size)
{
    ssize_t length = readlink("/proc/self/exe", out, size - 1);
    out[length > 0 ? length : 0] = '\0';
    char *slash = strrchr(out, '/');
    if (slash != NULL)
        *slash = '\0';
}

enum status file_data_path(const char *relative, char *out, size_t size, struct err *err)
{
    enum status status = STATUS_NOT_FOUND;
    struct text tried = {0};
    char program[PATH_MAX];
    directory_of_program(program, sizeof program);
    const char *chosen = getenv("LATHE_DATA");

    const struct {
        const char *base, *below;
    } places[] = {
        {chosen, ""},
        /* installed */
        {program, "/../share/lathe"},
        /* in build/, or copied somewhere together */
        {program, "/../data"},
        {program, "/data"},
        /* in any other folder of a build */
        {LATHE_SOURCE_DATA_DIR, ""},
    };
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        if (places[i].base == NULL || places[i].base[0] == '\0')
            continue;
        int length = snprintf(out, size, "%s%s/%s", places[i].base, places[i].below, relative);
        if (length > 0 && (size_t)length < size && file_exists(out)) {
            status = STATUS_OK;
            break;
        }
        text_addf(&tried, "%s%s%s", tried.length > 0 ? ", " : "", places[i].base, places[i].below);
    }
    if (status != STATUS_OK)
        err_set(err, status, "cannot find data file '%s' (looked in %s)", relative,
                tried.data != NULL ? tried.data : "no directory");
    text_release(&tried);
    return status;
}
