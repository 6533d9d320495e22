#include "cli/simulation_view.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/quantity.h"
#include "cli/listing.h"
#include "cli/predicted_row.h"

static double watts(double pj, double ns)
{
    return pj / ns * 1e-3; /* pJ/ns is mW */
}

/* Share of the weights and KV cache that came from a level above DRAM. */
static double hit_frac(const struct machine *machine, const struct use *use)
{
    int64_t hit = 0, all = 0;
    for (int level = 0; level < machine->n_levels; level++) {
        all += use->level_bytes[level];
        if (level < machine->dram)
            hit += use->level_bytes[level];
    }
    return all > 0 ? (double)hit / (double)all : NAN;
}

static double tokens_per_charge(const struct simulation_view *view)
{
    return view->machine->battery_j * 1e12 / view->simulated->price.energy_pj_per_token;
}

static enum status print_and_release(struct listing *listing, FILE *stream, struct err *err)
{
    enum status status = listing_print(listing, stream, err);
    listing_release(listing);
    return status;
}

struct phase_use {
    const char *name;
    double ns, dram_bytes, flash_bytes, hit_frac, energy_pj, power_w;
};
static const struct field phase_fields[] = {
    LISTED_TITLE(phase_use, name, UNIT_NONE, "phase"),
    LISTED_TITLE(phase_use, ns, UNIT_NS, "time"),
    LISTED_TITLE(phase_use, dram_bytes, UNIT_BYTES, "dram"),
    LISTED_TITLE(phase_use, flash_bytes, UNIT_BYTES, "flash"),
    LISTED_TITLE(phase_use, hit_frac, UNIT_FRAC, "hits"),
    LISTED_TITLE(phase_use, energy_pj, UNIT_PJ, "energy"),
    LISTED_TITLE(phase_use, power_w, UNIT_W, "power"),
};

static void add_phase(struct listing *listing, const char *name, double ns,
                      const struct pass_report *report, const struct machine *machine,
                      double energy_pj)
{
    struct phase_use *phase = listing_record(listing);
    phase->name = name;
    phase->ns = ns;
    phase->energy_pj = energy_pj;
    phase->power_w = watts(energy_pj, ns);
    if (report != NULL) {
        phase->dram_bytes = (double)report->moved_bytes[RESOURCE_DRAM];
        phase->flash_bytes = (double)report->moved_bytes[RESOURCE_FLASH];
        phase->hit_frac = hit_frac(machine, &report->total);
    }
    listing_add(listing, phase);
}

static enum status print_phases(const struct simulation_view *view, FILE *stream, struct err *err)
{
    const struct simulated *out = view->simulated;
    const struct price *price = &out->price;
    struct listing listing = {0};
    char tokens[48];
    LISTING_FIELDS(&listing, phase_fields);
    add_phase(&listing, "load", price->load_ns, NULL, view->machine, NAN);
    add_phase(&listing, "init", price->init_ns, NULL, view->machine, NAN);
    if (!isnan(price->prefill_ns))
        add_phase(&listing, "prefill", price->prefill_ns, &out->prefill, view->machine,
                  out->prefill.energy_pj);
    add_phase(&listing, "decode, one token", price->decode_ns, &out->decode, view->machine,
              out->decode.energy_pj);
    snprintf(tokens, sizeof tokens, "decode, %" PRId64 " tokens", out->tokens);
    if (out->tokens > 1)
        add_phase(&listing, tokens, out->tokens_ns, NULL, view->machine, out->tokens_energy_pj);
    return print_and_release(&listing, stream, err);
}

struct resource_use {
    const char *name;
    double busy_ns, busy_frac;
    int64_t moved_bytes;
};
static const struct field resource_fields[] = {
    LISTED_TITLE(resource_use, name, UNIT_NONE, "resource"),
    LISTED_TITLE(resource_use, busy_ns, UNIT_NS, "busy"),
    LISTED_TITLE(resource_use, busy_frac, UNIT_FRAC, "of a token"),
    LISTED_TITLE(resource_use, moved_bytes, UNIT_BYTES, "moved"),
};

static enum status print_resources(const struct simulation_view *view, FILE *stream,
                                   struct err *err)
{
    const struct pass_report *decode = &view->simulated->decode;
    struct listing listing = {0};
    LISTING_FIELDS(&listing, resource_fields);
    for (int i = 0; i < N_RESOURCES; i++) {
        const char *name = resource_name(view->machine, i);
        if (name == NULL || !(decode->busy_ns[i] > 0))
            continue;
        struct resource_use *use = listing_record(&listing);
        use->name = name;
        use->busy_ns = decode->busy_ns[i];
        use->busy_frac = decode->busy_ns[i] / decode->ns;
        if (decode->moved_bytes[i] > 0)
            use->moved_bytes = decode->moved_bytes[i];
        listing_add(&listing, use);
    }
    return print_and_release(&listing, stream, err);
}

struct level_use {
    const char *name;
    int64_t read_bytes, activation_bytes;
    double energy_pj;
};
static const struct field level_fields[] = {
    LISTED_TITLE(level_use, name, UNIT_NONE, "read from"),
    LISTED_TITLE(level_use, read_bytes, UNIT_BYTES, "weights and cache"),
    LISTED_TITLE(level_use, activation_bytes, UNIT_BYTES, "activations"),
    LISTED_TITLE(level_use, energy_pj, UNIT_PJ, "energy"),
};

static enum status print_levels(const struct simulation_view *view, FILE *stream, struct err *err)
{
    const struct pass_report *decode = &view->simulated->decode;
    struct listing listing = {0};
    struct level_use *use;
    LISTING_FIELDS(&listing, level_fields);
    for (int level = 0; level < view->machine->n_levels; level++) {
        use = listing_record(&listing);
        use->name = view->machine->levels[level].name;
        use->read_bytes = decode->total.level_bytes[level];
        use->activation_bytes = decode->total.activation_bytes[level];
        use->energy_pj = decode->level_energy_pj[level];
        listing_add(&listing, use);
    }
    use = listing_record(&listing);
    use->name = "(compute)";
    use->energy_pj = decode->compute_energy_pj;
    listing_add(&listing, use);
    return print_and_release(&listing, stream, err);
}

/* Where an operator's time goes. */
struct operator_use {
    const char *name;
    double ns, bound_ns[N_BOUNDS], hit_frac;
};

static void start_operators(struct listing *listing)
{
    listing_field(listing, &(struct field)LISTED_TITLE(operator_use, name, UNIT_NONE, "operator"));
    listing_field(listing, &(struct field)LISTED_TITLE(operator_use, ns, UNIT_NS, "time"));
    for (int bound = 0; bound < N_BOUNDS; bound++) {
        struct field field =
            LISTED_TITLE(operator_use, bound_ns[0], UNIT_NS, bound_name((enum bound)bound));
        field.offset += (size_t)bound * sizeof(double);
        listing_field(listing, &field);
    }
    listing_field(listing, &(struct field)LISTED_TITLE(operator_use, hit_frac, UNIT_FRAC, "hits"));
}

static void add_operator(struct listing *listing, const char *name, const struct machine *machine,
                         const struct use *use)
{
    struct operator_use *line = listing_record(listing);
    line->name = name;
    line->ns = use->ns;
    memcpy(line->bound_ns, use->bound_ns, sizeof line->bound_ns);
    line->hit_frac = hit_frac(machine, use);
    listing_add(listing, line);
}

static enum status print_operators(const struct simulation_view *view, FILE *stream,
                                   struct err *err)
{
    const struct pass_report *decode = &view->simulated->decode;
    struct listing listing = {0};
    start_operators(&listing);
    for (int role = 0; role < N_OP_ROLES; role++)
        if (decode->roles[role].ns > 0)
            add_operator(&listing, op_role_name((enum op_role)role), view->machine,
                         &decode->roles[role]);
    add_operator(&listing, "all", view->machine, &decode->total);
    return print_and_release(&listing, stream, err);
}

static void print_energy(const struct simulation_view *view, FILE *stream)
{
    const struct price *price = &view->simulated->price;
    char energy[32], rule[32];
    format_energy_pj(price->energy_pj_per_token, energy, sizeof energy);
    format_energy_pj(price->energy_rule_pj_per_token, rule, sizeof rule);
    if (isnan(price->energy_pj_per_token)) {
        fprintf(stream,
                "\nenergy: unknown, '%s' lacks energy_pj_per_byte of a level or "
                "energy_pj_per_flop\n",
                view->machine->device);
        return;
    }
    fprintf(stream, "\n%s a token (0.1 J a token per 1e9 parameters: %s), %.3g W while decoding",
            energy, rule, watts(price->energy_pj_per_token, price->decode_ns));
    if (isnan(view->machine->battery_j))
        fprintf(stream, "; '%s' lacks battery_j\n", view->machine->device);
    else
        fprintf(stream, ", %.3g million tokens a charge\n", tokens_per_charge(view) / 1e6);
}

enum status simulation_print(const struct simulation_view *view, FILE *stream, struct err *err)
{
    const struct simulated *out = view->simulated;
    char tile[32], streamed[32];
    fprintf(stream, "%s on %s: %.4g tokens/s, tiles of %s\n\n", view->net->name,
            view->machine->device, 1e9 / out->price.decode_ns,
            format_bytes((double)out->tile_bytes, tile, sizeof tile));
    int64_t from_flash = out->decode.total.level_bytes[view->machine->flash];
    if (from_flash > 0)
        fprintf(stream, "larger than its memory: %s come from flash for each token\n\n",
                format_bytes((double)from_flash, streamed, sizeof streamed));
    enum status status = print_phases(view, stream, err);
    if (out->tokens > 1 && out->tokens_simulated < out->tokens)
        fprintf(stream,
                "\n%" PRId64 " of the tokens by events, the others between them: checked ones are "
                "off by at most %.2g %%\n",
                out->tokens_simulated, 100 * out->tokens_error_frac);
    fprintf(stream, "\none token after %" PRId64 "\n\n", view->simulation->workload.context);
    if (status == STATUS_OK)
        status = print_resources(view, stream, err);
    fprintf(stream, "\n");
    if (status == STATUS_OK)
        status = print_levels(view, stream, err);
    fprintf(stream, "\nwhat the time is bound by\n\n");
    if (status == STATUS_OK)
        status = print_operators(view, stream, err);
    print_energy(view, stream);
    return status;
}

static void add_contract(const struct simulation_view *view, struct json_node *object)
{
    struct prediction_row row;
    predicted_row_make(view->net, view->machine, &view->simulation->workload,
                       &view->simulated->price, &row);
    for (int i = 0; i < prediction_fields.n; i++) {
        const struct field *field = &prediction_fields.field[i];
        if ((field->places & IN_JSON) && !(field->places & OF_ESTIMATE))
            field_json(field, &row, object);
    }
}

static void add_bounds(struct json_node *parent, const struct use *use)
{
    struct json_node *bounds = json_add_object(parent, "bound_ns");
    for (int bound = 0; bound < N_BOUNDS; bound++)
        json_add_number(bounds, bound_name((enum bound)bound), use->bound_ns[bound]);
}

void simulation_json(const struct simulation_view *view, struct json_node *object)
{
    const struct simulated *out = view->simulated;
    const struct machine *machine = view->machine;
    add_contract(view, object);
    json_add_number(object, "first_decode_ns", out->first_decode_ns);
    json_add_int(object, "tokens", out->tokens);
    json_add_number(object, "tokens_ns", out->tokens_ns);
    json_add_number(object, "tokens_energy_pj", out->tokens_energy_pj);
    json_add_int(object, "tokens_simulated", out->tokens_simulated);
    json_add_number(object, "tokens_error_frac", out->tokens_error_frac);
    json_add_int(object, "tile_bytes", out->tile_bytes);
    json_add_int(object, "flash_stream_bytes", out->stream_bytes);
    json_add_number(object, "hit_frac", hit_frac(machine, &out->decode.total));
    json_add_number(object, "power_w", watts(out->price.energy_pj_per_token, out->price.decode_ns));
    json_add_number(object, "tokens_per_charge", tokens_per_charge(view));
    struct json_node *levels = json_add_array(object, "levels");
    for (int level = 0; level < machine->n_levels; level++) {
        int resource = level == machine->flash  ? RESOURCE_FLASH
                       : level == machine->dram ? RESOURCE_DRAM
                                                : RESOURCE_PORT + level;
        struct json_node *node = json_add_object(levels, NULL);
        json_add_string(node, "name", machine->levels[level].name);
        json_add_int(node, "read_bytes", out->decode.total.level_bytes[level]);
        json_add_int(node, "activation_bytes", out->decode.total.activation_bytes[level]);
        json_add_int(node, "moved_bytes", out->decode.moved_bytes[resource]);
        json_add_number(node, "busy_ns", out->decode.busy_ns[resource]);
        json_add_number(node, "energy_pj", out->decode.level_energy_pj[level]);
    }
    json_add_number(object, "compute_busy_ns", out->decode.busy_ns[RESOURCE_COMPUTE]);
    json_add_number(object, "vectors_busy_ns", out->decode.busy_ns[RESOURCE_VECTORS]);
    json_add_number(object, "dispatch_busy_ns", out->decode.busy_ns[RESOURCE_DISPATCH]);
    add_bounds(object, &out->decode.total);
    struct json_node *operators = json_add_array(object, "operators");
    for (int role = 0; role < N_OP_ROLES; role++) {
        const struct use *use = &out->decode.roles[role];
        if (!(use->ns > 0))
            continue;
        struct json_node *node = json_add_object(operators, NULL);
        json_add_string(node, "name", op_role_name((enum op_role)role));
        json_add_number(node, "ns", use->ns);
        json_add_number(node, "hit_frac", hit_frac(machine, use));
        add_bounds(node, use);
    }
}
