#include "cli/figures.h"

#include <string.h>

#include "base/memory.h"
#include "cli/loss_setting.h"
#include "model/preset.h"
#include "plots/plot_breakdown.h"
#include "plots/plot_depth.h"
#include "plots/plot_front.h"
#include "plots/plot_phases.h"

enum status price_marks(const struct args *args, int first, const struct setting *setting,
                        const struct budget *budget, struct priced_list *list, struct err *err)
{
    enum status status = STATUS_OK;
    for (int i = first; i < args_n_operands(args) && status == STATUS_OK; i++)
        status = priced_add(list, args, args_operand(args, i), setting, "", err);
    if (args_n_operands(args) > first)
        return status;
    struct preset_list presets = {0};
    status = preset_list_open(&presets, err);
    for (size_t i = 0; i < presets.n && status == STATUS_OK; i++)
        if (list->n < MAX_FIGURE_MODELS && presets.items[i].params >= budget->min &&
            presets.items[i].params <= budget->max)
            status = priced_add(list, args, presets.items[i].name, setting, "", err);
    preset_list_release(&presets);
    return status;
}

/* What the run compared losses by, if it did. */
static enum status judge_with(struct store *store, const struct run_row *run,
                              struct priced_list *marks, struct err *err)
{
    struct loss_setting setting = {0};
    struct loss_scale *scale = memory_new(1, sizeof *scale);
    enum status status = scale != NULL ? loss_setting_of_run(store, run, &setting, err)
                                       : err_set(err, STATUS_NOMEM, "out of memory");
    if (status != STATUS_OK || setting.law == NULL || run->reference_shapes == NULL)
        goto out;
    if ((status = loss_scale_init(scale, setting.law, setting.recipe, (double)setting.tokens,
                                  SPACE_MAX_LAYERS, err)) ||
        (status = loss_scale_parse(scale, "the run's reference", run->reference_shapes, err)))
        goto out;
    for (size_t i = 0; i < marks->n; i++) {
        struct loss *loss = &marks->items[i].row.loss;
        if (marks->items[i].has_shape)
            loss_scale_describe(scale, &marks->items[i].shape, loss);
        loss->quality_outside = NULL; /* it ends with the scale */
    }
out:
    loss_scale_release(scale);
    loss_setting_release(&setting);
    memory_free(scale);
    return status;
}

static enum status judge(struct store *store, int64_t run_id, struct priced_list *marks,
                         struct err *err)
{
    struct rows rows = {0};
    enum status status = read_run(store, run_id, &rows, err);
    if (status == STATUS_OK)
        status = judge_with(store, rows.data, marks, err);
    rows_release(&rows);
    return status;
}

enum status figure_run(struct store *store, int64_t run_id, bool depth, struct priced_list *marks,
                       const struct plot_options *options, struct err *err)
{
    struct plot_mark *of_front = memory_new(marks->n, sizeof *of_front);
    struct plot_model *of_depth = memory_new(marks->n, sizeof *of_depth);
    enum status status = of_front != NULL && of_depth != NULL
                             ? STATUS_OK
                             : err_set(err, STATUS_NOMEM, "out of memory");
    if (status == STATUS_OK && !depth)
        status = judge(store, run_id, marks, err);
    for (size_t i = 0; i < marks->n && status == STATUS_OK; i++) {
        const struct priced *mark = &marks->items[i];
        of_front[i] = (struct plot_mark){.name = mark->name, .row = &mark->row};
        of_depth[i] = (struct plot_model){
            .name = mark->name, .x = (double)mark->n_layers_effective, .y = mark->price.decode_ns};
    }
    if (status == STATUS_OK)
        status = depth ? plot_depth(store, run_id, of_depth, marks->n, options, err)
                       : plot_front(store, run_id, of_front, marks->n, options, err);
    memory_free(of_front);
    memory_free(of_depth);
    return status;
}

static enum status check_bars(const struct priced_list *list, struct err *err)
{
    if (list->n > MAX_FIGURE_MODELS)
        return err_set(err, STATUS_USAGE, "%zu bars are too many for one figure: at most %d",
                       list->n, MAX_FIGURE_MODELS);
    return STATUS_OK;
}

enum status figure_phases(const struct priced_list *list, const struct plot_options *options,
                          struct err *err)
{
    struct plot_phases_row rows[MAX_FIGURE_MODELS];
    enum status status = check_bars(list, err);
    if (status != STATUS_OK)
        return status;
    for (size_t i = 0; i < list->n; i++) {
        const struct priced *item = &list->items[i];
        rows[i] = (struct plot_phases_row){.model = item->name,
                                           .load_ns = item->price.load_ns,
                                           .init_ns = item->price.init_ns,
                                           .prefill_ns = item->price.prefill_ns,
                                           .decode_ns = item->price.decode_ns};
    }
    return plot_phases(rows, list->n, options, err);
}

static const char *const parts_of_operators[] = {
    [SECTION_MIXER] = "attention weights", [SECTION_CACHE] = "KV cache",
    [SECTION_FFN] = "feed-forward",        [SECTION_HEAD] = "head",
    [SECTION_REST] = "the rest",           [N_OP_SECTIONS] = "fixed costs"};

enum { N_OPERATOR_PARTS = N_OP_SECTIONS + 1, MAX_BOUNDS = 12 };

/* What can bound an operator on any of the devices: level names, compute, fixed costs. */
struct bounds {
    const char *names[MAX_BOUNDS];
    size_t n;
};

static size_t bound_index(struct bounds *bounds, const char *name)
{
    size_t i = 0;
    while (i < bounds->n && strcmp(bounds->names[i], name) != 0)
        i++;
    if (i == bounds->n && bounds->n < MAX_BOUNDS)
        bounds->names[bounds->n++] = name;
    return i < MAX_BOUNDS ? i : MAX_BOUNDS - 1;
}

static void collect_bounds(const struct priced_list *list, struct bounds *bounds)
{
    for (size_t i = 0; i < list->n; i++)
        for (int level = 0; level < list->items[i].n_levels; level++)
            if (list->items[i].detail.level_ns[level] > 0)
                bound_index(bounds, list->items[i].level[level]);
    bound_index(bounds, "compute");
    bound_index(bounds, "fixed costs");
}

static void divide_by_bound(const struct priced *item, struct bounds *bounds, double *ns)
{
    const struct price_detail *detail = &item->detail;
    for (int level = 0; level < item->n_levels; level++)
        if (detail->level_ns[level] > 0)
            ns[bound_index(bounds, item->level[level])] +=
                detail->level_ns[level] - (level == detail->hidden_level ? detail->hidden_ns : 0);
    ns[bound_index(bounds, "compute")] += detail->compute_ns;
    ns[bound_index(bounds, "fixed costs")] += detail->fixed_ns;
}

static void divide_by_operator(const struct priced *item, double *ns)
{
    for (int role = 0; role < N_OP_ROLES; role++)
        ns[op_role_section((enum op_role)role)] += item->detail.role_ns[role];
    ns[N_OPERATOR_PARTS - 1] = item->detail.fixed_ns;
}

enum status figure_breakdown(const struct priced_list *list, const struct plot_options *options,
                             struct err *err)
{
    const char *models[MAX_FIGURE_MODELS];
    double bound_ns[MAX_FIGURE_MODELS * MAX_BOUNDS] = {0};
    double operator_ns[MAX_FIGURE_MODELS * N_OPERATOR_PARTS] = {0};
    struct bounds bounds = {.n = 0};
    enum status status = check_bars(list, err);
    if (status != STATUS_OK)
        return status;
    collect_bounds(list, &bounds);
    for (size_t i = 0; i < list->n; i++) {
        models[i] = list->items[i].name;
        divide_by_bound(&list->items[i], &bounds, &bound_ns[i * bounds.n]);
        divide_by_operator(&list->items[i], &operator_ns[i * N_OPERATOR_PARTS]);
    }
    const struct plot_division divisions[] = {
        {.title = "by what bounds it (a stream hidden under compute is taken off)",
         .parts = bounds.names,
         .n_parts = bounds.n,
         .ns = bound_ns},
        {.title = "by operator (before anything is hidden)",
         .parts = parts_of_operators,
         .n_parts = N_OPERATOR_PARTS,
         .ns = operator_ns},
    };
    return plot_breakdown(models, list->n, divisions, 2, options, err);
}
