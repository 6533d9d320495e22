/* The tables of the records, from the lists in their headers. */
#include "contract/candidate_fields.h"
#include "contract/measurement_fields.h"
#include "contract/prediction_fields.h"

/* clang-format off */
#define ROW(type, name, unit, places, title, meaning) \
    FIELD_OF(struct RECORD, name, unit, places, title, meaning),
#define SUBJECT_ROW(type, name, unit, places, title, meaning) \
    FIELD_NAMED(struct RECORD, #name, subject.name, unit, places, title, meaning),

#define RECORD candidate_row
#define PRICE_ROW(type, name, unit, meaning, places, title, other_places, other_title) \
    FIELD_NAMED(struct RECORD, #name, price.name, unit, places, title, meaning),
#define LOSS_ROW(type, name, unit, meaning, places, title, other_places, other_title) \
    FIELD_NAMED(struct RECORD, #name, loss.name, unit, places, title, meaning),
static const struct field candidate[] = {
    CANDIDATE_FIELDS(ROW)
    PRICE_FIELDS(PRICE_ROW, "run.", "prediction's ")
    LOSS_FIELDS(LOSS_ROW)
    CANDIDATE_LAST_FIELDS(ROW)
};
const struct fields candidate_fields = FIELDS_OF("candidate", struct candidate_row, candidate);
#undef RECORD
#undef PRICE_ROW
#undef LOSS_ROW

#define RECORD prediction_row
#define PRICE_ROW(type, name, unit, meaning, other_places, other_title, places, title) \
    FIELD_NAMED(struct RECORD, #name, price.name, unit, places, title, meaning),
#define LOSS_ROW(type, name, unit, meaning, other_places, other_title, places, title) \
    FIELD_NAMED(struct RECORD, #name, loss.name, unit, places, title, meaning),
static const struct field prediction[] = {
    FIELD_OF(struct prediction_row, id, UNIT_NONE, IN_STORE, NULL, ""),
    FIELD_OF(struct prediction_row, run_id, UNIT_NONE, IN_STORE, NULL, "run.id"),
    SUBJECT_FIELDS(SUBJECT_ROW)
    FIELD_OF(struct prediction_row, clock, UNIT_NONE, IN_STORE, NULL, "estimate or simulate"),
    PRICE_FIELDS(PRICE_ROW, "", "")
    LOSS_FIELDS(LOSS_ROW)
    BASIS_FIELDS(ROW)
};
const struct fields prediction_fields = FIELDS_OF("prediction", struct prediction_row, prediction);
#undef RECORD

#define RECORD measurement_row
#define MEASURED_ROWS(name, unit, title, places, meaning) \
    FIELD_OF(struct RECORD, name, unit, KEPT | IN_TABLE | (places), title, "median: " meaning), \
        FIELD_OF(struct RECORD, name##_mad, unit, KEPT, NULL, "median absolute deviation"), \
        FIELD_OF(struct RECORD, name##_n, UNIT_NONE, KEPT, NULL, "samples"),
static const struct field measurement[] = {
    FIELD_OF(struct measurement_row, id, UNIT_NONE, IN_STORE, NULL, ""),
    FIELD_OF(struct measurement_row, run_id, UNIT_NONE, IN_STORE, NULL, "run.id"),
    SUBJECT_FIELDS(SUBJECT_ROW)
    MEASUREMENT_FIELDS(ROW, MEASURED_ROWS)
};
const struct fields measurement_fields =
    FIELDS_OF("measurement", struct measurement_row, measurement);
/* clang-format on */
