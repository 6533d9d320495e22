/* A listing as JSON: a row is an object, a field is a key. */
#include <math.h>
#include <stdio.h>

#include "base/memory.h"
#include "cli/listing.h"

void field_json(const struct field *field, const void *record, struct json_node *object)
{
    const char *text = field->type == FIELD_TEXT ? field_text(field, record) : NULL;
    const int64_t whole = field->type == FIELD_INT ? field_int(field, record) : UNKNOWN_INT;
    if (text != NULL)
        json_add_string(object, field->name, text);
    else if (field->type == FIELD_REAL)
        json_add_number(object, field->name, field_real(field, record));
    else if (whole == UNKNOWN_INT)
        json_add_null(object, field->name);
    else if (field->unit == UNIT_BOOL)
        json_add_bool(object, field->name, whole > 0);
    else
        json_add_int(object, field->name, whole);
}

void listing_row_json(const struct listing *listing, size_t row, struct json_node *object)
{
    for (size_t c = 0; c < listing->n_columns && !listing->failed; c++) {
        const struct listing_column *column = &listing->columns[c];
        const struct listing_cell *cell = &listing->cells[row * listing->n_columns + c];
        if (column->key == NULL)
            continue;
        if (cell->text != NULL)
            json_add_string(object, column->key, cell->text);
        else if (isnan(cell->number))
            json_add_null(object, column->key);
        else if (column->kind == LISTING_BOOL)
            json_add_bool(object, column->key, cell->number > 0);
        else if (cell->is_whole)
            json_add_int(object, column->key, cell->whole);
        else
            json_add_number(object, column->key, cell->number);
    }
}

void listing_rows_json(const struct listing *listing, struct json_node *array)
{
    for (size_t row = 0; row < listing_rows(listing); row++)
        listing_row_json(listing, row, json_add_object(array, NULL));
}

enum status listing_print_object(const struct listing *listing, size_t row, FILE *stream,
                                 struct err *err)
{
    struct json_node *root = json_new_object();
    listing_row_json(listing, row, root);
    if (listing->failed) {
        json_free(root);
        return err_set(err, STATUS_NOMEM, "out of memory");
    }
    return print_json(root, stream, err);
}

enum status listing_print_json(const struct listing *listing, FILE *stream, struct err *err)
{
    struct json_node *root = json_new_array();
    listing_rows_json(listing, root);
    if (listing->failed) {
        json_free(root);
        return err_set(err, STATUS_NOMEM, "out of memory");
    }
    return print_json(root, stream, err);
}

enum status listing_print_as(const struct listing *listing, bool json, FILE *stream,
                             struct err *err)
{
    return json ? listing_print_json(listing, stream, err) : listing_print(listing, stream, err);
}

enum status print_json(struct json_node *root, FILE *stream, struct err *err)
{
    char *text = json_print(root);
    json_free(root);
    if (text == NULL)
        return err_set(err, STATUS_NOMEM, "out of memory");
    fputs(text, stream);
    memory_free(text);
    return STATUS_OK;
}
