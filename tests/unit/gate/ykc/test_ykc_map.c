// SPDX-License-Identifier: Apache-2.0
/* test_ykc_map.c: numbers of 云快充 into ours and back. */
#include <setjmp.h> /* cmocka needs these four before itself */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "gate/ykc/ykc_conn.h"

static void test_stop_reasons(void **state)
{
    static const struct {
        int64_t raw;
        enum stop_reason want;
    } rows[] = {
        {0x40, STOP_NONE},      {0x41, STOP_FULL},       {0x42, STOP_LIMIT},     {0x43, STOP_CAP},
        {0x44, STOP_LIMIT},     {0x45, STOP_LOCAL},      {0x46, STOP_OTHER},     {0x4a, STOP_FAULT},
        {0x4e, STOP_CAP},       {0x50, STOP_EMERGENCY},  {0x6b, STOP_UNPLUGGED}, {0x6e, STOP_CAP},
        {0x72, STOP_EMERGENCY}, {0x83, STOP_POWER_LOSS}, {0x8f, STOP_FAULT},     {0x90, STOP_OTHER},
        {0, STOP_OTHER},        {255, STOP_OTHER},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_int_equal(ykc_stop_reason(ykc_profile(0), rows[i].raw), rows[i].want);
}

static void test_states(void **state)
{
    struct ykc_RealtimeData d = {.state = 2};

    (void)state;
    assert_int_equal(ykc_status(&d, CS_CHARGING), CS_AVAILABLE);
    d.plugged = 1;
    assert_int_equal(ykc_status(&d, CS_AVAILABLE), CS_PREPARING);
    assert_int_equal(ykc_status(&d, CS_CHARGING), CS_FINISHING);
    assert_int_equal(ykc_status(&d, CS_FINISHING), CS_FINISHING);
    d.state = 3;
    assert_int_equal(ykc_status(&d, CS_FINISHING), CS_CHARGING);
    d.state = 0;
    assert_int_equal(ykc_status(&d, CS_CHARGING), CS_UNAVAILABLE);
    d.state = 1;
    assert_int_equal(ykc_status(&d, CS_CHARGING), CS_FAULTED);
    d.state = 9; /* no document knows it: better safe */
    assert_int_equal(ykc_status(&d, CS_CHARGING), CS_FAULTED);
}

static void test_faults(void **state)
{
    (void)state;
    assert_string_equal(ykc_fault(0), "");
    assert_string_equal(ykc_fault(1), "EmergencyStop");
    assert_string_equal(ykc_fault(1 << 12), "DoorOpen");
    assert_string_equal(ykc_fault(6), "NoRectifier");
    assert_string_equal(ykc_fault(1 << 15), "OtherError");
}

static void test_samples(void **state)
{
    struct ykc_RealtimeData d = {.voltage = 4000,
                                 .current = 500,
                                 .soc = 55,
                                 .battery_temp = 30,
                                 .energy = 80000,
                                 .loss_energy = 80000,
                                 .amount = 78643};
    struct core_sample s;

    (void)state;
    ykc_sample(&d, &s);
    assert_int_equal(s.voltage_mv, 400000);
    assert_int_equal(s.current_ma, 50000);
    assert_int_equal(s.power_w, 20000);
    assert_int_equal(s.soc_pm, 550);
    assert_int_equal(s.temp_dc, 300);
    assert_int_equal(s.energy_mwh, 8000000); /* 8 kWh */
    assert_int_equal(s.cost, 78643);
    assert_int_equal(s.time_ms, 0);
    d = (struct ykc_RealtimeData){.battery_temp = -50, .energy = 5};
    ykc_sample(&d, &s);
    assert_int_equal(s.energy_mwh, 500); /* the adjusted one is empty */
    assert_int_equal(s.soc_pm, SAMPLE_NONE32);
    assert_int_equal(s.temp_dc, SAMPLE_NONE32);
}

static void test_money(void **state)
{
    (void)state;
    assert_int_equal(ykc_fen(40000), 400); /* 4.00 yuan */
    assert_int_equal(ykc_fen(40099), 400);
    assert_int_equal(ykc_fen(-1), 0);
    assert_int_equal(ykc_fen(INT64_MAX), UINT32_MAX);
}

static void test_record_times_and_units(void **state)
{
    struct ykc_Record r = {
        .order = "00000000000000000000000000000007",
        .gun = "02",
        .start = 1584378887000,
        .end = 0,
        .classes = {{.price = 130000, .energy = 100000, .loss = 100010, .amount = 130013}},
        .meter_start = 100000,
        .meter_end = 200000,
        .energy = 100000,
        .amount = 130000,
        .vin = "LGXC",
        .mark = 1,
        .reason = 0x43,
        .card = "00000000D14B0A54"};
    struct cmd_tx_record out = {0};

    (void)state;
    ykc_record(ykc_profile(0), &r, 8 * 3600, &out);
    assert_int_equal(out.connector, 2);
    assert_int_equal(out.stop, STOP_CAP);
    assert_string_equal(out.tx_no, r.order);
    assert_int_equal(out.start_ms, 1584378887000 - 8 * 3600 * 1000);
    assert_int_equal(out.end_ms, 0); /* none stays none */
    assert_int_equal(out.class_price_e5[0], 130000);
    assert_int_equal(out.class_energy_mwh[0], 10001000);
    assert_int_equal(out.class_amount[0], 130013);
    assert_int_equal(out.meter_start_mwh, 10000000);
    assert_int_equal(out.meter_end_mwh, 20000000);
    assert_int_equal(out.energy_mwh, 10000000);
    assert_int_equal(out.raw_reason, 0x43);
    assert_string_equal(out.card, "00000000D14B0A54");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stop_reasons), cmocka_unit_test(test_states),
        cmocka_unit_test(test_faults),       cmocka_unit_test(test_samples),
        cmocka_unit_test(test_money),        cmocka_unit_test(test_record_times_and_units),
    };

    return cmocka_run_group_tests_name("ykc map", tests, NULL, NULL);
}
