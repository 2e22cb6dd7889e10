// SPDX-License-Identifier: Apache-2.0
/* statement.ts: what may be done to a statement (enum statement_act of core/cmd.h, which is no table of the faces), beside its states. */
export { STATEMENT_CONFIRMED, STATEMENT_DISPUTED, STATEMENT_ISSUED } from '@/gen/enums'
export const STATEMENT_CONFIRM = 1
export const STATEMENT_DISPUTE = 2
export const STATEMENT_ANSWER = 3
