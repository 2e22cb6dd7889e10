// SPDX-License-Identifier: Apache-2.0
/* types.h: the enums of the domain. Their numbers stand in the database and in recorded commands: they are never
 * renumbered and never reused; new ones go at the end. Words are those of doc/glossary.md. */
#ifndef EVEN_CORE_TYPES_H
#define EVEN_CORE_TYPES_H

enum protocol { PROTOCOL_OCPP16 = 1, PROTOCOL_YKC = 2 };

/** State of directory rows (tenant, person, driver, token, station, party, key). */
enum row_state { ROW_ACTIVE = 0, ROW_DISABLED = 1, ROW_DELETED = 2 };

enum role {
    ROLE_NONE = 0,
    ROLE_ADMIN = 1,
    ROLE_OPERATOR = 2,
    ROLE_PARTNER = 3,
    ROLE_DRIVER = 4,
    ROLE_VIEWER = 5
};

enum actor_kind {
    ACTOR_NONE = 0,
    ACTOR_SYSTEM = 1,
    ACTOR_PERSON = 2,
    ACTOR_DRIVER = 3,
    ACTOR_API_KEY = 4,
    ACTOR_CHARGER = 5
};

enum party_kind { PARTY_PLATFORM = 1, PARTY_PROPERTY = 2, PARTY_AGENT = 3, PARTY_PARTNER = 4 };

enum token_kind { TOKEN_CARD = 1, TOKEN_APP = 2, TOKEN_VIN = 3 };

/** WAITING: seen on the wire, not yet registered by anybody; carries no money. */
enum charger_state { CHARGER_ACTIVE = 0, CHARGER_DISABLED = 1, CHARGER_WAITING = 2 };

/** Learnt or set; the cap works better with each. Neither TRAIT_X nor TRAIT_NO_X: not known yet. */
enum charger_trait {
    TRAIT_TRIGGER = 1,
    TRAIT_INTERVAL = 2,
    TRAIT_PROFILE = 4,
    TRAIT_REGISTER_SESSION = 8,
    TRAIT_NO_TRIGGER = 16,
    TRAIT_NO_INTERVAL = 32,
    TRAIT_NO_PROFILE = 64
};

enum unknown_policy { UNKNOWN_REFUSE = 0, UNKNOWN_WAIT = 1 };

enum connector_kind {
    CONNECTOR_AC = 1,
    CONNECTOR_DC = 2,
    CONNECTOR_SOCKET = 3,
    CONNECTOR_SLOT = 4
};

/** OCPP 1.6 names; 云快充 states are mapped onto them. OFFLINE is ours: the charger is not connected. */
enum connector_status {
    CS_OFFLINE = 0,
    CS_AVAILABLE = 1,
    CS_PREPARING = 2,
    CS_CHARGING = 3,
    CS_SUSPENDED_EV = 4,
    CS_SUSPENDED_EVSE = 5,
    CS_FINISHING = 6,
    CS_RESERVED = 7,
    CS_UNAVAILABLE = 8,
    CS_FAULTED = 9
};

/** What a pile tells of the talk with the vehicle (GB/T 27930); the numbers of 云快充's frames. */
enum battery_phase {
    BATTERY_RATED = 0x15, /* handshake */
    BATTERY_SETUP = 0x17, /* limits and state before the charge */
    BATTERY_END = 0x19,
    BATTERY_ERROR = 0x1b,     /* a message of the talk was lost */
    BATTERY_ABORT = 0x1d,     /* the vehicle ended it */
    BATTERY_ABORT_PILE = 0x21 /* the charger ended it */
};

enum parking_lock { LOCK_UNKNOWN = 0, LOCK_MOVING = 1, LOCK_UP = 2, LOCK_DOWN = 3 };
enum parking_bay { BAY_UNKNOWN = 0, BAY_EMPTY = 1, BAY_TAKEN = 2 };

enum order_kind {
    ORDER_CHARGE = 1,
    ORDER_OCCUPANCY = 2,
    ORDER_DISCHARGE = 3,
    ORDER_SWAP = 4,
    ORDER_PART = 5 /* the second gun of a parallel charge: its money is its main order's */
};

enum payer_kind {
    PAYER_NONE = 0,
    PAYER_WALLET = 1,
    PAYER_SINGLE = 2,
    PAYER_COMPANY = 3,
    PAYER_ROAMING = 4
};

/** DESIGN 5. Terminal: START_FAILED, SETTLED. DOUBTFUL: lower amount settled, the difference waits. */
enum order_state {
    ORDER_CREATED = 1,
    ORDER_HELD = 2,
    ORDER_STARTING = 3,
    ORDER_CHARGING = 4,
    ORDER_SUSPENDED = 5,
    ORDER_STOPPING = 6,
    ORDER_ENDED = 7,
    ORDER_SETTLED = 8,
    ORDER_START_FAILED = 9,
    ORDER_DOUBTFUL = 10
};

enum session_state { SESSION_OPEN = 1, SESSION_ENDED = 2 };

enum start_kind {
    START_APP = 1,
    START_CARD = 2,
    START_OFFLINE = 3,
    START_STAFF = 4,
    START_VIN = 5
};

enum stop_reason {
    STOP_NONE = 0,
    STOP_DRIVER = 1,
    STOP_CAP = 2,
    STOP_FULL = 3,
    STOP_UNPLUGGED = 4,
    STOP_STAFF = 5,
    STOP_LOCAL = 6,
    STOP_FAULT = 7,
    STOP_EMERGENCY = 8,
    STOP_POWER_LOSS = 9,
    STOP_REBOOT = 10,
    STOP_SILENCE = 11,
    STOP_DEAUTHORIZED = 12,
    STOP_LIMIT = 13,
    STOP_OTHER = 14
};

enum hold_state { HOLD_OPEN = 1, HOLD_RESOLVED = 2 };

/** What a local or offline start does about money. */
enum hold_policy { HOLD_DEFAULT_OR_REFUSE = 0, HOLD_AVAILABLE = 1, HOLD_NONE_DEBT = 2 };

/** Which of a wallet's money an order spends first. */
enum gift_order { GIFT_LAST = 0, GIFT_FIRST = 1, GIFT_EVENLY = 2 };

/** Who bears what exceeds the hold. */
enum overrun_policy { OVERRUN_LOSS = 0, OVERRUN_DEBT = 1 };

enum account_kind {
    ACCOUNT_CASH =
        1, /* money that staff took in cash or by bank; contra of top-ups, may be negative */
    ACCOUNT_WALLET = 2, /* driver's principal */
    ACCOUNT_WALLET_BONUS = 3,
    ACCOUNT_DEBT = 4,      /* driver owes */
    ACCOUNT_PENDING = 5,   /* party: share inside the refund window */
    ACCOUNT_AVAILABLE = 6, /* party: may be withdrawn */
    ACCOUNT_INCOME = 7,    /* platform's own share */
    ACCOUNT_OVERRUN = 8,   /* operator's loss account; may be negative */
    ACCOUNT_SUSPENSE = 9,
    ACCOUNT_CHANNEL = 10,
    ACCOUNT_CHANNEL_FEE = 11,
    ACCOUNT_BANK = 12,
    ACCOUNT_TRANSIT = 13,
    ACCOUNT_TAX = 14,
    ACCOUNT_PARTY_DEBT = 15,
    ACCOUNT_MARKETING = 16, /* contra of gift money; what was given away is its negative balance */
    ACCOUNT_COMPANY = 17,   /* pays for its members; with credit its floor is below zero */
    ACCOUNT_GRID = 18 /* contra of energy bought from drivers: its negative balance was paid */
};

enum transfer_code {
    TRANSFER_TOPUP = 1,
    TRANSFER_CAPTURE = 2,
    TRANSFER_REVERSAL = 3,
    TRANSFER_CORRECTION = 4,
    TRANSFER_MATURE = 5,
    TRANSFER_REFUND = 6,
    TRANSFER_WITHDRAWAL = 7,
    TRANSFER_PAYOUT_DONE = 8,
    TRANSFER_PAYOUT_BACK = 9,
    TRANSFER_SUSPENSE = 10,
    TRANSFER_SUSPENSE_OUT = 11,
    TRANSFER_CHANNEL = 12,   /* at a channel: the provider kept its fee, or paid out to the bank */
    TRANSFER_CLAUSE = 14,    /* what a month lacked to a guarantee, from the operator to a party */
    TRANSFER_GIFT = 15,      /* gift money to a wallet */
    TRANSFER_GIFT_BACK = 16, /* forfeited, expired, or gone with a refund of its top-up */
    TRANSFER_COMPANY_IN = 17,
    TRANSFER_DISCHARGE = 18, /* energy that a driver's vehicle gave back is paid */
    TRANSFER_SHARED =
        19, /* a share that the channel pays out of the payment itself, into transit */
    TRANSFER_WITHHELD = 20,    /* tax of a payout, from transit */
    TRANSFER_TAX_PAID = 22,    /* to the tax office */
    TRANSFER_RENT = 23,        /* rent of a month, from the operator to a party */
    TRANSFER_LATE = 24,        /* what the true end of an order adds to its estimated bill */
    TRANSFER_SHARE_RETURN = 25 /* a share that the channel paid came back to the channel */
};

enum channel_kind {
    CHANNEL_WECHAT = 1,
    CHANNEL_ALIPAY = 2,
    CHANNEL_RAIL = 3, /* allocation rail: balance transfers to sub-accounts (划拨付款) */
    CHANNEL_BANK = 4  /* bank file, exported and imported by people */
};

enum pay_method {
    PAY_METHOD_STAFF = 0,
    PAY_METHOD_QR = 1,
    PAY_METHOD_H5 = 2,
    PAY_METHOD_APP = 3,
    PAY_METHOD_GIFT = 4,     /* gift money without a payment: the lot's amount is 0 */
    PAY_METHOD_DISCHARGE = 5 /* what a discharge earned; its order is the lot's order_id */
};

/** WAITING: the provider knows it, the driver may pay. CLOSED may still become PAID: a late payment
 * is the driver's money all the same. */
enum payment_state {
    PAYMENT_CREATED = 1,
    PAYMENT_WAITING = 2,
    PAYMENT_PAID = 3,
    PAYMENT_CLOSED = 4,
    PAYMENT_FAILED = 5,
    PAYMENT_SUSPENSE = 6 /* paid, but not what was asked for: a person decides */
};

/** SHARED: a share of an order that the channel pays out of its payment (分账), not by a withdrawal.
 * RETURNED: such a share that is asked back after a refund (分账回退): its amount is negative. */
enum payout_kind { PAYOUT_SHARE = 1, PAYOUT_PRINCIPAL = 2, PAYOUT_SHARED = 3, PAYOUT_RETURNED = 4 };

/** Of a single payment whose channel pays shares. */
enum sharing_state {
    SHARING_NONE = 0,
    SHARING_FLAGGED = 1, /* the provider keeps it frozen; its order is not over */
    SHARING_WAIT = 2,    /* over: the rest goes back first */
    SHARING_SENT = 3,    /* asked; until the provider says what became of each share */
    SHARING_REST = 4,    /* what nobody gets of it is to be unfrozen */
    SHARING_OVER = 5
};

/** DESIGN 4. UNKNOWN stays UNKNOWN until the provider was asked. 5 to 8 are final. */
enum payout_state {
    PAYOUT_REQUESTED = 1, /* waits for a second person */
    PAYOUT_APPROVED = 2,  /* to be sent; or in the bank's file */
    PAYOUT_SENT = 3,
    PAYOUT_WAIT_PAYEE = 4,
    PAYOUT_SETTLED = 5,
    PAYOUT_FAILED = 6,
    PAYOUT_REFUSED = 7,
    PAYOUT_CANCELLED = 8,
    PAYOUT_UNKNOWN = 9
};

/** What a person must look at: the rail says that it paid another amount, or nothing; or, after that,
 * that it did not pay. */
enum payout_doubt {
    PAYOUT_DOUBT_NONE = 0,
    PAYOUT_DOUBT_AMOUNT = 1,
    PAYOUT_DOUBT_NOTHING = 2,
    PAYOUT_DOUBT_FAILED = 3
};

/** Why a bank's file does not list a payout that waits: since its approval its party was disabled or got
 * another payee, its driver's wallet was frozen or closed. */
enum payout_left {
    PAYOUT_LEFT_NONE = 0,
    PAYOUT_LEFT_PARTY = 1,
    PAYOUT_LEFT_PAYEE = 2,
    PAYOUT_LEFT_FROZEN = 3,
    PAYOUT_LEFT_CLOSED = 4
};

/** What the core asks of a provider. */
enum pay_op {
    PAY_CREATE = 1,
    PAY_QUERY = 2,
    PAY_CLOSE = 3,
    PAY_REFUND = 4,
    PAY_REFUND_QUERY = 5,
    PAY_TRANSFER = 6,
    PAY_TRANSFER_QUERY = 7,
    PAY_NOTICE = 8,       /* it spoke by itself */
    PAY_ACCOUNT_OPEN = 9, /* open a party's sub-account, after a check of its identity */
    PAY_ACCOUNT_QUERY = 10,
    PAY_SHARE = 11, /* pay shares out of a payment */
    PAY_SHARE_QUERY = 12,
    PAY_UNFREEZE = 13, /* nobody gets more of that payment */
    PAY_RETURN = 14,   /* ask a share back from who got it */
    PAY_RETURN_QUERY = 15
};

/** What became of it, as far as it is certain. */
enum pay_state {
    PAY_PENDING = 1,
    PAY_DONE = 2,
    PAY_CLOSED = 3,
    PAY_FAILED = 4, /* for certain */
    PAY_UNKNOWN = 5,
    PAY_WAIT_PAYEE = 6,
    PAY_NO_FUNDS = 7 /* our balance at the provider is short: try again later */
};

/** A statement is made by staff for a month that is over; its figures never change. */
enum statement_state { STATEMENT_ISSUED = 1, STATEMENT_CONFIRMED = 2, STATEMENT_DISPUTED = 3 };

/** What a provider's bill of a day lists. Where SHARES has a bill of its own, TRADE lists no shares. */
enum bill_kind {
    BILL_TRADE = 0, /* payments, refunds, payouts */
    BILL_SHARES = 1 /* shares that the channel paid out of payments, and those that came back */
};

/** Why a line of a provider's bill and the books do not agree; the last two are found without a bill. */
enum bill_class {
    BILL_AMOUNT = 1,
    BILL_FEE = 2,
    BILL_DAY_CUT = 3,
    BILL_THEIRS_ONLY = 4,
    BILL_OURS_ONLY = 5,
    BILL_PAYMENT = 6, /* a driver paid another amount than he was asked for */
    BILL_PAYOUT = 7   /* the rail paid another amount than it was asked for */
};

/** POSTED: the difference is on the suspense account. */
enum diff_state { DIFF_OPEN = 1, DIFF_POSTED = 2, DIFF_RESOLVED = 3 };

/** How a difference is resolved. */
enum diff_way {
    DIFF_TO_DRIVER = 1,  /* into a driver's wallet */
    DIFF_TO_PAYMENT = 2, /* it is that payment, which nobody told us of */
    DIFF_TO_LOSS = 3,    /* the operator's loss, or gain */
    DIFF_TO_FEE = 4,     /* it is a fee of the channel */
    DIFF_BY_BANK = 5,    /* paid, or paid back, by the operator's bank account */
    DIFF_REVERSED = 6,   /* another difference over the same amount takes it back */
    DIFF_PAIRED = 7,     /* another day's bill has the other side */
    DIFF_TO_PARTY = 8    /* a party's share, either way; always by two people */
};

enum rounding_rule {
    ROUND_DEFICIT = 0,
    ROUND_HALF_UP = 1, /* each half up, the operator takes the rest */
    ROUND_LARGEST = 2  /* largest remainder of each order by itself */
};

/** What of an order was paid by gift money: nobody's share, or shared like the rest (marketing pays). */
enum gift_rule { GIFT_EXCLUDED = 0, GIFT_FUNDED = 1 };

/** Clauses of a contract besides its ratios; core/split.h says what each does. */
enum clause_kind {
    CLAUSE_ENERGY = 1, /* price_e5 per kWh, before the ratios: purchased electricity, rent by kWh */
    CLAUSE_ORDER = 2,  /* a fixed amount per order, before the ratios */
    CLAUSE_PERCENT =
        3, /* basis points of the fee line, before the ratios: maintenance, channel fee */
    CLAUSE_AGENT = 4,       /* basis points of another party's share, taken from it */
    CLAUSE_TIER = 5,        /* another ratio from this money of the month on */
    CLAUSE_TIER_ENERGY = 6, /* … from this energy of the month on */
    CLAUSE_CAP = 7, /* most that a party gets in a month; what exceeds it is the operator's */
    CLAUSE_GUARANTEE =
        8,           /* least that a party gets in a month; the operator adds what is missing */
    CLAUSE_RENT = 9, /* fixed amount a month, from the operator */
    CLAUSE_CHANNEL =
        10 /* before the ratios: what channels charge for the lots that paid (lotfee.h) */
};

/** DISCHARGE: what the driver gets, in lines that are positive like the others. */
enum fee_kind { FEE_ELECTRICITY = 1, FEE_SERVICE = 2, FEE_OCCUPANCY = 4, FEE_DISCHARGE = 8 };

/** Evidence rules that fired for a session (bit set). */
enum evidence_flag {
    EV_PLACEHOLDER_START = 1,
    EV_BACKWARDS = 2,
    EV_RESET = 4,
    EV_ROLLOVER = 8,
    EV_IMPLAUSIBLE = 16,
    EV_GAP = 32,
    EV_CLOCK = 64,
    EV_UNIT = 128,
    EV_STOP_MISMATCH = 256,
    EV_AFTER_STOP = 512,
    EV_NO_START = 1024,
    EV_RECORD_MISMATCH = 2048
};

enum doubt_reason {
    DOUBT_NONE = 0,
    DOUBT_PLACEHOLDER = 1,
    DOUBT_BACKWARDS = 2,
    DOUBT_IMPLAUSIBLE = 3,
    DOUBT_NO_STOP = 4,
    DOUBT_STOP_MISMATCH = 5,
    DOUBT_RECORD_MISMATCH = 6,
    DOUBT_CLOCK = 7,
    DOUBT_NEGATIVE = 8
};

enum order_event_kind {
    OE_CREATED = 1,
    OE_HELD = 2,
    OE_START_SENT = 3,
    OE_START_ACCEPTED = 4,
    OE_START_REJECTED = 5,
    OE_START_TIMEOUT = 6,
    OE_TX_STARTED = 7,
    OE_SUSPENDED = 8,
    OE_RESUMED = 9,
    OE_STOP_SENT = 10,
    OE_STOP_ACCEPTED = 11,
    OE_STOP_REJECTED = 12,
    OE_TX_STOPPED = 13,
    OE_SETTLED = 14,
    OE_DOUBT = 15,
    OE_DECIDED = 16,
    OE_CORRECTED = 17,
    OE_OFFLINE = 18,
    OE_ONLINE = 19,
    OE_CAP_NEAR = 20,
    OE_TAPER = 21,
    OE_CLOSED_ESTIMATED = 22,
    OE_LATE_START = 23,
    OE_REFUNDED = 24,
    OE_CAP_RAISED = 25,
    OE_RECORD_DIFFERS = 26,
    OE_OCC_BEGAN = 40,   /* detail: free until, ms */
    OE_OCC_NEAR = 41,    /* the free time ends soon; detail: when, ms */
    OE_OCC_FEE = 42,     /* the fee runs; detail: what is held */
    OE_OCC_RUNS = 43,    /* … still; detail: amount so far */
    OE_OCC_PAUSED = 44,  /* nothing sure is known any more; detail: why */
    OE_OCC_RESUMED = 45, /* it is again; the time between is free */
    OE_OCC_CAPPED = 46,  /* it costs no more */
    OE_OCC_ENDED = 47,   /* detail: by what */
    OE_OCC_WAIVED = 48,  /* detail: why */
    OE_UNPAID = 60, /* a discharge earned what its driver cannot get any more; detail: how much */
    /* A text to the driver. Detail: enum notice_kind, what it says ends when (ms; 0 = nothing), and
     * why not, a word. */
    OE_NOTICE_SENT = 61,
    OE_NOTICE_NOT_SENT = 62,
    OE_NOTICE_UNKNOWN = 63
};

/** What a text to a driver is about. */
enum notice_kind {
    NOTICE_ENDED = 1, /* the charge is over and paid */
    NOTICE_NEAR = 2,  /* the free time ends soon */
    NOTICE_FEE = 3,   /* the occupancy fee begins to run … */
    NOTICE_RUNS = 4,  /* … and still runs */
    NOTICE_DOUBT = 5  /* the charge is over, and a part of it waits for a decision */
};
enum notice_outcome { NOTICE_SENT = 1, NOTICE_NOT_SENT = 2, NOTICE_UNKNOWN = 3 };

enum company_kind { COMPANY_PREPAID = 1, COMPANY_CREDIT = 2 };

/** OPEN: its month is not over, or nobody made the bill yet. Of a prepaid company it is settled as it is
 * made: everything was paid before. Overdue is what is not settled and past its due_ms. */
enum company_bill_state {
    COMPANY_BILL_OPEN = 1,
    COMPANY_BILL_ISSUED = 2,
    COMPANY_BILL_PART = 3,
    COMPANY_BILL_SETTLED = 4
};

/** A driver asks, staff take it to the tax system and note what that made of it. A red invoice takes
 * back of another (red_of) and is neither rejected nor cancelled. */
enum invoice_state {
    INVOICE_REQUESTED = 1,
    INVOICE_EXPORTED = 2, /* handed to the tax system */
    INVOICE_ISSUED = 3,
    INVOICE_REJECTED = 4,
    INVOICE_CANCELLED = 5
};

enum invoice_buyer { BUYER_PERSON = 1, BUYER_COMPANY = 2 };

/** Companies hand in an invoice before they are paid. */
enum payee_kind { PAYEE_UNKNOWN = 0, PAYEE_COMPANY = 1, PAYEE_PERSON = 2 };

/** What a station costs in a month, as staff enter it. */
enum cost_kind { COST_ELECTRICITY = 1, COST_RENT = 2, COST_MAINTENANCE = 3, COST_OTHER = 4 };

/** What a wallet does not have for an occupancy fee. */
enum occupancy_pay { OCC_PAY_LOSS = 0, OCC_PAY_DEBT = 1 };
enum occupancy_exempt { OCC_EXEMPT_COMPANY = 1 };

enum command_state {
    COMMAND_QUEUED = 1,
    COMMAND_SENT = 2,
    COMMAND_DONE = 3,
    COMMAND_FAILED = 4,
    COMMAND_TIMEOUT = 5
};

/** A party's sub-account at an allocation rail. ASKED: it is not known whether the provider heard of it;
 * CHECKING: it looks at the identity. No row: nobody asked. */
enum party_account_state {
    PARTY_ACCOUNT_ASKED = 1,
    PARTY_ACCOUNT_CHECKING = 2,
    PARTY_ACCOUNT_OPEN = 3,
    PARTY_ACCOUNT_REFUSED = 4,
    PARTY_ACCOUNT_CLOSED = 5,
    PARTY_ACCOUNT_WAITS = 6 /* in another name than the party's: for a second person */
};

enum firmware_state { FIRMWARE_COMING, FIRMWARE_READY, FIRMWARE_WITHDRAWN };

#endif
