#include "cli/simulation_view.h"

#include <inttypes.h>
#include <math.h>

#include "base/quantity.h"
#include "cli/listing.h"

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

static void phase_row(struct listing *listing, const char *name, double ns,
                      const struct pass_report *report, const struct machine *machine,
                      double energy_pj)
{
    listing_text(listing, name);
    listing_number(listing, ns);
    for (int level = machine->dram; level <= machine->flash; level++)
        listing_number(listing,
                       report ? (double)report->moved_bytes[level == machine->dram ? RESOURCE_DRAM
                                                                                   : RESOURCE_FLASH]
                              : NAN);
    listing_number(listing, report ? hit_frac(machine, &report->total) : NAN);
    listing_number(listing, energy_pj);
    listing_number(listing, watts(energy_pj, ns));
}

static enum status print_phases(const struct simulation_view *view, FILE *stream, struct err *err)
{
    const struct simulated *out = view->simulated;
    const struct price *price = &out->price;
    struct listing listing = {0};
    char tokens[48];
    listing_column(&listing, "phase", NULL, LISTING_TEXT, NULL);
    listing_column(&listing, "time", NULL, LISTING_TIME, NULL);
    listing_column(&listing, "dram", NULL, LISTING_BYTES, NULL);
    listing_column(&listing, "flash", NULL, LISTING_BYTES, NULL);
    listing_column(&listing, "hits", NULL, LISTING_FRAC, NULL);
    listing_column(&listing, "energy", NULL, LISTING_ENERGY, NULL);
    listing_column(&listing, "power", NULL, LISTING_NUMBER, "W");
    phase_row(&listing, "load", price->load_ns, NULL, view->machine, NAN);
    phase_row(&listing, "init", price->init_ns, NULL, view->machine, NAN);
    if (!isnan(price->prefill_ns))
        phase_row(&listing, "prefill", price->prefill_ns, &out->prefill, view->machine,
                  out->prefill.energy_pj);
    phase_row(&listing, "decode, one token", price->decode_ns, &out->decode, view->machine,
              out->decode.energy_pj);
    snprintf(tokens, sizeof tokens, "decode, %" PRId64 " tokens", out->tokens);
    if (out->tokens > 1)
        phase_row(&listing, tokens, out->tokens_ns, NULL, view->machine, out->tokens_energy_pj);
    enum status status = listing_print(&listing, stream, err);
    listing_release(&listing);
    return status;
}

static enum status print_resources(const struct simulation_view *view, FILE *stream,
                                   struct err *err)
{
    const struct pass_report *decode = &view->simulated->decode;
    struct listing listing = {0};
    listing_column(&listing, "resource", NULL, LISTING_TEXT, NULL);
    listing_column(&listing, "busy", NULL, LISTING_TIME, NULL);
    listing_column(&listing, "of a token", NULL, LISTING_FRAC, NULL);
    listing_column(&listing, "moved", NULL, LISTING_BYTES, NULL);
    for (int i = 0; i < N_RESOURCES; i++) {
        const char *name = resource_name(view->machine, i);
        if (name == NULL || !(decode->busy_ns[i] > 0))
            continue;
        listing_text(&listing, name);
        listing_number(&listing, decode->busy_ns[i]);
        listing_number(&listing, decode->busy_ns[i] / decode->ns);
        listing_number(&listing, decode->moved_bytes[i] > 0 ? (double)decode->moved_bytes[i] : NAN);
    }
    enum status status = listing_print(&listing, stream, err);
    listing_release(&listing);
    return status;
}

static enum status print_levels(const struct simulation_view *view, FILE *stream, struct err *err)
{
    const struct pass_report *decode = &view->simulated->decode;
    struct listing listing = {0};
    listing_column(&listing, "read from", NULL, LISTING_TEXT, NULL);
    listing_column(&listing, "weights and cache", NULL, LISTING_BYTES, NULL);
    listing_column(&listing, "activations", NULL, LISTING_BYTES, NULL);
    listing_column(&listing, "energy", NULL, LISTING_ENERGY, NULL);
    for (int level = 0; level < view->machine->n_levels; level++) {
        listing_text(&listing, view->machine->levels[level].name);
        listing_int(&listing, decode->total.level_bytes[level]);
        listing_int(&listing, decode->total.activation_bytes[level]);
        listing_number(&listing, decode->level_energy_pj[level]);
    }
    listing_text(&listing, "(compute)");
    listing_number(&listing, NAN);
    listing_number(&listing, NAN);
    listing_number(&listing, decode->compute_energy_pj);
    enum status status = listing_print(&listing, stream, err);
    listing_release(&listing);
    return status;
}

static void bound_cells(struct listing *listing, const struct use *use)
{
    for (int bound = 0; bound < N_BOUNDS; bound++)
        listing_number(listing, use->bound_ns[bound]);
}

static enum status print_operators(const struct simulation_view *view, FILE *stream,
                                   struct err *err)
{
    const struct pass_report *decode = &view->simulated->decode;
    struct listing listing = {0};
    listing_column(&listing, "operator", NULL, LISTING_TEXT, NULL);
    listing_column(&listing, "time", NULL, LISTING_TIME, NULL);
    for (int bound = 0; bound < N_BOUNDS; bound++)
        listing_column(&listing, bound_name((enum bound)bound), NULL, LISTING_TIME, NULL);
    listing_column(&listing, "hits", NULL, LISTING_FRAC, NULL);
    for (int role = 0; role < N_OP_ROLES; role++) {
        if (!(decode->roles[role].ns > 0))
            continue;
        listing_text(&listing, op_role_name((enum op_role)role));
        listing_number(&listing, decode->roles[role].ns);
        bound_cells(&listing, &decode->roles[role]);
        listing_number(&listing, hit_frac(view->machine, &decode->roles[role]));
    }
    listing_text(&listing, "all");
    listing_number(&listing, decode->total.ns);
    bound_cells(&listing, &decode->total);
    listing_number(&listing, hit_frac(view->machine, &decode->total));
    enum status status = listing_print(&listing, stream, err);
    listing_release(&listing);
    return status;
}

static void print_energy(const struct simulation_view *view, FILE *stream)
{
    const struct price *price = &view->simulated->price;
    char energy[32], rule[32];
    format_energy_pj(price->energy_pj_per_token, energy, sizeof energy);
    format_energy_pj(price->energy_rule_pj, rule, sizeof rule);
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
    const struct simulated *out = view->simulated;
    const struct price *price = &out->price;
    const struct machine *machine = view->machine;
    json_add_string(object, "model", view->net->name);
    json_add_string(object, "device", machine->device);
    json_add_string(object, "dtype", dtype_name(view->net->block_dtype));
    json_add_string(object, "head_dtype", dtype_name(view->net->head_dtype));
    json_add_string(object, "kv_dtype", dtype_name(view->net->kv_dtype));
    json_add_int(object, "threads", machine->threads);
    json_add_int(object, "prompt", view->simulation->workload.prompt);
    json_add_int(object, "context", view->simulation->workload.context);
    json_add_number(object, "load_ns", price->load_ns);
    json_add_number(object, "init_ns", price->init_ns);
    json_add_number(object, "prefill_ns", price->prefill_ns);
    json_add_number(object, "ttft_cold_ns", price->ttft_cold_ns);
    json_add_number(object, "decode_ns", price->decode_ns);
    json_add_number(object, "decode_tok_s", 1e9 / price->decode_ns);
    json_add_number(object, "energy_pj_per_token", price->energy_pj_per_token);
    json_add_number(object, "energy_rule_pj_per_token", price->energy_rule_pj);
    json_add_int(object, "peak_bytes", price->peak_bytes);
    json_add_bool(object, "fits_app_share", price->fits_app_share);
    json_add_string(object, "basis", basis_name(machine->basis));
    json_add_number(object, "error_median_frac", machine->error_median_frac);
    json_add_number(object, "error_p90_frac", machine->error_p90_frac);
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
