#include "model/hf_family.h"

#include <string.h>

#include "model/hf_rows.h"

static const struct hf_family *const tables[] = {hf_rows_first, hf_rows_dense, hf_rows_experts};
enum { N_TABLES = sizeof tables / sizeof *tables };

const struct hf_family *hf_family_row(int i)
{
    for (int t = 0; t < N_TABLES; t++)
        for (const struct hf_family *row = tables[t]; row->model_type != NULL; row++)
            if (i-- == 0)
                return row;
    return NULL;
}

const struct hf_family *hf_family_find(const char *model_type)
{
    const struct hf_family *row;
    for (int i = 0; (row = hf_family_row(i)) != NULL; i++)
        if (strcmp(row->model_type, model_type) == 0)
            return row;
    return NULL;
}

void hf_family_names(struct text *out)
{
    const struct hf_family *row;
    for (int i = 0; (row = hf_family_row(i)) != NULL; i++)
        text_addf(out, "%s%s", i > 0 ? ", " : "", row->model_type);
}

const char *hf_family_nearest(const char *model_type)
{
    enum { MOST = 128 };
    const char *names[MOST];
    const struct hf_family *row;
    size_t n = 0;
    while (n < MOST && (row = hf_family_row((int)n)) != NULL)
        names[n++] = row->model_type;
    return text_nearest(model_type, names, n);
}
