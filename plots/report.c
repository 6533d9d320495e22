#include "plots/report.h"

#include <stdbool.h>
#include <string.h>

#include "base/file.h"

static const char style[] =
    "body{font:15px/1.5 Helvetica,Arial,sans-serif;color:#222;background:#fff;max-width:60rem;"
    "margin:2rem auto;padding:0 1rem}"
    "h1{font-size:1.6rem;margin-bottom:.3rem}h2{font-size:1.2rem;margin-top:2.2rem}"
    "figure{margin:1.5rem 0}figure svg{width:100%;height:auto}"
    "figcaption,caption{color:#666;font-size:.9rem;text-align:left;padding:.3rem 0}"
    ".wide{overflow-x:auto}table{border-collapse:collapse;font-size:.9rem;margin:1rem 0}"
    "th,td{padding:.25rem .7rem;border-bottom:1px solid #e3e3e3;text-align:left}"
    "th{border-bottom:1px solid #8a8a8a}"
    ".n{text-align:right;font-variant-numeric:tabular-nums}";

static void add_escaped(struct text *html, const char *text)
{
    for (const char *c = text ? text : ""; *c; c++) {
        if (*c == '&')
            text_add(html, "&amp;");
        else if (*c == '<')
            text_add(html, "&lt;");
        else if (*c == '>')
            text_add(html, "&gt;");
        else if (*c == '"')
            text_add(html, "&quot;");
        else
            text_add(html, (const char[]){*c, 0});
    }
}

static void add_element(struct text *html, const char *tag, const char *text)
{
    text_addf(html, "<%s>", tag);
    add_escaped(html, text);
    text_addf(html, "</%s>\n", tag);
}

void report_start(struct report *report, const char *title, const char *summary)
{
    *report = (struct report){0};
    struct text *html = &report->html;
    text_add(html, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                   "<meta name=\"viewport\" content=\"width=device-width\">\n");
    add_element(html, "title", title);
    add_element(html, "style", style);
    text_add(html, "</head>\n<body>\n");
    add_element(html, "h1", title);
    if (summary)
        add_element(html, "p", summary);
}

void report_release(struct report *report)
{
    text_release(&report->html);
    *report = (struct report){0};
}

void report_heading(struct report *report, const char *heading)
{
    add_element(&report->html, "h2", heading);
}

static bool is_numeric(const char *const *cells, size_t n_rows, size_t n_columns, size_t column)
{
    for (size_t i = 0; i < n_rows; i++) {
        const char *cell = cells[i * n_columns + column];
        if (cell && *cell && strcmp(cell, "-") != 0 &&
            !strchr("0123456789", cell[strspn(cell, "+-.")]))
            return false;
    }
    return n_rows > 0;
}

void report_table(struct report *report, const char *caption, const char *const *headers,
                  size_t n_columns, const char *const *cells, size_t n_rows)
{
    struct text *html = &report->html;
    text_addf(html, "<div class=\"wide\"><table id=\"table-%d\">\n", ++report->n_tables);
    if (caption)
        add_element(html, "caption", caption);
    text_add(html, "<thead><tr>");
    for (size_t j = 0; j < n_columns; j++) {
        bool numeric = is_numeric(cells, n_rows, n_columns, j);
        text_add(html, numeric ? "<th class=\"n\">" : "<th>");
        add_escaped(html, headers[j]);
        text_add(html, "</th>");
    }
    text_add(html, "</tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < n_rows; i++) {
        text_add(html, "<tr>");
        for (size_t j = 0; j < n_columns; j++) {
            bool numeric = is_numeric(cells, n_rows, n_columns, j);
            text_add(html, numeric ? "<td class=\"n\">" : "<td>");
            add_escaped(html, cells[i * n_columns + j]);
            text_add(html, "</td>");
        }
        text_add(html, "</tr>\n");
    }
    text_add(html, "</tbody></table></div>\n");
}

/* Every figure of gnuplot calls its marks by the same identifiers: a prefix keeps them apart. */
static void add_svg(struct text *html, const char *svg, int number)
{
    static const char *const before[] = {" id=\"", " id='", "href='#", "href=\"#", "url(#"};
    const char *start = strstr(svg, "<svg");
    bool in_tag = false;
    for (const char *c = start ? start : svg; *c; c++) {
        text_add(html, (const char[]){*c, 0});
        in_tag = *c == '<' || (in_tag && *c != '>');
        for (size_t i = 0; in_tag && i < sizeof before / sizeof *before; i++) {
            size_t length = strlen(before[i]);
            if ((size_t)(c + 1 - svg) >= length && memcmp(c + 1 - length, before[i], length) == 0)
                text_addf(html, "f%d-", number);
        }
    }
}

void report_figure(struct report *report, const char *svg, const char *caption)
{
    struct text *html = &report->html;
    int number = ++report->n_figures;
    text_addf(html, "<figure id=\"figure-%d\">\n", number);
    add_svg(html, svg, number);
    if (caption)
        add_element(html, "figcaption", caption);
    text_add(html, "</figure>\n");
}

enum status report_write(struct report *report, const char *path, struct err *err)
{
    text_add(&report->html, "</body>\n</html>\n");
    if (report->html.failed)
        return err_set(err, STATUS_NOMEM, "out of memory");
    return file_write(path, report->html.data, err);
}
