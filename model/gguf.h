/* GGUF files: the metadata and the tensor index of a mapped file.
 *
 * The file is mapped and never copied: names, strings, arrays and tensor data are pointers into it,
 * and only the two indexes are on the heap. Opening reads the header, the metadata and the tensor
 * infos, not the data. Everything a count, length, offset or shape in the file claims is checked
 * against the file's size before it is used, so that what opened can be read without further
 * checks.
 *
 * Refused: versions other than 2 and 3, big-endian files, duplicate or malformed names, arrays
 * nested deeper than 4, values that are not of their type (a bool of 2), tensors of no elements, of
 * unknown types, outside the file, misaligned or overlapping. One line says what and at which byte:
 *   cannot read 'x.gguf': at byte 24: metadata count 2^62 needs more than the file's 96 bytes
 *
 * It cannot protect against a file that another process shortens while it is mapped.
 * Source: ggml/docs/gguf.md; ggml's gguf.cpp for the limits on names and shapes. */
#ifndef LATHE_MODEL_GGUF_H
#define LATHE_MODEL_GGUF_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "model/dtype.h"

/* As numbered in the file. */
enum gguf_type {
    GGUF_UINT8,
    GGUF_INT8,
    GGUF_UINT16,
    GGUF_INT16,
    GGUF_UINT32,
    GGUF_INT32,
    GGUF_FLOAT32,
    GGUF_BOOL,
    GGUF_STRING,
    GGUF_ARRAY,
    GGUF_UINT64,
    GGUF_INT64,
    GGUF_FLOAT64,
    N_GGUF_TYPES,
};
const char *gguf_type_name(enum gguf_type type); /* "u32", "string", ... */

/* Not terminated; may hold any byte. */
struct gguf_string {
    const char *data;
    int64_t length;
};

struct gguf_key {
    struct gguf_string name;
    enum gguf_type type;  /* of the elements, if is_array */
    bool is_array;        /* an array of arrays has type GGUF_ARRAY */
    int64_t count;        /* elements; 1 unless is_array */
    const uint8_t *value; /* of the first element: little-endian, unaligned */
    int64_t value_bytes;  /* all elements */
    int64_t at;           /* byte of the file where the key starts */
};

enum { GGUF_MAX_DIMS = 4 };

struct gguf_tensor {
    struct gguf_string name;
    int ggml_type;  /* as numbered in the file */
    bool has_dtype; /* lathe has this type: */
    enum dtype dtype;
    int n_dims;                  /* 1 .. 4 */
    int64_t dims[GGUF_MAX_DIMS]; /* dims[0] is the length of a row; 1 past n_dims */
    int64_t n_elements, n_bytes;
    int64_t offset;   /* of the file */
    const void *data; /* [n_bytes], aligned to the file's alignment when mapped */
};

struct gguf {
    const uint8_t *base; /* the whole file */
    int64_t length;
    bool is_mapped;
    char name[256]; /* for errors */

    uint32_t version, alignment;
    int64_t n_keys, n_tensors;
    struct gguf_key *keys;                   /* [n_keys] in file order, owned */
    struct gguf_tensor *tensors;             /* [n_tensors] in file order, owned */
    int64_t data_offset;                     /* where tensor data starts */
    int64_t *keys_by_name, *tensors_by_name; /* permutations for the lookups below, owned */
};

/* Opens and checks a file. Release with gguf_close, also after an error. Errors: STATUS_IO,
 * STATUS_INPUT, STATUS_NOMEM. */
enum status gguf_open(const char *path, struct gguf *out, struct err *err);
/* The same for `length` bytes in memory, borrowed until gguf_close; `name` is how errors call it.
 */
enum status gguf_parse(const char *name, const void *bytes, int64_t length, struct gguf *out,
                       struct err *err);
void gguf_close(struct gguf *file);

/* NULL: there is none. */
const struct gguf_key *gguf_find_key(const struct gguf *file, const char *name);
const struct gguf_tensor *gguf_find_tensor(const struct gguf *file, const char *name);

/* Name of a tensor type as ggml spells it, "q5_k", NULL for one that is not known. */
const char *gguf_tensor_type_name(int ggml_type);

/* Values by key. Integers of any width and sign are one kind, so are f32 and f64 (which also take
 * an integer; an f32 is read as the shortest decimal that rounds to it). Errors, naming the key and
 * its byte: STATUS_INPUT (absent, of another kind, not finite), STATUS_RANGE. The `_or` forms take
 * a fallback when the key is absent. */
enum status gguf_get_int(const struct gguf *file, const char *key, int64_t min, int64_t max,
                         int64_t *out, struct err *err);
enum status gguf_get_int_or(const struct gguf *file, const char *key, int64_t min, int64_t max,
                            int64_t fallback, int64_t *out, struct err *err);
enum status gguf_get_number_or(const struct gguf *file, const char *key, double min, double max,
                               double fallback, double *out, struct err *err);
enum status gguf_get_bool_or(const struct gguf *file, const char *key, bool fallback, bool *out,
                             struct err *err);
enum status gguf_get_string(const struct gguf *file, const char *key, struct gguf_string *out,
                            struct err *err);
/* Element i of an integer (or bool, as 0 and 1) array or, for every i, a scalar's value: how GGUF
 * says "per layer, or the same for all". STATUS_RANGE also when i is past the array's end. */
enum status gguf_get_int_at(const struct gguf *file, const char *key, int64_t i, int64_t min,
                            int64_t max, int64_t *out, struct err *err);

/* Start of a message about this file's content: "cannot read 'x': " and the text; STATUS_INPUT or
 * whatever is given. */
enum status gguf_error(const struct gguf *file, enum status status, struct err *err,
                       const char *format, ...) __attribute__((format(printf, 4, 5)));

/* A string from a file made fit to print on one line: at most 60 bytes, anything unprintable as
 * '?'. Returns buffer, 64 bytes. */
const char *gguf_shown(struct gguf_string string, char buffer[64]);

#endif
