#include "plots/plot_options.h"

#include "plots/page.h"

void plot_apply(struct page *page, const struct plot_options *options, const char *title,
                const char *subtitle, const char *footnote)
{
    page_texts(page, options->title ? options->title : title,
               options->subtitle ? options->subtitle : subtitle,
               options->footnote ? options->footnote : footnote);
}

enum status plot_finish(struct page *page, enum status status, const struct plot_options *options,
                        struct err *err)
{
    struct text script = {0};
    if (status == STATUS_OK && options->svg) {
        status = page_script(page, PLOT_SVG, &script, err);
        if (status == STATUS_OK)
            status = gnuplot_capture(script.data, options->svg, options->warnings, err);
    } else if (status == STATUS_OK) {
        status = page_draw(page, options->path, options->warnings, err);
    }
    text_release(&script);
    page_release(page);
    return status;
}
