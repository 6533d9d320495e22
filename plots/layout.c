#include "plots/layout.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

double layout_text_width(const char *text, double font_px, bool terminal)
{
    double width = 0;
    for (const char *c = text; *c; c++) {
        if (((unsigned char)*c & 0xC0) == 0x80)
            continue; /* the rest of a UTF-8 character */
        if (terminal)
            width += 1;
        else if (strchr("iljtf.,:;'|!()[]I ", *c))
            width += 0.35 * font_px;
        else if (strchr("mwMW@%", *c))
            width += 0.9 * font_px;
        else if (*c >= 'A' && *c <= 'Z')
            width += 0.73 * font_px;
        else
            width += 0.6 * font_px;
    }
    return width;
}

size_t layout_wrap(const char *text, double font_px, double width, bool terminal)
{
    size_t best = 0, length = strlen(text);
    char line[512];
    for (size_t i = 1; i <= length && i < sizeof line; i++) {
        if (text[i] != 0 && text[i] != ' ')
            continue;
        memcpy(line, text, i);
        line[i] = 0;
        if (best > 0 && layout_text_width(line, font_px, terminal) > width)
            return best;
        best = i;
    }
    return best > 0 ? best : length;
}

double scale_place(const struct scale *scale, double value)
{
    double at = scale->log ? log(value / scale->low) / log(scale->high / scale->low)
                           : (value - scale->low) / (scale->high - scale->low);
    return scale->start + at * (scale->end - scale->start);
}

static void add_tic(struct tics *tics, double at, int decimals)
{
    if (tics->n == LAYOUT_TICS)
        return;
    char *label = tics->label[tics->n];
    if (fabs(at) >= 1e7 || (at != 0 && fabs(at) < 1e-5))
        snprintf(label, sizeof tics->label[0], "%.3g", at);
    else
        snprintf(label, sizeof tics->label[0], "%.*f", decimals, at);
    tics->at[tics->n++] = at;
}

static void linear_tics(double low, double high, int want, struct tics *out)
{
    double raw = (high - low) / (want > 3 ? want : 3), power = pow(10, floor(log10(raw))),
           ratio = raw / power;
    double step = power * (ratio <= 1.0001 ? 1 : ratio <= 2.0001 ? 2 : ratio <= 5.0001 ? 5 : 10);
    int decimals = (int)fmax(0, -floor(log10(step) + 1e-9));
    double first = ceil(low / step - 1e-9);
    for (int i = 0; i < LAYOUT_TICS && (first + i) * step <= high + step * 1e-9; i++)
        add_tic(out, (first + i) * step, decimals);
}

static void log_tics(double low, double high, int want, struct tics *out)
{
    static const double steps[3][10] = {{1, 1.5, 2, 3, 4, 5, 7}, {1, 2, 5}, {1}};
    double decades = log10(high / low);
    int kind = decades * 3 <= want ? (decades * 7 <= want ? 0 : 1) : 2;
    int stride = kind < 2 ? 1 : (int)fmax(1, ceil(decades / want));
    for (int exponent = (int)floor(log10(low)); exponent <= (int)ceil(log10(high));
         exponent += stride) {
        for (int i = 0; i < 10 && steps[kind][i] > 0; i++) {
            double at = steps[kind][i] * pow(10, exponent);
            if (at < low * (1 - 1e-9) || at > high * (1 + 1e-9))
                continue;
            add_tic(out, at, (int)fmax(0, -exponent + (steps[kind][i] == 1.5)));
        }
    }
}

void layout_tics(const struct scale *scale, int want, struct tics *out)
{
    double low = fmin(scale->low, scale->high), high = fmax(scale->low, scale->high);
    assert(low < high && want >= 1);
    out->n = 0;
    if (scale->log && high / low > 2.5)
        log_tics(low, high, want, out);
    else
        linear_tics(low, high, want, out);
}

void layout_pad(double *low, double *high, bool log)
{
    if (!(*low <= *high)) {
        *low = log ? 1 : 0;
        *high = log ? 10 : 1;
        return;
    }
    if (log) {
        double ratio = *high / *low, air = ratio < 1.01 ? 1.2 : pow(ratio, 0.04);
        *low /= air;
        *high *= air;
        return;
    }
    bool from_zero = *low >= 0 && *low < 0.4 * *high;
    double air = 0.04 * (*high - (from_zero ? 0 : *low));
    if (air <= 0)
        air = *high != 0 ? 0.1 * fabs(*high) : 1;
    *low = from_zero ? 0 : *low - air;
    *high += air;
}

double box_overlap(const struct box *a, const struct box *b)
{
    double width = fmin(a->x1, b->x1) - fmax(a->x0, b->x0);
    double height = fmin(a->y1, b->y1) - fmax(a->y0, b->y0);
    return width > 0 && height > 0 ? width * height : 0;
}

static double cost_of(const struct box *box, const struct obstacle *obstacles, size_t n_obstacles)
{
    double cost = 0;
    for (size_t i = 0; i < n_obstacles; i++)
        cost += obstacles[i].weight * box_overlap(box, &obstacles[i].box);
    return cost;
}

static bool covers_a_name(const struct box *box, const struct place *places, size_t n,
                          double margin)
{
    struct box wide = {box->x0 - margin, box->x1 + margin, box->y0, box->y1};
    for (size_t i = 0; i < n; i++) {
        if (box_overlap(&wide, &places[i].box) > 0)
            return true;
    }
    return false;
}

/* The line from a name to its point, as a row of small boxes: does it run through this one? */
static bool leader_crosses(const struct place *from, const struct box *name, const struct box *box)
{
    double x = fmin(fmax(from->x, name->x0), name->x1), y = fmin(fmax(from->y, name->y0), name->y1);
    for (int i = 1; i < 16; i++) {
        double px = x + (from->x - x) * i / 16, py = y + (from->y - y) * i / 16;
        if (px > box->x0 && px < box->x1 && py > box->y0 && py < box->y1)
            return true;
    }
    return false;
}

/* How many names and lines to names this place would cross. */
static int count_crossings(const struct place *place, const struct box *box, bool leader,
                           const struct place *before, size_t n)
{
    int crossings = 0;
    for (size_t i = 0; i < n; i++) {
        crossings += leader && leader_crosses(place, box, &before[i].box);
        crossings += before[i].leader && leader_crosses(&before[i], &before[i].box, box);
    }
    return crossings;
}

static void place_one(const struct box *area, const struct obstacle *obstacles, size_t n_obstacles,
                      bool terminal, struct place *place, const struct place *before,
                      size_t n_before)
{
    /* In px; a character cell is taken for 8 x 16 of them when distances are compared. */
    double unit_x = terminal ? 1.0 / 8 : 1, unit_y = terminal ? 1.0 / 16 : 1;
    static const double turn[] = {0, 90, 270, 180, 45, 315, 135, 225, 20, 340, 160, 200};
    double best = DBL_MAX;
    place->crowded = true;
    for (int ring = 0; ring < 14; ring++) {
        double gap = ring < 4 ? 3 + 5 * ring : 8.0 * ring * (1 + ring / 12.0);
        double near = gap * 0.3 + (ring >= 3 ? 8 : 0);
        if (!place->crowded && near > best)
            break;
        for (size_t t = 0; t < sizeof turn / sizeof *turn; t++) {
            double angle = turn[t] * (3.14159265358979 / 180);
            double reach_x = place->reach + gap * unit_x, reach_y = place->reach + gap * unit_y;
            if (terminal && ring == 0)
                reach_x = reach_y = 1;
            double x = place->x + cos(angle) * (reach_x + place->width / 2);
            double y = place->y + sin(angle) * (reach_y + place->height / 2);
            struct box box = {x - place->width / 2, x + place->width / 2, y - place->height / 2,
                              y + place->height / 2};
            if (box.x0 < area->x0 || box.x1 > area->x1 || box.y0 < area->y0 || box.y1 > area->y1)
                continue;
            bool crowded = covers_a_name(&box, before, n_before, terminal ? 0.9 : 3);
            if (crowded && !place->crowded)
                continue;
            double cost = near + 0.02 * (double)t + cost_of(&box, obstacles, n_obstacles) +
                          60 * count_crossings(place, &box, ring >= 3, before, n_before);
            if (cost < best || (place->crowded && !crowded)) {
                best = cost;
                place->box = box;
                place->crowded = crowded;
                place->leader = ring >= 3;
            }
        }
    }
    if (best < DBL_MAX)
        return;
    double x = fmin(fmax(place->x, area->x0 + place->width / 2), area->x1 - place->width / 2);
    double y = fmin(fmax(place->y, area->y0 + place->height / 2), area->y1 - place->height / 2);
    place->box = (struct box){x - place->width / 2, x + place->width / 2, y - place->height / 2,
                              y + place->height / 2};
    place->leader = false;
}

void layout_places(const struct box *area, const struct obstacle *obstacles, size_t n_obstacles,
                   bool terminal, struct place *places, size_t n_places)
{
    for (size_t i = 0; i < n_places; i++)
        place_one(area, obstacles, n_obstacles, terminal, &places[i], places, i);
}

void layout_spread(double *y, size_t n, double height, double low, double high)
{
    enum { MOST = 64 };
    assert(n <= MOST);
    size_t order[MOST];
    for (size_t i = 0; i < n; i++) {
        size_t j = i;
        for (; j > 0 && y[order[j - 1]] > y[i]; j--)
            order[j] = order[j - 1];
        order[j] = i;
    }
    /* Neighbours that touch become a group around the mean of what its members want. */
    double want[MOST];
    size_t size[MOST], n_groups = 0;
    for (size_t i = 0; i < n; i++) {
        want[n_groups] = y[order[i]];
        size[n_groups++] = 1;
        while (n_groups > 0) {
            double half = (double)size[n_groups - 1] * height / 2;
            double *centre = &want[n_groups - 1];
            *centre = fmax(fmin(*centre, high - half), low + half);
            if (n_groups == 1)
                break;
            double other = (double)size[n_groups - 2] * height / 2;
            if (*centre - half >= want[n_groups - 2] + other - 1e-9)
                break;
            double a = (double)size[n_groups - 2], b = (double)size[n_groups - 1];
            want[n_groups - 2] = (want[n_groups - 2] * a + *centre * b) / (a + b);
            size[n_groups - 2] += size[n_groups - 1];
            n_groups--;
        }
    }
    size_t at = 0;
    for (size_t g = 0; g < n_groups; g++) {
        double bottom = want[g] - (double)size[g] * height / 2;
        for (size_t i = 0; i < size[g]; i++)
            y[order[at++]] = bottom + ((double)i + 0.5) * height;
    }
}
