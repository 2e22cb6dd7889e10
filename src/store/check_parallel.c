// SPDX-License-Identifier: Apache-2.0
/* check_parallel.c: `even check`, two guns in one vehicle (rule `parallel`):
 *
 *  - a part names a charging order of its tenant and charger at another connector, and is named by it;
 *    nothing else names a part;
 *  - it has no payer, no hold, no fee lines, no shares, and no amount of any kind;
 *  - it is over exactly when its main order is, and failed when that failed;
 *  - of a cap both guns have a part, which together are not more than it; without a cap, and in an order
 *    of one gun, there are none;
 *  - the energy of a main order that is settled is that of both sessions, with what was in doubt, of
 *    both or of either, when somebody accepted that.
 *
 * Shares no code with the core. Memory: none. */
#include "store/check.h"

#include "base/err.h"

enum {
    V_ID,
    V_KIND,
    V_TENANT,
    V_CHARGER,
    V_CONNECTOR,
    V_STATE,
    V_AMOUNTS,
    V_ENERGY,
    V_DOUBT,
    V_SESSION,
    V_M_ID,
    V_M_KIND,
    V_M_TENANT,
    V_M_CHARGER,
    V_M_CONNECTOR,
    V_M_STATE,
    V_M_PART,
    V_M_ENERGY,
    V_M_DOUBT,
    V_M_SESSION,
    V_ALLOT,
    V_M_ALLOT,
    V_M_CAP
};

static void names_check(struct check *c, const struct sql_value *v)
{
    int64_t id = v[V_ID].i;
    if (v[V_KIND].i != ORDER_PART)
        check_bad(c, "parallel", id, "part_of in an order of kind %lld", (long long)v[V_KIND].i);
    if (v[V_M_KIND].i != ORDER_CHARGE || v[V_M_PART].i != id)
        check_bad(c, "parallel", id, "its main order %lld is of kind %lld and names part %lld",
                  (long long)v[V_M_ID].i, (long long)v[V_M_KIND].i, (long long)v[V_M_PART].i);
    if (v[V_M_TENANT].i != v[V_TENANT].i || v[V_M_CHARGER].i != v[V_CHARGER].i ||
        v[V_M_CONNECTOR].i == v[V_CONNECTOR].i)
        check_bad(c, "parallel", id, "its main order %lld is not at another gun of its charger",
                  (long long)v[V_M_ID].i);
    if (v[V_AMOUNTS].i)
        check_bad(c, "parallel", id, "a part carries money");
}

static bool over(int64_t state)
{
    return state == ORDER_SETTLED || state == ORDER_DOUBTFUL;
}

static void state_check(struct check *c, const struct sql_value *v)
{
    int64_t part = v[V_STATE].i, of = v[V_M_STATE].i;
    bool failed = part == ORDER_START_FAILED;
    if (part == ORDER_DOUBTFUL || over(part) != over(of) || failed != (of == ORDER_START_FAILED))
        check_bad(c, "parallel", v[V_ID].i, "state %lld, its main order has %lld", (long long)part,
                  (long long)of);
}

static void energy_check(struct check *c, const struct sql_value *v)
{
    int64_t both = check_add(v[V_SESSION].i, v[V_M_SESSION].i);
    int64_t rest = check_sub(v[V_M_ENERGY].i, both);
    if (!over(v[V_M_STATE].i))
        return;
    check_equal(c, "parallel", v[V_ID].i, "energy of its session", v[V_ENERGY].i, v[V_SESSION].i);
    if (rest != v[V_M_DOUBT].i && rest != v[V_DOUBT].i &&
        rest != check_sub(v[V_M_DOUBT].i, v[V_DOUBT].i))
        check_equal(c, "parallel", v[V_M_ID].i, "energy of both sessions", v[V_M_ENERGY].i, both);
}

static void allot_check(struct check *c, const struct sql_value *v)
{
    int64_t cap = v[V_M_CAP].i, one = v[V_M_ALLOT].i, two = v[V_ALLOT].i;
    bool none = one == 0 && two == 0, both = one > 0 && two > 0 && check_add(one, two) <= cap;
    if (cap > 0 ? !both : !none)
        check_bad(c, "parallel", v[V_M_ID].i, "parts %lld and %lld of its cap %lld", (long long)one,
                  (long long)two, (long long)cap);
}

static int part_take(void *ctx, const struct sql_value *v, size_t n)
{
    (void)n;
    names_check(ctx, v);
    state_check(ctx, v);
    energy_check(ctx, v);
    allot_check(ctx, v);
    return 0;
}

static int alone_take(void *ctx, const struct sql_value *v, size_t n)
{
    (void)n;
    check_bad(ctx, "parallel", v[0].i, "kind %lld, names part %lld, which does not name it%s",
              (long long)v[1].i, (long long)v[2].i, v[2].i ? "" : ", and has a part of a cap");
    return 0;
}

int check_parallel(struct check *c)
{
    int rc = store_query(c->r, QUERY_CHECK_PARTS, NULL, 0, part_take, c);
    return rc ? rc : store_query(c->r, QUERY_CHECK_PARTS_ALONE, NULL, 0, alone_take, c);
}
