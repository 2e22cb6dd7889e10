// SPDX-License-Identifier: Apache-2.0
/* replay_core.h: `even replay-core DIR|BACKUP --flight FILE…`: a recorded flight against a copy of the
 * state it began from. */
#ifndef EVEN_APP_REPLAY_CORE_H
#define EVEN_APP_REPLAY_CORE_H

/** 0 = the same life, 1 = another one, 2 = wrong usage, 70 = it cannot be told. */
int replay_core_main(int argc, char **argv);

#endif
