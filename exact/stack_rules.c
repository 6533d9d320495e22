#include "exact/stack_rules.h"

#include <inttypes.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

const char *const stack_rule_names[N_STACK_RULES] = {"first_full", "min_full", "max_windowed_run",
                                                     "pattern", "equal_thirds"};

enum layer_kind layer_kind_of(const struct block *block)
{
    if (block->mixer != MIXER_ATTENTION)
        return LAYER_NONE;
    return block->window > 0 ? LAYER_WINDOWED : LAYER_FULL;
}

/* A state taken apart: full blocks so far (min_full at most are counted), windowed ones at the end,
 * 1 + the choice of the third under way (0: it has none yet), 1 + the choice of all blocks so far
 * (n_choices + 1: they differ), whether there is a block. */
struct state {
    int64_t full, run, third, all, begun;
};

struct radix {
    int64_t full, run, third, all;
};

static struct radix radix_of(const struct rule_automaton *a)
{
    return (struct radix){a->rules.min_full + 1, a->rules.max_windowed_run + 1,
                          a->rules.equal_thirds ? a->n_choices + 1 : 1,
                          a->is_uneven ? a->n_choices + 2 : 1};
}

static struct state unpack(const struct rule_automaton *a, int64_t packed)
{
    struct radix r = radix_of(a);
    struct state state;
    state.full = packed % r.full;
    packed /= r.full;
    state.run = packed % r.run;
    packed /= r.run;
    state.third = packed % r.third;
    packed /= r.third;
    state.all = packed % r.all;
    state.begun = packed / r.all;
    return state;
}

static int64_t pack(const struct rule_automaton *a, const struct state *state)
{
    struct radix r = radix_of(a);
    return state->full +
           r.full * (state->run +
                     r.run * (state->third + r.third * (state->all + r.all * state->begun)));
}

int64_t rule_states(const struct rule_automaton *a)
{
    struct radix r = radix_of(a);
    return 2 * r.full * r.run * r.third * r.all;
}

static bool fits_pattern(const struct stack_rules *rules, int64_t place, enum layer_kind kind)
{
    static const char letters[] = {[LAYER_FULL] = 'F', [LAYER_WINDOWED] = 'W', [LAYER_NONE] = 'N'};
    size_t length = strlen(rules->pattern);
    if (length == 0 || kind == LAYER_SKIP)
        return true;
    char asked = rules->pattern[(size_t)place % length];
    return asked == '.' || asked == letters[kind];
}

static bool starts_third(const struct rule_automaton *a, int64_t place)
{
    return place == 0 || place * 3 / a->n_places != (place - 1) * 3 / a->n_places;
}

static void count_kind(const struct stack_rules *rules, enum layer_kind kind, struct state *state)
{
    if (kind == LAYER_FULL && state->full < rules->min_full)
        state->full++;
    if (kind != LAYER_SKIP) /* an empty place neither ends a run nor makes it longer */
        state->run = kind == LAYER_WINDOWED && rules->max_windowed_run > 0 ? state->run + 1 : 0;
    state->begun |= kind != LAYER_SKIP;
}

int64_t rule_step(const struct rule_automaton *a, int64_t packed, int64_t place, int choice)
{
    const struct stack_rules *rules = &a->rules;
    enum layer_kind kind = a->kind[choice];
    struct state state = unpack(a, packed);
    if (a->allowed && !a->allowed[place * a->n_choices + choice])
        return RULE_STATE_DEAD;
    if (!fits_pattern(rules, place, kind))
        return RULE_STATE_DEAD;
    if (rules->first_full && !state.begun && kind != LAYER_FULL && kind != LAYER_SKIP)
        return RULE_STATE_DEAD;
    if (rules->max_windowed_run > 0 && kind == LAYER_WINDOWED &&
        state.run == rules->max_windowed_run)
        return RULE_STATE_DEAD;
    if (rules->equal_thirds) {
        if (!starts_third(a, place) && state.third != choice + 1)
            return RULE_STATE_DEAD;
        state.third = choice + 1;
    }
    if (a->is_uneven && kind != LAYER_SKIP)
        state.all = state.all == 0 || state.all == choice + 1 ? choice + 1 : a->n_choices + 1;
    count_kind(rules, kind, &state);
    return pack(a, &state);
}

bool rule_has_block(const struct rule_automaton *a, int64_t packed)
{
    return unpack(a, packed).begun != 0;
}

bool rule_accepts(const struct rule_automaton *a, int64_t packed)
{
    struct state state = unpack(a, packed);
    return state.begun && state.full == a->rules.min_full &&
           (!a->is_uneven || state.all == a->n_choices + 1);
}

bool *rule_live(const struct rule_automaton *a)
{
    int64_t n_states = rule_states(a);
    bool *live = memory_new((size_t)(a->n_places + 1) * (size_t)n_states, sizeof *live);
    if (!live)
        return NULL;
    for (int64_t s = 0; s < n_states; s++)
        live[a->n_places * n_states + s] = rule_accepts(a, s);
    for (int64_t place = a->n_places - 1; place >= 0; place--) {
        for (int64_t s = 0; s < n_states; s++) {
            for (int c = 0; c < a->n_choices && !live[place * n_states + s]; c++) {
                int64_t next = rule_step(a, s, place, c);
                live[place * n_states + s] =
                    next != RULE_STATE_DEAD && live[(place + 1) * n_states + next];
            }
        }
    }
    return live;
}

static bool is_asked(const struct stack_rules *rules, int rule)
{
    const bool asked[N_STACK_RULES] = {rules->first_full, rules->min_full > 0,
                                       rules->max_windowed_run > 0, rules->pattern[0] != '\0',
                                       rules->equal_thirds};
    return asked[rule];
}

/* Only the rules of the set. */
static struct stack_rules only(const struct stack_rules *rules, unsigned set)
{
    struct stack_rules out = *rules;
    if (!(set & 1u << 0))
        out.first_full = false;
    if (!(set & 1u << 1))
        out.min_full = 0;
    if (!(set & 1u << 2))
        out.max_windowed_run = 0;
    if (!(set & 1u << 3))
        out.pattern[0] = '\0';
    if (!(set & 1u << 4))
        out.equal_thirds = false;
    return out;
}

static enum status can_be_kept(const struct rule_automaton *a, unsigned set, bool *out,
                               struct err *err)
{
    struct rule_automaton part = *a;
    part.is_uneven = false;
    part.rules = only(&a->rules, set);
    bool *live = rule_live(&part);
    if (!live)
        return err_set(err, STATUS_NOMEM, "out of memory for the rules of %" PRId64 " places",
                       a->n_places);
    *out = live[RULE_STATE_START];
    memory_free(live);
    return STATUS_OK;
}

static int size_of(unsigned set)
{
    int n = 0;
    for (; set != 0; set &= set - 1)
        n++;
    return n;
}

static enum status contradiction(const struct rule_automaton *a, unsigned set, struct err *err)
{
    struct text names = {0};
    int left = size_of(set);
    for (int rule = 0; rule < N_STACK_RULES; rule++) {
        if (!(set >> rule & 1))
            continue;
        left--;
        text_addf(&names, "'%s'%s", stack_rule_names[rule],
                  left == 0   ? ""
                  : left == 1 ? " and "
                              : ", ");
    }
    enum status status = STATUS_NOMEM;
    if (names.failed)
        err_set(err, status, "out of memory for the rules");
    else if (set == 0)
        status = err_set(err, STATUS_INPUT, "no stack of %" PRId64 " places: a place has no choice",
                         a->n_places);
    else
        status = err_set(err, STATUS_INPUT, "no stack of %" PRId64 " places keeps %s%s: loosen %s",
                         a->n_places, size_of(set) > 1 ? "the rules " : "the rule ", names.data,
                         size_of(set) > 1 ? "one of them" : "it or offer other layers");
    text_release(&names);
    return status;
}

enum status rules_check(const struct rule_automaton *a, struct err *err)
{
    bool fine = false;
    unsigned asked = 0;
    for (int rule = 0; rule < N_STACK_RULES; rule++)
        asked |= is_asked(&a->rules, rule) ? 1u << rule : 0;
    enum status status = can_be_kept(a, asked, &fine, err);
    if (status || fine)
        return status;
    for (int size = 0; size <= N_STACK_RULES; size++) {
        for (unsigned set = 0; set <= asked; set++) {
            if (size_of(set) != size || (set & ~asked) != 0)
                continue;
            if ((status = can_be_kept(a, set, &fine, err)))
                return status;
            if (!fine)
                return contradiction(a, set, err);
        }
    }
    return STATUS_OK;
}
