#include "cli/predicted_row.h"

#include "cli/measured_rows.h"

void predicted_row_make(const struct transformer *net, const struct machine *machine,
                        const struct workload *workload, const struct price *price,
                        struct prediction_row *out)
{
    record_clear(&prediction_fields, out);
    describe_subject(net, &out->subject);
    out->subject.device = machine->device;
    out->subject.runtime = NULL;
    out->subject.threads = machine->threads;
    out->subject.prompt = workload->prompt;
    out->subject.context = workload->context;
    out->price = *price;
    out->basis = basis_name(machine->basis);
    out->error_median_frac = machine->error_median_frac;
    out->error_p90_frac = machine->error_p90_frac;
}
