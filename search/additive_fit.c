#include "search/additive_fit.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/memory.h"

enum { HELD_OUT_EVERY = 5, MOST_STEPS = 200 };

/* Terms are the choices, then the choices of each place. */
struct rows {
    const int *choice;
    const double *y;
    size_t n;
    int n_places, n_choices;
    double mean;  /* of y */
    bool is_part; /* without those held out */
};

static size_t n_terms(const struct rows *rows)
{
    return (size_t)rows->n_choices * (size_t)(rows->n_places + 1);
}

static bool is_left_out(const struct rows *rows, size_t row)
{
    return rows->is_part && row % HELD_OUT_EVERY == HELD_OUT_EVERY - 1;
}

static double value_of(const struct rows *rows, size_t row, const double *term)
{
    const int *choice = rows->choice + row * (size_t)rows->n_places;
    double sum = 0;
    for (int i = 0; i < rows->n_places; i++)
        sum += term[choice[i]] + term[(i + 1) * rows->n_choices + choice[i]];
    return sum;
}

static void add_to_terms(const struct rows *rows, size_t row, double amount, double *term)
{
    const int *choice = rows->choice + row * (size_t)rows->n_places;
    for (int i = 0; i < rows->n_places; i++) {
        term[choice[i]] += amount;
        term[(i + 1) * rows->n_choices + choice[i]] += amount;
    }
}

/* (X'X + ridge) of a direction. */
static void apply(const struct rows *rows, double ridge, const double *direction, double *out)
{
    for (size_t j = 0; j < n_terms(rows); j++)
        out[j] = ridge * direction[j];
    for (size_t row = 0; row < rows->n; row++)
        if (!is_left_out(rows, row))
            add_to_terms(rows, row, value_of(rows, row, direction), out);
}

static double product(const double *a, const double *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

/* Hestenes and Stiefel (1952), from 0. room: [3][n_terms]. */
static void solve(const struct rows *rows, double ridge, double *term, double *room)
{
    size_t n = n_terms(rows);
    double *residual = room, *direction = room + n, *applied = room + 2 * n;
    memset(term, 0, n * sizeof *term);
    memset(residual, 0, n * sizeof *residual);
    for (size_t row = 0; row < rows->n; row++)
        if (!is_left_out(rows, row))
            add_to_terms(rows, row, rows->y[row] - rows->mean, residual);
    memcpy(direction, residual, n * sizeof *direction);
    double square = product(residual, residual, n), enough = 1e-20 * square;
    for (int step = 0; step < MOST_STEPS && square > enough; step++) {
        apply(rows, ridge, direction, applied);
        double length = square / product(direction, applied, n), before = square;
        for (size_t j = 0; j < n; j++) {
            term[j] += length * direction[j];
            residual[j] -= length * applied[j];
        }
        square = product(residual, residual, n);
        for (size_t j = 0; j < n; j++)
            direction[j] = residual[j] + square / before * direction[j];
    }
}

/* Sum of squares of what the terms do not say of the rows left out. */
static double held_out_error(const struct rows *rows, const double *term)
{
    double sum = 0;
    for (size_t row = HELD_OUT_EVERY - 1; row < rows->n; row += HELD_OUT_EVERY) {
        double miss = rows->y[row] - rows->mean - value_of(rows, row, term);
        sum += miss * miss;
    }
    return sum;
}

static double choose_ridge(struct rows *rows, double *term, double *room, double *explained_frac)
{
    static const double ridges[] = {1e-6, 1e-2, 0.1, 1, 10, 100};
    double best = INFINITY, ridge = 1, spread = 0;
    *explained_frac = NAN;
    if (rows->n < 2 * HELD_OUT_EVERY)
        return ridge;
    rows->is_part = true;
    for (size_t i = 0; i < sizeof ridges / sizeof *ridges; i++) {
        solve(rows, ridges[i], term, room);
        double error = held_out_error(rows, term);
        if (error < best) {
            best = error;
            ridge = ridges[i];
        }
    }
    rows->is_part = false;
    memset(term, 0, n_terms(rows) * sizeof *term);
    spread = held_out_error(rows, term);
    *explained_frac = spread > 0 ? 1 - best / spread : NAN;
    return ridge;
}

enum status additive_fit_make(const int *choice, const double *y, size_t n, int n_places,
                              int n_choices, struct additive_fit *out, struct err *err)
{
    struct rows rows = {choice, y, n, n_places, n_choices, 0, false};
    size_t width = n_terms(&rows);
    double *room = memory_new(4 * width, sizeof *room), *term = room ? room + 3 * width : NULL;
    *out = (struct additive_fit){
        .n_places = n_places,
        .n_choices = n_choices,
        .effect = memory_new(width - (size_t)n_choices, sizeof *out->effect),
    };
    if (!room || !out->effect) {
        memory_free(room);
        additive_fit_release(out);
        return err_set(err, STATUS_NOMEM, "out of memory for %zu terms", width);
    }
    for (size_t row = 0; row < n; row++)
        rows.mean += y[row] / (double)n;
    double ridge = choose_ridge(&rows, term, room, &out->explained_frac);
    solve(&rows, ridge, term, room);
    out->mean = rows.mean;
    for (int i = 0; i < n_places; i++)
        for (int c = 0; c < n_choices; c++)
            out->effect[i * n_choices + c] = term[c] + term[(i + 1) * n_choices + c];
    memory_free(room);
    return STATUS_OK;
}

double additive_fit_value(const struct additive_fit *fit, const int *choice)
{
    double sum = fit->mean;
    for (int i = 0; i < fit->n_places; i++)
        sum += fit->effect[i * fit->n_choices + choice[i]];
    return sum;
}

void additive_fit_release(struct additive_fit *fit)
{
    memory_free(fit->effect);
    *fit = (struct additive_fit){0};
}
