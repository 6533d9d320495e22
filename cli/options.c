#include "cli/options.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/quantity.h"
#include "base/text.h"

struct value {
    const struct option *option;
    char *text; /* owned; NULL for flags */
    int64_t number;
    enum dtype dtype;
};

struct args {
    const struct command *command;
    bool help;
    struct value *values;
    size_t n_values, values_capacity;
    const char **operands; /* borrowed from argv */
    size_t n_operands, operands_capacity;
    struct text line;
};

static const struct option *find_option(const struct command *command, const char *name,
                                        size_t length)
{
    for (const struct option *option = command->options; option->name != NULL; option++)
        if (strlen(option->name) == length && strncmp(option->name, name, length) == 0)
            return option;
    return NULL;
}

static enum status unknown_option(const struct command *command, const char *name, size_t length,
                                  struct err *err)
{
    enum { MAX_NAMES = 64 };
    const char *names[MAX_NAMES];
    size_t n = 0;
    for (const struct option *option = command->options; option->name != NULL; option++)
        if (n < MAX_NAMES)
            names[n++] = option->name;
    char word[64];
    snprintf(word, sizeof word, "%.*s", (int)length, name);
    const char *near = text_nearest(word, names, n);
    if (near != NULL)
        return err_set(err, STATUS_USAGE, "unknown option '--%s': did you mean '--%s'?", word,
                       near);
    return err_set(err, STATUS_USAGE, "unknown option '--%s'", word);
}

static enum status check_choice(const struct option *option, const char *text, struct err *err)
{
    enum { MAX_WORDS = 32 };
    const char *words[MAX_WORDS];
    size_t n = 0;
    enum status status = STATUS_OK;
    char *copy = memory_strdup(option->values), *rest = NULL;
    if (copy == NULL)
        return err_set(err, STATUS_NOMEM, "out of memory");
    for (char *word = strtok_r(copy, " ", &rest); word != NULL && n < MAX_WORDS;
         word = strtok_r(NULL, " ", &rest))
        words[n++] = word;
    for (size_t i = 0; i < n; i++)
        if (strcmp(words[i], text) == 0)
            goto out;
    const char *near = text_nearest(text, words, n);
    status = near != NULL ? err_set(err, STATUS_USAGE, "--%s '%s' is unknown: did you mean '%s'?",
                                    option->name, text, near)
                          : err_set(err, STATUS_USAGE, "--%s '%s' is unknown: expected one of: %s",
                                    option->name, text, option->values);
out:
    memory_free(copy);
    return status;
}

static enum status check_number(const struct option *option, const char *text, int64_t *out,
                                struct err *err)
{
    bool count = option->kind == OPTION_COUNT;
    if (!count && strspn(text, "0123456789") != strlen(text))
        return err_set(err, STATUS_USAGE, "--%s '%s': expected a whole number from %lld to %lld",
                       option->name, text, (long long)option->min, (long long)option->max);
    enum status status = parse_count(text, out, err);
    if (status != STATUS_OK)
        return err_prefix(err, status, "--%s: ", option->name);
    if (*out < option->min || *out > option->max)
        return err_set(err, STATUS_USAGE, "--%s '%s': expected %lld to %lld", option->name, text,
                       (long long)option->min, (long long)option->max);
    return STATUS_OK;
}

static enum status add_value(struct args *args, const struct option *option, const char *text,
                             struct err *err)
{
    enum status status = memory_grow((void **)&args->values, &args->values_capacity,
                                     args->n_values + 1, sizeof *args->values, err);
    if (status != STATUS_OK)
        return status;
    struct value *value = &args->values[args->n_values];
    memset(value, 0, sizeof *value);
    value->option = option;
    switch (option->kind) {
    case OPTION_INT:
    case OPTION_COUNT:
        status = check_number(option, text, &value->number, err);
        break;
    case OPTION_TYPE:
    case OPTION_WEIGHTS:
        status = option->kind == OPTION_TYPE ? dtype_parse(text, &value->dtype, err)
                                             : weight_type_parse(text, &value->dtype, err);
        if (status != STATUS_OK)
            err_prefix(err, status, "--%s: ", option->name);
        break;
    case OPTION_CHOICE:
        status = check_choice(option, text, err);
        break;
    default:
        break;
    }
    if (status != STATUS_OK)
        return status;
    if (text != NULL && (value->text = memory_strdup(text)) == NULL)
        return err_set(err, STATUS_NOMEM, "out of memory");
    args->n_values++;
    return STATUS_OK;
}

static enum status add_list(struct args *args, const struct option *option, const char *text,
                            struct err *err)
{
    char *copy = memory_strdup(text);
    if (copy == NULL)
        return err_set(err, STATUS_NOMEM, "out of memory");
    enum status status = STATUS_OK;
    for (char *item = copy; item != NULL && status == STATUS_OK;) {
        char *comma = strchr(item, ',');
        if (comma != NULL)
            *comma = 0;
        status = *item == 0
                     ? err_set(err, STATUS_USAGE, "--%s '%s': an item is empty", option->name, text)
                     : add_value(args, option, item, err);
        item = comma != NULL ? comma + 1 : NULL;
    }
    memory_free(copy);
    return status;
}

/* "--name", "--name value" or "--name=value"; *used: words consumed. */
static enum status parse_option(struct args *args, int left, char *const *argv, int *used,
                                struct err *err)
{
    const char *name = argv[0] + 2;
    const char *equals = strchr(name, '=');
    size_t length = equals != NULL ? (size_t)(equals - name) : strlen(name);
    const struct option *option = find_option(args->command, name, length);
    *used = 1;
    if (option == NULL)
        return unknown_option(args->command, name, length, err);
    if (option->kind == OPTION_FLAG) {
        if (equals != NULL)
            return err_set(err, STATUS_USAGE, "option '--%s' takes no value", option->name);
        return add_value(args, option, NULL, err);
    }
    const char *text = equals != NULL ? equals + 1 : left > 1 ? argv[1] : NULL;
    if (text == NULL || (equals == NULL && strncmp(text, "--", 2) == 0))
        return err_set(err, STATUS_USAGE, "option '--%s' needs a value: --%s %s", option->name,
                       option->name, option->argument);
    *used = equals != NULL ? 1 : 2;
    return option->kind == OPTION_LIST ? add_list(args, option, text, err)
                                       : add_value(args, option, text, err);
}

static enum status check_operands(const struct args *args, struct err *err)
{
    const struct command *command = args->command;
    int n = (int)args->n_operands;
    if (n < command->min_operands)
        return err_set(err, STATUS_USAGE, "'%s' needs %s", command->name, command->operands);
    if (n > command->max_operands)
        return err_set(err, STATUS_USAGE, "'%s' is one operand too many for '%s'",
                       args->operands[command->max_operands], command->name);
    return STATUS_OK;
}

static const struct command_kind *find_kind(const struct command *command, const char *name)
{
    for (const struct command_kind *kind = command->kinds; kind->name != NULL; kind++)
        if (strcmp(kind->name, name) == 0)
            return kind;
    return NULL;
}

static enum status unknown_kind(const struct command *command, const char *word, struct err *err)
{
    enum { MAX_NAMES = 16 };
    const char *names[MAX_NAMES] = {NULL};
    size_t n = 0;
    char list[256];
    for (const struct command_kind *kind = command->kinds; kind->name != NULL; kind++)
        if (n < MAX_NAMES)
            names[n++] = kind->name;
    const char *near = text_nearest(word, names, n);
    if (near != NULL)
        return err_set(err, STATUS_USAGE, "unknown %s '%s': did you mean '%s'?",
                       command->kinds_title, word, near);
    for (size_t i = 0, at = 0; i < n && at < sizeof list; i++)
        at += (size_t)snprintf(list + at, sizeof list - at, "%s%s",
                               i == 0       ? ""
                               : i + 1 == n ? " or "
                                            : ", ",
                               names[i]);
    return err_set(err, STATUS_USAGE, "unknown %s '%s': expected %s", command->kinds_title, word,
                   list);
}

static bool has_word(const char *words, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = words; *at != 0; at += strspn(at, " ")) {
        size_t n = strcspn(at, " ");
        if (n == length && strncmp(at, word, n) == 0)
            return true;
        at += n;
    }
    return false;
}

/* The first operand is a kind of the verb's, and every option given is one that it takes: an option
 * that would be ignored is refused. */
static enum status check_kind(const struct args *args, struct err *err)
{
    if (args->command->kinds == NULL || args->n_operands == 0)
        return STATUS_OK;
    const struct command_kind *kind = find_kind(args->command, args->operands[0]);
    if (kind == NULL)
        return unknown_kind(args->command, args->operands[0], err);
    for (size_t i = 0; i < args->n_values; i++)
        if (!has_word(kind->options, args->values[i].option->name))
            return err_set(err, STATUS_USAGE, "'%s' takes no --%s: leave it out", kind->name,
                           args->values[i].option->name);
    return STATUS_OK;
}

static void quote_word(struct text *line, const char *word)
{
    bool plain = *word != 0 && strpbrk(word, " \t\n'\"\\$&|;<>()*?[]#~`!{}") == NULL;
    if (plain) {
        text_add(line, word);
        return;
    }
    text_add(line, "'");
    for (const char *c = word; *c != 0; c++)
        text_addf(line, *c == '\'' ? "'\\%c'" : "%c", *c);
    text_add(line, "'");
}

/* The words as one line, and whether --help is among those before "--". */
static void note_words(struct args *args, int argc, char *const *argv)
{
    bool options_ended = false;
    text_add(&args->line, args->command->name);
    for (int i = 0; i < argc; i++) {
        text_add(&args->line, " ");
        quote_word(&args->line, argv[i]);
        if (!options_ended && (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0))
            args->help = true;
        options_ended = options_ended || strcmp(argv[i], "--") == 0;
    }
}

static enum status add_operand(struct args *args, const char *word, struct err *err)
{
    enum status status = memory_grow((void **)&args->operands, &args->operands_capacity,
                                     args->n_operands + 1, sizeof *args->operands, err);
    if (status == STATUS_OK)
        args->operands[args->n_operands++] = word;
    return status;
}

static enum status parse_words(struct args *args, int argc, char *const *argv, struct err *err)
{
    bool options_ended = false;
    for (int i = 0, used = 1; i < argc; i += used) {
        enum status status = STATUS_OK;
        const char *word = argv[i];
        used = 1;
        if (options_ended || word[0] != '-' || word[1] == 0) /* "-": standard input or output */
            status = add_operand(args, word, err);
        else if (strcmp(word, "--") == 0)
            options_ended = true;
        else if (word[1] == '-')
            status = parse_option(args, argc - i, argv + i, &used, err);
        else
            status =
                err_set(err, STATUS_USAGE, "unknown option '%s': options start with '--'", word);
        if (status != STATUS_OK)
            return status;
    }
    enum status status = check_operands(args, err);
    return status == STATUS_OK ? check_kind(args, err) : status;
}

enum status args_parse(const struct command *command, int argc, char *const *argv,
                       struct args **out, struct err *err)
{
    struct args *args = memory_new(1, sizeof *args);
    if (args == NULL)
        return err_set(err, STATUS_NOMEM, "out of memory");
    args->command = command;
    note_words(args, argc, argv);
    enum status status = args->line.failed ? err_set(err, STATUS_NOMEM, "out of memory")
                         : args->help      ? STATUS_OK
                                           : parse_words(args, argc, argv, err);
    if (status == STATUS_OK)
        *out = args;
    else
        args_free(args);
    return status;
}

void args_free(struct args *args)
{
    if (args == NULL)
        return;
    for (size_t i = 0; i < args->n_values; i++)
        memory_free(args->values[i].text);
    memory_free(args->values);
    memory_free(args->operands);
    text_release(&args->line);
    memory_free(args);
}

bool args_help(const struct args *args)
{
    return args->help;
}

int args_n_operands(const struct args *args)
{
    return (int)args->n_operands;
}

const char *args_operand(const struct args *args, int i)
{
    assert(i >= 0 && (size_t)i < args->n_operands);
    return args->operands[i];
}

static const struct option *own_option(const struct args *args, const char *name)
{
    const struct option *option = find_option(args->command, name, strlen(name));
    assert(option != NULL);
    return option;
}

static const struct value *last_value(const struct args *args, const struct option *option)
{
    for (size_t i = args->n_values; i-- > 0;)
        if (args->values[i].option == option)
            return &args->values[i];
    return NULL;
}

bool args_is_kind(const struct args *args, const char *name)
{
    assert(find_kind(args->command, name) != NULL);
    return strcmp(args->operands[0], name) == 0;
}

bool args_given(const struct args *args, const char *option)
{
    return last_value(args, own_option(args, option)) != NULL;
}

bool args_flag(const struct args *args, const char *option)
{
    return args_given(args, option);
}

const char *args_text(const struct args *args, const char *name)
{
    const struct option *option = own_option(args, name);
    const struct value *value = last_value(args, option);
    return value != NULL ? value->text : option->fallback;
}

const char *args_nth(const struct args *args, const char *name, int i)
{
    const struct option *option = own_option(args, name);
    int seen = 0;
    for (size_t j = 0; j < args->n_values; j++)
        if (args->values[j].option == option && seen++ == i)
            return args->values[j].text;
    return seen == 0 && i == 0 ? option->fallback : NULL;
}

int args_count(const struct args *args, const char *name)
{
    int n = 0;
    while (args_nth(args, name, n) != NULL)
        n++;
    return n;
}

int64_t args_int(const struct args *args, const char *name, int64_t otherwise)
{
    const struct option *option = own_option(args, name);
    const struct value *value = last_value(args, option);
    assert(option->kind == OPTION_INT || option->kind == OPTION_COUNT);
    if (value != NULL)
        return value->number;
    int64_t number = otherwise;
    if (option->fallback != NULL && parse_count(option->fallback, &number, NULL) != STATUS_OK)
        assert(false);
    return number;
}

bool args_dtype(const struct args *args, const char *name, enum dtype *out)
{
    const struct value *value = last_value(args, own_option(args, name));
    if (value != NULL)
        *out = value->dtype;
    return value != NULL;
}

const char *args_verb(const struct args *args)
{
    return args->command->name;
}

const char *args_line(const struct args *args)
{
    return args->line.data;
}

enum status args_one_device(const struct args *args, const char **device, struct err *err)
{
    *device = args_nth(args, "device", 0);
    if (args_count(args, "device") == 1)
        return STATUS_OK;
    return err_set(err, STATUS_USAGE, "'%s' needs one --device ('lathe devices' lists them)",
                   args_verb(args));
}

void warn(const struct args *args, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    fprintf(stderr, "lathe %s: warning: ", args_verb(args));
    vfprintf(stderr, format, values);
    fprintf(stderr, "\n");
    va_end(values);
}

void warn_lines(const struct args *args, const char *lines)
{
    while (lines != NULL && *lines != 0) {
        int length = (int)strcspn(lines, "\n");
        warn(args, "%.*s", length, lines);
        lines += length + (lines[length] == '\n');
    }
}
