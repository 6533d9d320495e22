/* How every function of lathe fails: a status out, a message in `struct err`.
 *
 * The callee that notices the problem writes the message, once: lower case, no full stop, problem
 * first, subject quoted, then what was expected or what to do ("unknown device 'iphone-31': did you
 * mean 'iphone-13'? ('lathe devices' lists them)"). A place in a file goes first ("x.json: line 3,
 * column 7: expected ':'"). Callers may put a prefix in front; cli/ alone prints it and turns the
 * status into an exit status. */
#ifndef LATHE_BASE_STATUS_H
#define LATHE_BASE_STATUS_H

#include <stdint.h>

enum status {
    STATUS_OK = 0,
    STATUS_USAGE,       /* the command line is wrong; exit status 2 */
    STATUS_INPUT,       /* a file's or value's content is wrong */
    STATUS_RANGE,       /* a number is outside its range, or would overflow */
    STATUS_NOT_FOUND,   /* no such name, file, row or program */
    STATUS_UNSUPPORTED, /* understood, but this build or format cannot do it */
    STATUS_IO,          /* the operating system said no: disk full, read-only, ... */
    STATUS_NOMEM,
    STATUS_INTERRUPTED, /* Ctrl-C; what was done so far is kept */
};

struct err {
    char message[1024]; /* one line, always terminated */
};

/* Writes the message (cut at the buffer's end) and returns `status`, so that `return err_set(...)`
 * reads well. `err` may be NULL. */
enum status err_set(struct err *err, enum status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* STATUS_RANGE and "name is value, must be min to max" unless min <= value <= max. */
enum status err_unless_between(struct err *err, const char *name, int64_t value, int64_t min,
                               int64_t max);

/* Puts text in front of the message that is there. `err` may be NULL. Returns `status`. */
enum status err_prefix(struct err *err, enum status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Appends ": " and strerror(errno). */
enum status err_errno(struct err *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The analyser sees one file at a time and would explore an err_set that returns STATUS_OK. */
#ifdef __clang_analyzer__
#define err_set(err, status, ...)    (err_set(err, status, __VA_ARGS__), (status))
#define err_prefix(err, status, ...) (err_prefix(err, status, __VA_ARGS__), (status))
#define err_errno(...)               (err_errno(__VA_ARGS__), STATUS_IO)
#endif

#endif
