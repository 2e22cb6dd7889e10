// SPDX-License-Identifier: Apache-2.0
/* audit_bank.h: what the auditor knows of payouts by bank: files, who made them, what stands in them, what the bank
 * was told and paid, and where each party's money may go (audit_bank.c). */
#ifndef EVEN_TOWN_AUDIT_BANK_H
#define EVEN_TOWN_AUDIT_BANK_H

#include <sqlite3.h>
#include "core/cmd.h"

struct audit;
struct fact;

enum { AUDIT_PARTY_WISHES = 128 };

/** What the bank knows of a row of a file. */
enum bank_said { BANK_NOT_TOLD, BANK_TOLD, BANK_PAID, BANK_REFUSED };

/** A payout in a file. */
struct seen_pay {
    int64_t file, payout, amount;
    int64_t out_by; /* who took it out; 0 = it stands */
    enum bank_said bank;
    int64_t told; /* how much the bank read there */
};
struct seen_pay_file {
    int64_t id, made_by, amount;
    int32_t made_kind, n;
};
/** Of a party. place: which of its payees it names. */
struct seen_payee {
    int32_t state, verified, place, version;
};
/** What a request that changes a party makes of it, by the request's key. */
struct party_wish {
    char key[65];
    int partner;
    struct seen_payee to;
};

struct seen_bank {
    bool on; /* this town has it */
    struct seen_payee payee[3];
    struct party_wish wish[AUDIT_PARTY_WISHES];
    int wishes;
    bool frozen[8];
    int64_t key, key_by; /* an API key, and the person who made it */
    struct seen_pay *pay;
    size_t pays, pays_size;
    struct seen_pay_file *file;
    size_t files, files_size;
};

/** May money go there now? 0, ERR_DISABLED, ERR_DENIED: a new payout of the party. */
int audit_bank_party(const struct audit *a, int64_t party);
bool audit_bank_frozen(const struct audit *a, int64_t driver);
/** Of a payout that is asked for now: where it goes. */
int32_t audit_bank_place(const struct audit *a, int64_t party);
/** CMD_PAYOUT_DECIDE. */
int audit_bank_decide(const struct audit *a, const struct cmd *cmd, int64_t now_ms);
/** CMD_PAY_FILE_NEW, CMD_PAY_FILE_OUT, CMD_WALLET_FREEZE, and CMD_ROW_PUT of a party. */
int audit_bank_expect(const struct audit *a, const struct cmd *cmd);
void audit_bank_effect(struct audit *a, const struct cmd *cmd, int64_t id);
/** The request in cmd will make that of the party; false: no room, it is not to be made. */
bool audit_bank_wish(struct audit *a, const char *key, int partner, const struct seen_payee *to);

/** The row of the file that the payout stands in; NULL = it stands in none. */
struct seen_pay *audit_bank_row(const struct audit *a, const struct fact *payout);
/** What the platform would list in a file of all that waits, by its own statement; how many. sure: nothing is
 * under way, and so it must be what is expected. */
int32_t audit_bank_waiting(struct audit *a, bool sure, int64_t ids[PAY_FILE_MAX]);
/** Somebody fetches the file and hands it to the bank; nothing is under way. */
void audit_bank_fetch(struct audit *a, int64_t file);
/** The bank pays this row, or refuses it. */
void audit_bank_pays(struct audit *a, struct seen_pay *row, bool pays);

/** Rows of the file; over: and all that the bank was told is told back. */
void audit_bank_file(struct audit *a, sqlite3 *db, bool over);

#endif
