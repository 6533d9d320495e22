#include "model/file_type.h"

#include <string.h>

#include "base/memory.h"
#include "model/tensors.h"

/* What the rules ask of a network. */
struct facts {
    enum dtype file;
    int64_t n_layers, n_attention; /* layers, and those with attention */
    int64_t group;                 /* query heads a key-value head of the first layer; 0: none */
    bool is_falcon, fuses_qkv, is_70b;
};

static bool is_one_of(const char *name, const char *const *names)
{
    while (*names && strcmp(name, *names) != 0)
        names++;
    return *names != NULL;
}

/* Families that llama.cpp knows by their depth as "70B" or like it. */
static bool is_70b(const struct transformer *net, int64_t group)
{
    static const char *const families[] = {"llama", "mobilellm", "mistral", "qwen2", NULL};
    return net->schedule.n_layers == 80 && group > 1 && is_one_of(net->family, families);
}

static void find_facts(const struct transformer *net, enum dtype file, struct facts *out)
{
    static const char *const fused[] = {"falcon", "bloom", "gpt2",    "gpt_neox",
                                        "phi3",   "mpt",   "openelm", NULL};
    const struct block *first = transformer_block(net, 0);
    *out = (struct facts){
        .file = file,
        .n_layers = net->schedule.n_layers,
        .group = first->n_kv_heads > 0 ? first->n_heads / first->n_kv_heads : 0,
        .is_falcon = strcmp(net->family, "falcon") == 0,
        .fuses_qkv = is_one_of(net->family, fused),
    };
    out->is_70b = is_70b(net, out->group);
    for (int64_t i = 0; i < out->n_layers; i++)
        out->n_attention += transformer_block(net, i)->mixer == MIXER_ATTENTION;
}

/* The first and the last eighth, and every third between them. */
static bool gets_more_bits(int64_t i, int64_t n)
{
    return i < n / 8 || i >= 7 * n / 8 || (i - n / 8) % 3 == 2;
}

/* IQ1 and IQ2 have rules of their own. */
static bool is_of_very_few_bits(enum dtype file)
{
    return file == FILE_IQ1_S || file == FILE_IQ1_M || file == FILE_IQ2_XXS ||
           file == FILE_IQ2_XS || file == FILE_IQ2_S || file == FILE_IQ2_M;
}

static enum dtype few_bits_type(const struct facts *f, enum tensor_role role, int64_t layer)
{
    bool is_larger = f->file == FILE_IQ2_S || f->file == FILE_IQ2_M;
    bool is_iq1 = f->file == FILE_IQ1_S || f->file == FILE_IQ1_M;
    enum dtype more = is_larger ? DTYPE_IQ3_S : DTYPE_Q2_K;
    if (role == TENSOR_V && !f->fuses_qkv)
        return f->group >= 4 ? DTYPE_Q4_K : more;
    if (role == TENSOR_DOWN && layer < f->n_layers / 8)
        return more;
    if (role == TENSOR_O && is_iq1)
        return DTYPE_IQ2_XXS;
    if (role == TENSOR_O && is_larger)
        return DTYPE_IQ3_S;
    return dtype_base(f->file);
}

static enum dtype fused_qkv_type(const struct facts *f)
{
    switch ((int)f->file) {
    case FILE_Q3_K_M:
    case FILE_Q3_K_L:
    case FILE_IQ3_M:
        return DTYPE_Q4_K;
    case FILE_Q4_K_M:
        return DTYPE_Q5_K;
    case FILE_Q5_K_M:
        return DTYPE_Q6_K;
    default:
        return dtype_base(f->file);
    }
}

/* i: of the layers with attention */
static enum dtype value_type_by_file(const struct facts *f, int64_t i)
{
    enum dtype base = dtype_base(f->file);
    bool is_grouped = f->group >= 4;
    switch ((int)f->file) {
    case FILE_Q2_K:
        return is_grouped ? DTYPE_Q4_K : DTYPE_Q3_K;
    case FILE_Q2_K_S:
    case FILE_IQ3_XXS:
    case FILE_IQ3_XS:
    case FILE_IQ3_S:
        return is_grouped ? DTYPE_Q4_K : base;
    case FILE_IQ3_M:
        return DTYPE_Q4_K;
    case FILE_Q3_K_M:
        return i < 2 ? DTYPE_Q5_K : DTYPE_Q4_K;
    case FILE_Q3_K_L:
        return DTYPE_Q5_K;
    case FILE_IQ4_NL:
    case FILE_IQ4_XS:
        return is_grouped ? DTYPE_Q5_K : base;
    case FILE_Q4_K_M:
    case FILE_Q5_K_M:
        return gets_more_bits(i, f->n_attention) ? DTYPE_Q6_K : base;
    case FILE_Q4_K_S:
        return i < 4 ? DTYPE_Q5_K : base;
    default:
        return base;
    }
}

static enum dtype value_type(const struct facts *f, int64_t i)
{
    enum dtype type = value_type_by_file(f, i);
    return f->is_70b && (type == DTYPE_Q3_K || type == DTYPE_Q4_K) ? DTYPE_Q5_K : type;
}

static enum dtype query_or_key_type(const struct facts *f)
{
    if (f->file == FILE_IQ3_XS)
        return DTYPE_IQ3_XXS;
    return f->file == FILE_IQ3_XXS ? DTYPE_IQ2_S : dtype_base(f->file);
}

static enum dtype down_type(const struct facts *f, int64_t i)
{
    enum dtype base = dtype_base(f->file);
    int64_t n = f->n_layers;
    bool is_early = i < n / 8;
    switch ((int)f->file) {
    case FILE_Q2_K:
        return DTYPE_Q3_K;
    case FILE_Q2_K_S:
    case FILE_IQ3_M:
        return is_early ? DTYPE_Q4_K : base;
    case FILE_Q3_K_M:
        if (i < n / 16)
            return DTYPE_Q5_K;
        return !f->is_falcon || gets_more_bits(i, n) ? DTYPE_Q4_K : DTYPE_Q3_K;
    case FILE_Q3_K_L:
        return f->is_falcon ? DTYPE_Q4_K : DTYPE_Q5_K;
    case FILE_Q4_K_M:
        if (!f->is_falcon)
            return gets_more_bits(i, n) ? DTYPE_Q6_K : base;
        if (i < n / 16)
            return DTYPE_Q6_K;
        return gets_more_bits(i, n) ? DTYPE_Q5_K : base;
    case FILE_IQ4_NL:
    case FILE_IQ4_XS:
        return is_early ? DTYPE_Q5_K : base;
    case FILE_Q5_K_M:
        return gets_more_bits(i, n) ? DTYPE_Q6_K : base;
    case FILE_Q4_K_S:
        return is_early && !f->is_falcon ? DTYPE_Q5_K : base;
    default:
        return base;
    }
}

static enum dtype output_type(const struct facts *f)
{
    if (f->is_falcon)
        return f->file == FILE_Q3_K_L ? DTYPE_Q4_K : dtype_base(f->file);
    switch ((int)f->file) {
    case FILE_Q2_K:
        return DTYPE_Q3_K;
    case FILE_IQ3_XXS:
        return DTYPE_IQ3_S;
    case FILE_Q3_K_M:
    case FILE_IQ3_M:
        return DTYPE_Q4_K;
    case FILE_Q3_K_L:
        return DTYPE_Q5_K;
    default:
        return dtype_base(f->file);
    }
}

static enum dtype gate_or_up_type(const struct facts *f, int64_t i)
{
    bool is_middle = i >= f->n_layers / 8 && i < 7 * f->n_layers / 8;
    return f->file == FILE_IQ3_XS && is_middle ? DTYPE_IQ3_XXS : dtype_base(f->file);
}

/* ffn_layer: the layer whose FFN this layer runs. */
static enum dtype type_of(const struct facts *f, enum tensor_role role, int64_t attention,
                          int64_t ffn_layer)
{
    bool is_qkv = role == TENSOR_Q || role == TENSOR_K || role == TENSOR_V;
    if (is_of_very_few_bits(f->file))
        return few_bits_type(f, role, ffn_layer);
    if (is_qkv && f->fuses_qkv)
        return fused_qkv_type(f);
    switch ((int)role) {
    case TENSOR_V:
        return value_type(f, attention);
    case TENSOR_Q:
    case TENSOR_K:
        return query_or_key_type(f);
    case TENSOR_O:
        return output_type(f);
    case TENSOR_GATE:
    case TENSOR_UP:
        return gate_or_up_type(f, ffn_layer);
    case TENSOR_DOWN:
        return down_type(f, ffn_layer);
    default:
        return dtype_base(f->file);
    }
}

/* Of the head, and of a token table that it reads. */
static enum dtype head_type(const struct transformer *net, const struct facts *f)
{
    enum dtype base = dtype_base(f->file);
    if (dtype_block_elems(base) == 1 || base == DTYPE_Q8_0)
        return base;
    if (f->is_falcon || net->d_embed % dtype_block_elems(base) != 0)
        return DTYPE_Q8_0;
    return is_of_very_few_bits(f->file) || f->file == FILE_IQ3_XXS ? DTYPE_Q5_K : DTYPE_Q6_K;
}

static enum dtype table_type(const struct facts *f)
{
    switch ((int)f->file) {
    case FILE_IQ2_XXS:
    case FILE_IQ2_XS:
    case FILE_IQ1_S:
    case FILE_IQ1_M:
        return DTYPE_Q2_K;
    case FILE_IQ2_S:
    case FILE_IQ2_M:
    case FILE_IQ3_XXS:
        return DTYPE_IQ3_S;
    case FILE_TQ1_0:
    case FILE_TQ2_0:
        return DTYPE_Q4_K;
    default:
        return dtype_base(f->file);
    }
}

/* Returns whether a matrix is of another type than the base. */
static bool fill_layers(const struct transformer *net, const struct facts *f,
                        struct type_set *layers)
{
    enum dtype base = dtype_base(f->file);
    bool differs = false;
    int64_t attention = 0;
    for (int64_t i = 0; i < f->n_layers; i++) {
        for (int role = 0; role < N_TENSOR_ROLES; role++) {
            enum dtype type =
                type_of(f, (enum tensor_role)role, attention, net->schedule.share_ffn ? 0 : i);
            layers[i].of_role[role] = (uint8_t)type;
            differs = differs || type != base;
        }
        attention += transformer_block(net, i)->mixer == MIXER_ATTENTION;
    }
    return differs;
}

static enum status set_file(struct transformer *net, enum dtype file, struct err *err)
{
    struct facts facts;
    struct layer_types types = {0};
    struct type_set *layers = memory_new((size_t)net->schedule.n_layers, sizeof *layers);
    if (!layers)
        return err_set(err, STATUS_NOMEM, "out of memory for the types of the layers");
    find_facts(net, file, &facts);
    enum status status = STATUS_OK;
    if (fill_layers(net, &facts, layers))
        status = layer_types_set(&types, layers, net->schedule.n_layers, err);
    memory_free(layers);
    if (status)
        return status;
    transformer_set_dtype(net, dtype_base(file));
    net->layer_types = types;
    net->head_dtype = dtype_for_row(head_type(net, &facts), net->d_embed);
    net->embedding_dtype =
        net->tie_embeddings ? net->head_dtype : dtype_for_row(table_type(&facts), net->d_embed);
    net->position_dtype = DTYPE_F32;
    net->f32_vectors = true;
    net->file_type = file;
    return STATUS_OK;
}

enum status transformer_set_weights(struct transformer *net, enum dtype weights, struct err *err)
{
    if (is_file_type(weights))
        return set_file(net, weights, err);
    transformer_set_dtype(net, weights);
    return STATUS_OK;
}

/* What a matrix was to have. types: of its layer, or NULL. */
static enum dtype meant(const struct transformer *net, const struct type_set *types,
                        enum tensor_role role)
{
    if (role == TENSOR_EMBEDDING)
        return net->embedding_dtype;
    if (role == TENSOR_HEAD)
        return net->head_dtype;
    if (role == TENSOR_POSITION)
        return net->position_dtype;
    return types ? (enum dtype)types->of_role[role] : net->block_dtype;
}

static void add_fallbacks(const struct transformer *net, const struct type_set *types,
                          const struct tensor_list *list, struct fallbacks *out)
{
    for (int i = 0; i < list->n; i++) {
        const struct tensor *tensor = &list->tensors[i];
        if (tensor->rows == 0 || !tensor->has_weight)
            continue;
        bool falls = meant(net, types, tensor->role) != tensor->dtype;
        if (falls && out->n == 0)
            out->row = tensor->columns;
        out->n += falls;
        out->of++;
    }
}

void transformer_fallbacks(const struct transformer *net, struct fallbacks *out)
{
    struct tensor_list list;
    *out = (struct fallbacks){0};
    tensors_before(net, &list);
    add_fallbacks(net, NULL, &list, out);
    for (int64_t i = 0; i < net->schedule.n_layers; i++) {
        tensors_of_layer(net, i, &list);
        add_fallbacks(net, layer_types_at(&net->layer_types, i), &list, out);
    }
    tensors_after(net, &list);
    add_fallbacks(net, NULL, &list, out);
}
