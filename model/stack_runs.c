#include "model/stack_runs.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

enum { MAX_BLOCKS = 1 << 16, MAX_DIGITS = 9 };

struct stack_usual stack_usual(const struct stack *stack, int64_t n_layers)
{
    struct stack_usual usual = {0, 0, 0};
    for (int64_t i = 0, n = 0; i < n_layers; i += n) {
        const struct block *block = stack_block(stack, i);
        n = stack_run(stack, n_layers, i);
        usual.n_heads = usual.n_heads > 0 ? usual.n_heads : block->n_heads;
        usual.d_head = usual.d_head > 0 ? usual.d_head : block->d_head;
        usual.window = usual.window > 0 ? usual.window : block->window;
    }
    return usual;
}

static void print_shape(const struct block *block, const struct stack_usual *usual,
                        struct text *text)
{
    if (block->mixer != MIXER_ATTENTION) {
        text_addf(text, "N/%" PRId64, block->d_ff);
        return;
    }
    text_add(text, block->window > 0 ? "W" : "F");
    if (block->n_heads != usual->n_heads)
        text_addf(text, "%" PRId64 "x", block->n_heads);
    text_addf(text, "%" PRId64, block->n_kv_heads);
    if (block->window > 0 && block->window != usual->window)
        text_addf(text, "@%" PRId64, block->window);
    text_addf(text, "/%" PRId64, block->d_ff);
}

static void print_block(const struct block *block, const struct stack_usual *usual,
                        struct text *text)
{
    print_shape(block, usual, text);
    if (block->reruns > 0)
        text_addf(text, "x%" PRId64, 1 + block->reruns);
}

char *stack_runs_print(const struct stack *stack, int64_t n_layers, const struct stack_usual *usual)
{
    struct text text = {0};
    for (int64_t i = 0, n = 0; i < n_layers; i += n) {
        n = stack_run(stack, n_layers, i);
        if (i > 0)
            text_add(&text, " ");
        if (n > 1)
            text_addf(&text, "%" PRId64, n);
        print_block(stack_block(stack, i), usual, &text);
    }
    if (text.failed) {
        text_release(&text);
        return NULL;
    }
    return text.data;
}

/* False: there is no number of 1 to MAX_DIGITS digits. */
static bool read_number(const char **at, int64_t *out)
{
    int digits = 0;
    *out = 0;
    for (; isdigit((unsigned char)**at) && digits <= MAX_DIGITS; ++*at, digits++)
        *out = *out * 10 + (**at - '0');
    return digits > 0 && digits <= MAX_DIGITS && *out > 0;
}

static bool read_heads(const char **at, const struct stack_usual *usual, struct block *block)
{
    block->n_heads = usual->n_heads;
    block->d_head = usual->d_head;
    if (!read_number(at, &block->n_kv_heads))
        return false;
    if (**at == 'x') {
        ++*at;
        block->n_heads = block->n_kv_heads;
        if (!read_number(at, &block->n_kv_heads))
            return false;
    }
    return block->n_heads > 0 && block->d_head > 0 && block->n_heads % block->n_kv_heads == 0;
}

/* "x2" behind a block that runs twice. */
static bool read_repeats(const char **at, struct block *block)
{
    int64_t repeats;
    if (**at != 'x')
        return true;
    ++*at;
    if (!read_number(at, &repeats) || repeats < 2 || repeats > 1 + MAX_RERUNS)
        return false;
    block->reruns = repeats - 1;
    return true;
}

static bool read_run(const char **at, const struct stack_usual *usual, int64_t *count,
                     struct block *block)
{
    *block = (struct block){.mixer = MIXER_NONE};
    *count = 1;
    if (isdigit((unsigned char)**at) && !read_number(at, count))
        return false;
    char kind = **at;
    if (kind != 'F' && kind != 'W' && kind != 'N')
        return false;
    ++*at;
    if (kind != 'N') {
        block->mixer = MIXER_ATTENTION;
        if (!read_heads(at, usual, block))
            return false;
    }
    if (kind == 'W') {
        block->window = usual->window;
        if (**at == '@' && (++*at, !read_number(at, &block->window)))
            return false;
        if (block->window == 0)
            return false;
    }
    if (**at != '/')
        return false;
    ++*at;
    return read_number(at, &block->d_ff) && read_repeats(at, block) &&
           (**at == ' ' || **at == '\0');
}

static enum status bad_run(const char *run, struct err *err)
{
    return err_set(err, STATUS_INPUT,
                   "'%.*s' is no run of blocks: expected such as 12F3/1536, 8W1/768 or N/2048",
                   (int)strcspn(run, " "), run);
}

enum status stack_runs_parse(const char *text, const struct stack_usual *usual, struct stack *out,
                             int64_t *n_layers, struct err *err)
{
    struct block *blocks = NULL;
    size_t capacity = 0;
    int64_t n = 0;
    enum status status = STATUS_OK;
    const char *at = text;
    *out = (struct stack){0};
    while (!status && *(at += strspn(at, " ")) != '\0') {
        const char *run = at;
        struct block block;
        int64_t count;
        if (!read_run(&at, usual, &count, &block) || count > MAX_BLOCKS - n) {
            status = bad_run(run, err);
            break;
        }
        status = memory_grow((void **)&blocks, &capacity, (size_t)(n + count), sizeof *blocks, err);
        for (int64_t i = 0; i < count && !status; i++)
            blocks[n++] = block;
    }
    if (!status && n == 0)
        status = err_set(err, STATUS_INPUT, "a stack needs at least one block");
    if (!status)
        status = stack_set(out, blocks, n, err);
    memory_free(blocks);
    *n_layers = n;
    return status;
}
