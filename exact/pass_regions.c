#include "exact/pass_regions.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "costmodel/found.h"
#include "costmodel/totals.h"

#define UNKNOWN_FJ (INT64_C(1) << 52) /* above any known one; sums of some stay in range */

int64_t exact_ps(double ns)
{
    return llround(ns * 1000);
}

int64_t exact_fj(double pj)
{
    return isnan(pj) ? UNKNOWN_FJ : llround(pj * 1000);
}

/* Ascending ends of ranges, the last that of all. */
struct ends {
    size_t n, capacity;
    int64_t *end;
};

static enum status add_end(struct ends *ends, struct byte_range all, int64_t end, struct err *err)
{
    size_t at = ends->n;
    if (end < all.low || end > all.high)
        return STATUS_OK;
    while (at > 0 && ends->end[at - 1] > end)
        at--;
    if (at > 0 && ends->end[at - 1] == end)
        return STATUS_OK;
    enum status status =
        memory_grow((void **)&ends->end, &ends->capacity, ends->n + 1, sizeof *ends->end, err);
    if (status)
        return status;
    memmove(ends->end + at + 1, ends->end + at, (ends->n - at) * sizeof *ends->end);
    ends->end[at] = end;
    ends->n++;
    return STATUS_OK;
}

/* By which distances differ from the bytes of the pass (or of the whole). */
static enum status add_ends(const struct stack_costs *costs, enum phase phase, bool of_pass,
                            struct byte_range all, struct ends *ends, struct err *err)
{
    int64_t edges[MAX_FOUND_EDGES];
    int n = found_edges(costs->machine, edges);
    enum status status = add_end(ends, all, all.high, err);
    for (int i = 0; i < n && !status; i++) {
        int64_t more = of_pass ? costs->table_bytes : costs->edge_bytes[phase];
        if (!(status = add_end(ends, all, edges[i], err)))
            status = add_end(ends, all, edges[i] - more, err);
        for (int c = 0; c < costs->n_classes && !status && of_pass; c++)
            status =
                add_end(ends, all,
                        edges[i] + (costs->counts[c].runs - 1) * costs->counts[c].kv[phase], err);
    }
    return status;
}

struct cost {
    int64_t ps, fj;
};

/* Of a block; class -1: of the edges. */
static struct cost cost_at(const struct stack_costs *costs, enum phase phase, int class,
                           bool is_first, int64_t pass_bytes, int64_t whole_bytes)
{
    struct pass pass;
    struct stack_place place = {
        .is_first = is_first, .pass_bytes = pass_bytes, .whole_bytes = whole_bytes};
    if (class < 0)
        stack_edge_pass(costs, phase, pass_bytes, &pass);
    else
        stack_block_pass(costs, phase, class, &place, &pass);
    return (struct cost){exact_ps(pass.ns), exact_fj(pass_energy_pj(costs->machine, &pass))};
}

/* -1: something costs less at b than at a; 0: the same; 1: nothing costs less. */
static int compare(const struct stack_costs *costs, enum phase phase, int64_t pass_a,
                   int64_t whole_a, int64_t pass_b, int64_t whole_b)
{
    int result = 0;
    for (int class = -1; class < costs->n_classes; class ++) {
        for (int is_first = 0; is_first < 2; is_first++) {
            struct cost a = cost_at(costs, phase, class, is_first, pass_a, whole_a);
            struct cost b = cost_at(costs, phase, class, is_first, pass_b, whole_b);
            if (b.ps < a.ps || b.fj < a.fj)
                return -1;
            if (b.ps > a.ps || b.fj > a.fj)
                result = 1;
        }
    }
    return result;
}

static enum status make_grid(const struct ends *pass, const struct ends *whole,
                             struct byte_range all_pass, struct byte_range all_whole,
                             struct pass_regions *out, struct err *err)
{
    out->n = 0;
    out->region = memory_new(pass->n * whole->n, sizeof *out->region);
    if (!out->region)
        return err_set(err, STATUS_NOMEM, "out of memory for %zu ranges", pass->n * whole->n);
    for (size_t w = 0; w < whole->n; w++) {
        for (size_t p = 0; p < pass->n; p++) {
            struct pass_region *region = &out->region[out->n++];
            region->pass.low = p == 0 ? all_pass.low : pass->end[p - 1] + 1;
            region->pass.high = pass->end[p];
            region->whole.low = w == 0 ? all_whole.low : whole->end[w - 1] + 1;
            region->whole.high = whole->end[w];
        }
    }
    return STATUS_OK;
}

/* Whether costs never fall, from each region's start to its end and to the next. */
static bool find_constant(const struct stack_costs *costs, enum phase phase, size_t n_pass,
                          struct pass_regions *regions)
{
    for (int i = 0; i < regions->n; i++) {
        struct pass_region *a = &regions->region[i];
        int inside = compare(costs, phase, a->pass.low, a->whole.low, a->pass.high, a->whole.high);
        a->is_constant = inside == 0;
        if (inside < 0)
            return false;
        const struct pass_region *next[2] = {
            (size_t)(i + 1) % n_pass != 0 ? a + 1 : NULL,
            i + (int)n_pass < regions->n ? a + n_pass : NULL,
        };
        for (int k = 0; k < 2; k++)
            if (next[k] && compare(costs, phase, a->pass.high, a->whole.high, next[k]->pass.high,
                                   next[k]->whole.high) < 0)
                return false;
    }
    return true;
}

static bool can_join(const struct stack_costs *costs, enum phase phase, const struct pass_region *a,
                     const struct pass_region *b)
{
    if (a->whole.high != b->whole.high || a->is_constant != b->is_constant)
        return false;
    return !a->is_constant ||
           compare(costs, phase, a->pass.high, a->whole.high, b->pass.high, b->whole.high) == 0;
}

/* Neighbours along the pass become one where they cost the same, or change both. */
static void join(const struct stack_costs *costs, enum phase phase, struct pass_regions *regions)
{
    int n = 0;
    for (int i = 0; i < regions->n; i++) {
        struct pass_region *last = n > 0 ? &regions->region[n - 1] : NULL;
        const struct pass_region *region = &regions->region[i];
        if (last && can_join(costs, phase, last, region))
            last->pass.high = region->pass.high;
        else
            regions->region[n++] = *region;
    }
    regions->n = n;
}

/* The pass is edges, whole and all caches but one: regions that no stack can be in go. */
static void drop_impossible(const struct stack_costs *costs, enum phase phase,
                            struct byte_range more_kv, struct pass_regions *regions)
{
    int64_t edges = costs->edge_bytes[phase];
    int n = 0;
    for (int i = 0; i < regions->n; i++) {
        const struct pass_region *region = &regions->region[i];
        if (region->pass.high >= edges + region->whole.low + more_kv.low &&
            region->pass.low <= edges + region->whole.high + more_kv.high)
            regions->region[n++] = *region;
    }
    regions->n = n;
}

enum status pass_regions_find(const struct stack_costs *costs, enum phase phase,
                              struct byte_range pass, struct byte_range whole,
                              struct byte_range more_kv, struct pass_regions *out, struct err *err)
{
    enum sharing sharing = costs->net.schedule.sharing;
    struct ends passes = {0}, wholes = {0};
    enum status status = STATUS_OK;
    *out = (struct pass_regions){0};
    if (sharing == SHARING_REVERSE) { /* distances from the turn differ from place to place */
        out->region = memory_new(1, sizeof *out->region);
        if (!out->region)
            return err_set(err, STATUS_NOMEM, "out of memory for a range");
        out->region[out->n++] = (struct pass_region){pass, whole, false};
        return STATUS_OK;
    }
    status = add_ends(costs, phase, true, pass, &passes, err);
    if (!status && sharing == SHARING_REPEAT_ALL)
        status = add_ends(costs, phase, false, whole, &wholes, err);
    else if (!status)
        status = add_end(&wholes, whole, whole.high, err);
    if (!status)
        status = make_grid(&passes, &wholes, pass, whole, out, err);
    if (!status && !find_constant(costs, phase, passes.n, out))
        for (int i = 0; i < out->n; i++)
            out->region[i].is_constant = false;
    if (!status) {
        join(costs, phase, out);
        drop_impossible(costs, phase, more_kv, out);
    }
    memory_free(passes.end);
    memory_free(wholes.end);
    return status;
}

void pass_regions_release(struct pass_regions *regions)
{
    memory_free(regions->region);
    *regions = (struct pass_regions){0};
}
