/* Rules on which blocks may follow one another in a stack, as an automaton over its places.
 *
 * A state says of the places so far all that a rule may ask for later, so that a search that goes
 * from place to place keeps one set of partial stacks a state and never meets a stack that breaks a
 * rule. */
#ifndef LATHE_EXACT_STACK_RULES_H
#define LATHE_EXACT_STACK_RULES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "model/stack.h"

/* What rules tell apart. */
enum layer_kind {
    LAYER_FULL,     /* attention to all tokens */
    LAYER_WINDOWED, /* attention to the last ones */
    LAYER_NONE,     /* no attention */
    LAYER_SKIP,     /* no block in this place */
};
enum layer_kind layer_kind_of(const struct block *block);

enum { MAX_PATTERN = 64 };

/* A rule that is 0, false or "" is not asked for. */
struct stack_rules {
    bool first_full;               /* the first block has full attention */
    int64_t min_full;              /* so many blocks at least have full attention */
    int64_t max_windowed_run;      /* so many windowed blocks at most follow one another */
    char pattern[MAX_PATTERN + 1]; /* of F, W, N and '.', again and again from place 0: the kind of
                                      the block there; '.' and an empty place are any */
    bool equal_thirds;             /* places i with equal i * 3 / n_places have equal blocks */
};
enum { N_STACK_RULES = 5 };
extern const char *const stack_rule_names[N_STACK_RULES];

/* Choice 0 .. n_choices - 1 of a place. */
struct rule_automaton {
    struct stack_rules rules;
    int64_t n_places;
    int n_choices;
    const enum layer_kind *kind; /* [n_choices]; borrowed */
    const bool *allowed; /* [n_places][n_choices]; borrowed; NULL: every choice everywhere */
    bool is_uneven;      /* not all blocks are of one choice */
};

enum { RULE_STATE_START = 0, RULE_STATE_DEAD = -1 };

/* States are 0 .. rule_states - 1. */
int64_t rule_states(const struct rule_automaton *automaton);
/* The state after `choice` in `place`; RULE_STATE_DEAD: not allowed. */
int64_t rule_step(const struct rule_automaton *automaton, int64_t state, int64_t place, int choice);
/* Whether a place before has a block. */
bool rule_has_block(const struct rule_automaton *automaton, int64_t state);
/* Whether a stack may end so. */
bool rule_accepts(const struct rule_automaton *automaton, int64_t state);

/* live[place][state]: from this state before `place` a stack can be completed; place 0 .. n_places.
 * memory_free; NULL: out of memory. */
bool *rule_live(const struct rule_automaton *automaton);

/* Errors: STATUS_INPUT when no stack keeps all rules, naming the fewest that contradict;
 * STATUS_NOMEM. */
enum status rules_check(const struct rule_automaton *automaton, struct err *err);

#endif
