/* Verbs and their options: one table per verb makes parsing, --help, the man page and completion.
 *
 * A verb is a `struct command` with a static table of options. Parsing checks kinds and ranges, so
 * that the accessors below cannot fail; they assert that the verb has the option they ask for. */
#ifndef LATHE_CLI_OPTIONS_H
#define LATHE_CLI_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "model/dtype.h"

enum option_kind {
    OPTION_FLAG,    /* no value */
    OPTION_TEXT,    /* any text; the last one given wins */
    OPTION_TEXTS,   /* may be given more than once */
    OPTION_LIST,    /* may be given more than once, each with commas: a,b --x c is a, b, c */
    OPTION_INT,     /* min .. max */
    OPTION_COUNT,   /* min .. max, "125M" */
    OPTION_TYPE,    /* a type of tensors */
    OPTION_WEIGHTS, /* the same, or a type of files */
    OPTION_CHOICE,  /* one of the words of `values` */
};

struct option {
    const char *name; /* without "--"; NULL ends a table */
    enum option_kind kind;
    const char *argument; /* what --help calls the value, "D"; NULL for flags */
    const char *fallback; /* value when not given, shown by --help; NULL: none */
    const char *values;   /* for completion: "@device", "@model", "@file",
                            "@column", "@metric" or words with spaces
                             between;   NULL: nothing to offer. OPTION_CHOICE: the words allowed */
    int64_t min, max;     /* of OPTION_INT and OPTION_COUNT */
    const char *help;
};

struct args;

struct example {
    const char *command, *what; /* NULL ends a list */
};

/* What the first operand of a verb may name, where that decides which options there are. */
struct command_kind {
    const char *name;    /* NULL ends a table */
    const char *options; /* those of the verb that it takes, with spaces between */
};

struct command {
    const char *name, *summary; /* one line, lower case, no full stop */
    const char *operands;       /* "MODEL...", "" for none: as in the usage line */
    const char *operand_values; /* completion of operands, as option.values */
    int min_operands, max_operands;
    const struct command_kind *kinds; /* NULL: the first operand is none */
    const char *kinds_title;          /* "format", "kind of figure" */
    const struct option *options;
    const struct example *examples;
    const char *about; /* a paragraph or more for --help, "" for none */
    enum status (*run)(const struct args *args, struct err *err);
};

/* Rows of a table. `_RANGE` rows: OPTION_INT and OPTION_COUNT. */
#define ROW_FLAG(name_, help_) \
    { \
        .name = name_, .kind = OPTION_FLAG, .help = help_ \
    }
#define ROW(kind_, name_, argument_, fallback_, values_, help_) \
    { \
        .name = name_, .kind = kind_, .argument = argument_, .fallback = fallback_, \
        .values = values_, .help = help_ \
    }
#define ROW_RANGE(kind_, name_, argument_, fallback_, min_, max_, help_) \
    { \
        .name = name_, .kind = kind_, .argument = argument_, .fallback = fallback_, .min = min_, \
        .max = max_, .help = help_ \
    }
#define ROWS_END \
    { \
        .name = NULL \
    }

/* Rows that several verbs share, so that an option is spelled and explained alike everywhere. */
#define ROW_JSON ROW_FLAG("json", "print JSON for other programs")
#define ROW_DEVICE \
    ROW(OPTION_LIST, "device", "D[,D2]", NULL, "@device", \
        "device profiles: names from 'lathe devices' or JSON files")
#define ROW_DTYPE \
    ROW(OPTION_WEIGHTS, "dtype", "TYPE", NULL, NULL, \
        "weight type of blocks, token table and head (f16, q8_0, q4_0, ...), or of a GGUF file " \
        "(Q4_K_M, Q4_0, ...: capitals); default: as the model says")
#define ROW_HEAD_DTYPE \
    ROW(OPTION_TYPE, "head-dtype", "TYPE", NULL, NULL, \
        "weight type of token table and head, where it differs from --dtype")
#define ROW_KV_DTYPE ROW(OPTION_TYPE, "kv-dtype", "TYPE", NULL, NULL, "type of the KV cache")
#define ROW_THREADS \
    ROW_RANGE(OPTION_INT, "threads", "N", NULL, 1, 1024, \
              "threads of the device; default: as its profile says")
#define ROW_PROMPT \
    ROW_RANGE(OPTION_COUNT, "prompt", "N", "128", 1, INT64_C(1) << 32, \
              "tokens of the prompt, read in one pass")
#define ROW_CONTEXT \
    ROW_RANGE(OPTION_COUNT, "context", "N", "128", 0, INT64_C(1) << 32, \
              "tokens in the KV cache when the next token is timed")
#define ROW_DB  ROW(OPTION_TEXT, "db", "FILE", "lathe.db", "@file", "SQLite file of results")
#define ROW_OUT ROW(OPTION_TEXT, "out", "FILE", NULL, "@file", "file to write")
#define ROW_LIMIT \
    ROW_RANGE(OPTION_COUNT, "limit", "N", "10", 0, INT64_MAX, "rows printed at most; 0: all")
#define ROW_RUN \
    ROW_RANGE(OPTION_COUNT, "run", "N", NULL, 1, INT64_MAX, \
              "which run of the database; default: the latest search")

/* What every listing of candidates takes. */
#define ROWS_CANDIDATES \
    ROW_FLAG("descending", "most first"), \
        ROW(OPTION_TEXTS, "where", "SQL", NULL, NULL, \
            "only those: 'decode_ms < 20 AND d_head = 64'; may be given again"), \
        ROW_RUN, ROW_LIMIT, ROW_DB, ROW_JSON

/* Parses what follows the verb. A kind that the verb does not have is refused, and so is an option
 * that the kind does not take. `--help` anywhere gives an args for which args_help is true and
 * nothing else is checked. Free with args_free. Errors: STATUS_USAGE, STATUS_NOMEM. */
enum status args_parse(const struct command *command, int argc, char *const *argv,
                       struct args **out, struct err *err);
void args_free(struct args *args); /* NULL allowed */
bool args_help(const struct args *args);

/* Operands: what is no option. */
int args_n_operands(const struct args *args);
const char *args_operand(const struct args *args, int i); /* 0 .. n - 1 */
/* Whether the first operand is the kind `name`, which the verb must have. */
bool args_is_kind(const struct args *args, const char *name);

bool args_given(const struct args *args, const char *option); /* on the command line itself */
bool args_flag(const struct args *args, const char *option);
/* The value given, else the fallback, else NULL. */
const char *args_text(const struct args *args, const char *option);
/* Value i of a repeatable option; NULL past the last. The fallback counts as given when none is. */
const char *args_nth(const struct args *args, const char *option, int i);
int args_count(const struct args *args, const char *option);
/* The value given, else the fallback, else `otherwise`. */
int64_t args_int(const struct args *args, const char *option, int64_t otherwise);
/* False, *out untouched, when not given. */
bool args_dtype(const struct args *args, const char *option, enum dtype *out);

const char *args_verb(const struct args *args);

/* The whole command line after the program's name, as one line, for the store. */
const char *args_line(const struct args *args);

/* The value of --device when it is given once. Errors: STATUS_USAGE. */
enum status args_one_device(const struct args *args, const char **device, struct err *err);

/* Prints a warning of the verb to standard error, the one way there is: lower case, no full stop. */
void warn(const struct args *args, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same for each line of `lines`; NULL: none. */
void warn_lines(const struct args *args, const char *lines);

#endif
