// SPDX-License-Identifier: Apache-2.0
/* test_sample.c: sampled values as real chargers send them, and what must come out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "gate/ocpp/ocpp_sample.h"

static struct arena arena;
static struct core_sample got[OCPP_SAMPLES_PER_VALUE];
static uint64_t odd;

/* Decodes the sampled values given as JSON objects without braces, separated by '|', and normalises
 * them. */
static int samples(const char *values)
{
    struct ocpp16_MeterValue v;
    struct wire_error e;
    struct buf b;
    buf_init(&b, 1 << 16);
    buf_put_c(&b, "{\"timestamp\":\"2026-01-02T03:04:05Z\",\"sampledValue\":[{");
    for (const char *p = values; *p; p++)
        if (*p == '|')
            buf_put_c(&b, "},{");
        else
            buf_put_char(&b, *p == '\'' ? '"' : *p);
    buf_put_c(&b, "}]}");
    static char text[8192];
    assert_true(b.n < sizeof text);
    memcpy(text, b.p, b.n);
    arena_reset(&arena);
    assert_int_equal(wire_json_decode(&ocpp16_MeterValue_type, str_from(text, b.n), &arena, &v,
                                      WIRE_LENIENT, &e),
                     0);
    buf_free(&b);
    odd = 0;
    return ocpp_samples(&v, got, &odd);
}

static void energy_test(void **state)
{
    (void)state;
    assert_int_equal(samples("'value':'1234'"),
                     1); /* no unit, no measurand: Wh of the import register */
    assert_int_equal(got[0].energy_mwh, 1234000);
    assert_int_equal(got[0].flags, SAMPLE_UNIT_ASSUMED);
    assert_int_equal(got[0].time_ms, INT64_C(1767323045000));
    assert_int_equal(got[0].power_w, SAMPLE_NONE);
    assert_int_equal(got[0].soc_pm, SAMPLE_NONE32);
    assert_int_equal(samples("'value':'0.15002000000000001','unit':'kWh'"), 1);
    assert_int_equal(got[0].energy_mwh, 150020);
    assert_int_equal(got[0].flags, 0);
    assert_int_equal(samples("'value':'12.5','unit':'Wh'"), 1);
    assert_int_equal(got[0].energy_mwh, 12500);
    assert_int_equal(samples("'value':1500,'unit':'Wh'"),
                     1); /* a number where the schema wants text */
    assert_int_equal(got[0].energy_mwh, 1500000);
    assert_int_equal(samples("'value':'-3','unit':'Wh'"), 1); /* the evidence rules judge it */
    assert_int_equal(got[0].energy_mwh, -3000);
    assert_int_equal(samples("'value':'5','measurand':'Energy.Active.Import.Interval','unit':'Wh'"),
                     0);
    assert_int_equal(samples("'value':'5','measurand':'Energy.Active.Export.Register','unit':'Wh'"),
                     0);
    assert_int_equal(samples("'value':'5','measurand':'Vendor.Thing'"), 0);
}

static void phases_test(void **state)
{
    (void)state;
    assert_int_equal(
        samples("'value':'100','phase':'L1','unit':'Wh'|'value':'200','phase':'L2','unit':'Wh'|"
                "'value':'300','phase':'L3','unit':'Wh'"),
        1);
    assert_int_equal(got[0].energy_mwh, 600000);
    assert_int_equal(samples("'value':'100','phase':'L1','unit':'Wh'|'value':'610','unit':'Wh'"),
                     1);
    assert_int_equal(got[0].energy_mwh, 610000); /* the total counts where one is given */
    assert_int_equal(samples("'value':'16.1','measurand':'Current.Import','phase':'L1','unit':'A'|"
                             "'value':'15.9','measurand':'Current.Import','phase':'L2','unit':'A'|"
                             "'value':'1','measurand':'Current.Import','phase':'N','unit':'A'|"
                             "'value':'230','measurand':'Voltage','phase':'L1-N'|"
                             "'value':'232','measurand':'Voltage','phase':'L2-N'|"
                             "'value':'400','measurand':'Voltage','phase':'L1-L2'"),
                     1);
    assert_int_equal(got[0].current_ma, 16100);
    assert_int_equal(got[0].voltage_mv, 231000);
}

static void quantities_test(void **state)
{
    (void)state;
    assert_int_equal(samples("'value':'7.36','measurand':'Power.Active.Import','unit':'kW'|"
                             "'value':'55.5','measurand':'SoC','unit':'Percent'|"
                             "'value':'25','measurand':'Temperature','unit':'Celsius'"),
                     1);
    assert_int_equal(got[0].power_w, 7360);
    assert_int_equal(got[0].soc_pm, 555);
    assert_int_equal(got[0].temp_dc, 250);
    assert_int_equal(got[0].energy_mwh, SAMPLE_NONE);
    assert_int_equal(samples("'value':'7360.4','measurand':'Power.Active.Import'"), 1);
    assert_int_equal(got[0].power_w, 7360);
    assert_int_equal(samples("'value':'3000','measurand':'Power.Active.Export','unit':'W'"), 1);
    assert_int_equal(got[0].power_w, -3000);
    assert_int_equal(samples("'value':'300','measurand':'Temperature','unit':'K'"), 1);
    assert_int_equal(got[0].temp_dc, 268);
    assert_int_equal(samples("'value':'77','measurand':'Temperature','unit':'Fahrenheit'"), 1);
    assert_int_equal(got[0].temp_dc, 250);
    assert_int_equal(samples("'value':'101','measurand':'SoC'"),
                     0); /* nothing else in it, and no such SoC */
}

static void contexts_test(void **state)
{
    (void)state;
    assert_int_equal(samples("'value':'2000','context':'Transaction.End','unit':'Wh'|"
                             "'value':'1000','context':'Transaction.Begin','unit':'Wh'|"
                             "'value':'1500','context':'Sample.Periodic','unit':'Wh'"),
                     3);
    assert_int_equal(got[0].energy_mwh, 1000000);
    assert_int_equal(got[0].flags, SAMPLE_BEGIN);
    assert_int_equal(got[1].energy_mwh, 1500000);
    assert_int_equal(got[1].flags, 0);
    assert_int_equal(got[2].energy_mwh, 2000000);
    assert_int_equal(got[2].flags, SAMPLE_END);
    assert_int_equal(samples("'value':'1','context':'Trigger','unit':'Wh'"), 1);
    assert_int_equal(got[0].flags, SAMPLE_TRIGGER);
    assert_int_equal(samples("'value':'1','context':'Sample.Clock','unit':'Wh'"), 1);
    assert_int_equal(got[0].flags, SAMPLE_CLOCK);
}

static void nonsense_test(void **state)
{
    (void)state;
    assert_int_equal(samples("'value':'OCMF|','format':'SignedData'|'value':'42','unit':'Wh'") >= 1,
                     1);
    assert_int_equal(got[0].flags & SAMPLE_SIGNED_DATA, SAMPLE_SIGNED_DATA);
    assert_int_equal(samples("'value':'','unit':'Wh'"), 0);
    assert_int_equal(odd, 1);
    assert_int_equal(samples("'value':'abc'"), 0);
    assert_int_equal(odd, 1);
    assert_int_equal(samples("'value':'99999999999999999999','unit':'kWh'"), 0);
    assert_int_equal(odd, 1);
    assert_int_equal(samples("'value':'99999999999','measurand':'Voltage'"),
                     0); /* does not fit: not measured */
    assert_int_equal(samples("'value':'NaN','measurand':'SoC'|'value':' 7 ','unit':'Wh'"), 1);
    assert_int_equal(got[0].energy_mwh, 7000);
}

static int setup(void **state)
{
    (void)state;
    arena_init(&arena, 1 << 20);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(energy_test),     cmocka_unit_test(phases_test),
        cmocka_unit_test(quantities_test), cmocka_unit_test(contexts_test),
        cmocka_unit_test(nonsense_test),
    };
    return cmocka_run_group_tests_name("ocpp samples", tests, setup, teardown);
}
