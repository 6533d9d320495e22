/* A search shared out in parts that are merged is the search that one process does: row for row. */
#include "tests/shares_fixture.h"

#include "base/memory.h"
#include "search/share.h"

static void merged_parts_are_the_whole_search(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 3);
    for (int round = 0; round < N_SPACES; round++) {
        const struct question question = draw_question(&rng, round);
        write_space(&rng);
        search_alone(&question, 0, 0);
        for (int i = 0; i < N_NUMBERS; i++) {
            for (int64_t shard = 1; shard <= shared_by[i]; shard++)
                search_alone(&question, shard, shared_by[i]);
            merge("%d.db", shared_by[i]);
            for (int64_t shard = 1; shard <= shared_by[i]; shard++) {
                char path[64];
                snprintf(path, sizeof path, "%d.db", (int)shard);
                unlink(path);
            }
        }
        empty_folder();
    }
}

static void shards_have_every_shape_once_and_are_balanced(void **state)
{
    (void)state;
    static const int64_t n_shards[] = {1, 2, 3, 7, 64, 5000};
    struct space space;
    struct enumeration whole;
    const struct budget budget = {100000000, 140000000, 120000000};
    space_default(&space);
    must(enumeration_start(&space, &budget, &whole, &must_err));
    for (size_t k = 0; k < sizeof n_shards / sizeof *n_shards; k++) {
        unsigned char *seen = memory_new(whole.n_shapes, 1);
        int64_t least = INT64_MAX, most = 0, total = 0;
        for (int64_t shard = 1; shard <= n_shards[k]; shard++) {
            struct enumeration part;
            size_t at = 0;
            int64_t row = 0;
            must(enumeration_shard(&whole, shard, n_shards[k], &part, &must_err));
            for (size_t s = 0; s < part.n_shapes; s++) {
                while (whole.shapes[at].first_id != part.shapes[s].first_id)
                    at++; /* in order */
                assert_int_equal(seen[at]++, 0);
                assert_int_equal(part.shapes[s].first_row, row);
                row += part.shapes[s].count;
            }
            assert_int_equal(row, part.count);
            least = part.count < least ? part.count : least;
            most = part.count > most ? part.count : most;
            total += part.count;
            enumeration_end(&part);
        }
        assert_int_equal(total, whole.count);
        assert_true(most - least <= whole.count / 4096 + 1 + 600); /* a chunk */
        memory_free(seen);
    }
    enumeration_end(&whole);
}

static void no_memory_for_a_part_is_an_error(void **state)
{
    (void)state;
    struct space space;
    struct enumeration whole, part;
    const struct budget budget = {120000000, 130000000, 125000000};
    space_default(&space);
    must(enumeration_start(&space, &budget, &whole, &must_err));
    enum status status = STATUS_NOMEM;
    for (int64_t n = 1; status != STATUS_OK; n++) {
        memory_fail_after(n);
        status = enumeration_shard(&whole, 1, 2, &part, NULL);
        memory_fail_after(-1);
        assert_true(status == STATUS_OK || status == STATUS_NOMEM);
    }
    enumeration_end(&part);
    enumeration_end(&whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shards_have_every_shape_once_and_are_balanced),
        cmocka_unit_test(no_memory_for_a_part_is_an_error),
        cmocka_unit_test(merged_parts_are_the_whole_search),
    };
    return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
