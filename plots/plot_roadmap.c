#include "plots/plot_roadmap.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "plots/figure.h"

enum { MOST_PANELS = 4 };

/* "125M, deep and thin": the size, and the step. */
static const char *step_of(const struct quality_comparison *c)
{
    const char *comma = strchr(c->name, ',');
    const char *step = comma != NULL ? comma + 1 + strspn(comma + 1, " ") : c->name;
    return c->waterfall == QUALITY_WATERFALL ? "shared layers" : step;
}

static bool is_step(const struct quality_comparison *c)
{
    return c->waterfall > 0 && isfinite(c->difference.points) && isfinite(c->printed_points) &&
           isfinite(c->points_low) && isfinite(c->points_high);
}

static bool starts_panel(const struct quality_comparison *c)
{
    return is_step(c) && c->waterfall == 1;
}

struct waterfall {
    struct figure *figure;
    struct series *predicted, *printed, *interval;
    double predicted_at, printed_at; /* where the steps so far have led */
    double top;                      /* of all that is drawn */
    int n;
};

static void start_waterfall(struct waterfall *w, struct figure *figure, const char *name, bool last)
{
    char label[96];
    snprintf(label, sizeof label, "%.*s: points of accuracy above the baseline",
             (int)strcspn(name, ","), name);
    *w = (struct waterfall){.figure = figure};
    figure_axis(figure, &figure->y, label, false);
    figure_axis(figure, &figure->x, NULL, false);
    figure->x.hide_labels = !last;
    w->predicted = figure_series(figure, SERIES_BOXES, "the law's prediction", COLOUR_BLUE);
    w->printed =
        figure_series(figure, SERIES_BOXES, "printed in the paper's Table 10", COLOUR_ORANGE);
    w->interval = figure_series(figure, SERIES_ERRORS, "90 % interval of the step", COLOUR_BLACK);
}

static void add_step(struct waterfall *w, const struct quality_comparison *c)
{
    double x = w->n++, points = c->difference.points;
    double from = w->predicted_at, to = from + points;
    char text[32];
    figure_category(w->figure, &w->figure->x, step_of(c));
    series_add_box(w->predicted, x - 0.38, x - 0.02, fmin(from, to), fmax(from, to));
    series_add_range(w->interval, x - 0.2, to, from + c->points_low, from + c->points_high);
    snprintf(text, sizeof text, "%+.2f", points);
    figure_note(w->figure, x - 0.2, from + c->points_high, text, COLOUR_BLUE);
    w->predicted_at = to;
    from = w->printed_at;
    to = from + c->printed_points;
    series_add_box(w->printed, x + 0.02, x + 0.38, fmin(from, to), fmax(from, to));
    snprintf(text, sizeof text, "%+.2f", c->printed_points);
    figure_note(w->figure, x + 0.2, fmax(from, to), text, COLOUR_ORANGE);
    w->printed_at = to;
    w->top = fmax(fmax(w->top, w->predicted_at - points + c->points_high),
                  fmax(w->predicted_at, w->printed_at));
}

/* All steps at once, and room for the names above. */
static void end_waterfall(struct waterfall *w)
{
    char text[32];
    double x = w->n;
    assert(w->figure != NULL);
    figure_category(w->figure, &w->figure->x, "together");
    series_add_box(w->predicted, x - 0.38, x - 0.02, fmin(0, w->predicted_at),
                   fmax(0, w->predicted_at));
    series_add_box(w->printed, x + 0.02, x + 0.38, fmin(0, w->printed_at), fmax(0, w->printed_at));
    snprintf(text, sizeof text, "%+.2f", w->predicted_at);
    figure_note(w->figure, x - 0.2, fmax(0, w->predicted_at), text, COLOUR_BLUE);
    snprintf(text, sizeof text, "%+.2f", w->printed_at);
    figure_note(w->figure, x + 0.2, fmax(0, w->printed_at), text, COLOUR_ORANGE);
    w->figure->y.max = w->top > 0 ? 1.15 * w->top : (double)NAN;
}

enum status plot_roadmap(const struct quality_comparison *comparisons, int n,
                         const struct plot_options *options, struct err *err)
{
    int n_panels = 0, panel = -1, inside = 0, n_steps = 0;
    double predicted = 0, printed = 0;
    struct waterfall waterfall = {0};
    struct text title = {0}, subtitle = {0};
    struct page page = {0};
    for (int i = 0; i < n; i++)
        n_panels += starts_panel(&comparisons[i]) ? 1 : 0;
    if (n_panels < 1 || n_panels > MOST_PANELS)
        return err_set(err, STATUS_RANGE, "cannot draw %d roadmaps: expected 1 to %d", n_panels,
                       MOST_PANELS);
    enum status status = page_init(&page, n_panels, 1, err);
    if (status == STATUS_OK) {
        page.height = 160 + 220 * n_panels;
        page.rows = 8 + 14 * n_panels;
        for (int i = 0; i < n; i++) {
            const struct quality_comparison *c = &comparisons[i];
            if (starts_panel(c)) {
                if (panel++ >= 0)
                    end_waterfall(&waterfall);
                start_waterfall(&waterfall, &page.panels[panel], c->name, panel == n_panels - 1);
            }
            if (panel < 0 || !is_step(c))
                continue;
            add_step(&waterfall, c);
            predicted += c->difference.points / n_panels;
            printed += c->printed_points / n_panels;
            inside += c->inside ? 1 : 0;
            n_steps++;
        }
        end_waterfall(&waterfall);
        text_addf(&title, "The paper's gains: %.1f points predicted, %.1f printed", predicted,
                  printed);
        text_addf(&subtitle,
                  "MobileLLM's Table 10 from its baseline to MobileLLM-LS at 1 T tokens, each step "
                  "from where the one before it has led. %d of %d printed steps lie in their "
                  "intervals.",
                  inside, n_steps);
        plot_apply(&page, options, title.data, subtitle.data,
                   "Points are the mean of eight zero-shot tasks; predicted: -22 points a nat. The "
                   "term for SwiGLU is itself from these two steps. Most of an interval is the two "
                   "evaluations' own error. 'together' is the sum of the steps.");
        page.failed = page.failed || title.failed || subtitle.failed;
    }
    text_release(&title);
    text_release(&subtitle);
    return plot_finish(&page, status, options, err);
}
