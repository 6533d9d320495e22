#include "base/ranges.h"

#include <assert.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"

void ranges_release(struct ranges *ranges)
{
    memory_free(ranges->range);
    *ranges = (struct ranges){0};
}

/* The first range that ends at or after `number`. */
static size_t place_of(const struct ranges *ranges, int64_t number)
{
    size_t low = 0, high = ranges->n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (ranges->range[middle].end < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

enum status ranges_add(struct ranges *ranges, int64_t first, int64_t end, struct err *err)
{
    assert(first < end);
    void *array = ranges->range;
    enum status status =
        memory_grow(&array, &ranges->capacity, ranges->n + 1, sizeof *ranges->range, err);
    ranges->range = array;
    if (status != STATUS_OK)
        return status;
    size_t at = place_of(ranges, first), behind = at;
    struct range whole = {first, end};
    for (; behind < ranges->n && ranges->range[behind].first <= end; behind++) {
        const struct range *other = &ranges->range[behind];
        whole.first = other->first < whole.first ? other->first : whole.first;
        whole.end = other->end > whole.end ? other->end : whole.end;
    }
    memmove(&ranges->range[at + 1], &ranges->range[behind],
            (ranges->n - behind) * sizeof *ranges->range);
    ranges->range[at] = whole;
    ranges->n = at + 1 + (ranges->n - behind);
    return STATUS_OK;
}

const struct range *ranges_meet(const struct ranges *ranges, int64_t first, int64_t end)
{
    size_t at = place_of(ranges, first + 1);
    return at < ranges->n && ranges->range[at].first < end ? &ranges->range[at] : NULL;
}

bool ranges_first_gap(const struct ranges *ranges, int64_t total, struct range *gap)
{
    const struct range *range = ranges->range;
    size_t next = ranges->n > 0 && range[0].first <= 0 ? 1 : 0;
    gap->first = next > 0 ? range[0].end : 0;
    gap->end = next < ranges->n && range[next].first < total ? range[next].first : total;
    return gap->first < total;
}

char *ranges_print(const struct ranges *ranges)
{
    struct text text = {0};
    text_add(&text, "[");
    for (size_t i = 0; i < ranges->n; i++)
        text_addf(&text, "%s[%lld,%lld]", i > 0 ? "," : "", (long long)ranges->range[i].first,
                  (long long)ranges->range[i].end);
    text_add(&text, "]");
    char *copy = text.failed ? NULL : memory_strdup(text.data);
    text_release(&text);
    return copy;
}

static enum status parse_range(struct ranges *ranges, const struct json *pair, struct err *err)
{
    int64_t first, end;
    struct json first_at = json_element(pair, 0), end_at = json_element(pair, 1);
    enum status status;
    if ((status = json_int(&first_at, 0, INT64_MAX - 1, &first, err)) ||
        (status = json_int(&end_at, first + 1, INT64_MAX, &end, err)))
        return status;
    return ranges_add(ranges, first, end, err);
}

enum status ranges_parse(struct ranges *ranges, const char *name, const char *text, struct err *err)
{
    struct json_doc *doc = NULL;
    struct json root;
    enum status status = json_parse(name, text, (int64_t)strlen(text), &doc, &root, err);
    if (status == STATUS_OK && !json_is_array(&root))
        status = json_error(&root, err, "expected a list of ranges");
    if (status == STATUS_OK)
        for (struct json pair = json_first(&root); pair.item != NULL && status == STATUS_OK;
             pair = json_next(&pair))
            status = json_length(&pair) == 2
                         ? parse_range(ranges, &pair, err)
                         : json_error(&pair, err, "expected the first and the end of a range");
    json_close(doc);
    return status;
}
