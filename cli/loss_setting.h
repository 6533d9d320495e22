/* What losses are compared by: as ROWS_QUALITY say, or as a stored search had it.
 *
 * A verb reads the setting, makes scales of it (search/loss_scale.h), and says with loss_setting_say
 * what they are, since a loss without its tokens and reference is no figure. */
#ifndef LATHE_CLI_LOSS_SETTING_H
#define LATHE_CLI_LOSS_SETTING_H

#include "base/text.h"
#include "cli/law_source.h"
#include "cli/options.h"
#include "db/query.h"
#include "search/loss_scale.h"

#define DEFAULT_TRAIN_TOKENS "1T"

/* For what training losses are compared. */
#define ROWS_TRAINING \
    ROW_LAW, \
        ROW(OPTION_TEXT, "recipe", "NAME", NULL, NULL, \
            "recipe of the law whose losses are compared ('lathe quality show'); default: one " \
            "like " \
            "MobileLLM's, which has no losses"), \
        ROW_RANGE(OPTION_COUNT, "tokens", "N", DEFAULT_TRAIN_TOKENS, 1, INT64_C(1) << 60, \
                  "training tokens for which losses are compared"), \
        ROW_RANGE(OPTION_COUNT, "tokens-per-param", "N", NULL, 1, 1000000000, \
                  "the same as a multiple of the parameters")

/* --reference may be RUN:ID, so that the verb needs --db too. */
#define ROWS_QUALITY \
    ROWS_TRAINING, \
        ROW(OPTION_TEXT, "reference", "MODEL", NULL, "@model", \
            "network whose loss others are held against, in its own types; default: the best of " \
            "the budget")

struct loss_setting {
    struct quality_law *law; /* owned; NULL: losses stay unknown */
    struct err no_law;       /* why there is none */
    char *law_text;          /* the file; owned */
    int recipe;
    int64_t tokens; /* 0: tokens_per_param of them */
    int64_t tokens_per_param;
    bool has_reference; /* the user named one: */
    char reference_name[128];
    struct quality_shape reference;
};

/* Of ROWS_TRAINING: no reference. Release with loss_setting_release, after errors too. Errors:
 * STATUS_USAGE for an unknown recipe or two amounts of tokens, those of open_law. */
enum status loss_setting_of_training(const struct args *args, struct loss_setting *out,
                                     struct err *err);
/* Of ROWS_QUALITY. Where the law that came along cannot be read and no option asks for losses, `out` has
 * no law. Errors: also those of the reference. */
enum status loss_setting_of_options(const struct args *args, struct loss_setting *out,
                                    struct err *err);
/* Errors: STATUS_NOT_FOUND when there is no law. */
enum status loss_setting_require(const struct loss_setting *setting, struct err *err);
/* Law, recipe and tokens of a stored run. `out` has no law where it compared no losses: of old
 * versions, or no search; no tokens where the law only ordered stacks. Errors: STATUS_INPUT. */
enum status loss_setting_of_run(struct store *store, const struct run_row *run,
                                struct loss_setting *out, struct err *err);
void loss_setting_release(struct loss_setting *setting);

/* Tokens for networks of `params` parameters. */
double loss_setting_tokens(const struct loss_setting *setting, int64_t params);

/* The scale of a search over `enumeration`: its reference is the user's or the best of it. Release
 * with loss_scale_release, after errors too. */
enum status loss_setting_scale(const struct loss_setting *setting,
                               const struct enumeration *enumeration, int n_jobs,
                               struct loss_scale *out, struct err *err);
/* The scale for one network: its reference is the user's, or the best shape of the built-in space at
 * the network's parameters (2 %) and vocabulary; none where there is no such shape. */
enum status loss_setting_scale_for(const struct loss_setting *setting,
                                   const struct transformer *net, struct loss_scale *out,
                                   struct err *err);

/* "losses at 1T training tokens, recipe like the paper's, against WHOM" of a stored run; "" where it
 * compared none. */
void loss_run_text(const struct run_row *run, char *buffer, size_t size);

/* "like the paper's", or the recipe's name. */
const char *loss_recipe_name(const struct quality_law *law, int recipe);
/* Prints "loss at 1T tokens by 'lathe's law of loss', recipe like the paper's, against WHOM" to
 * standard error.
 *   params  of the budget; 0: of many networks, so that --tokens-per-param stays a multiple */
void loss_setting_say(const struct loss_setting *setting, int64_t params, const char *whom);

#endif
