// SPDX-License-Identifier: Apache-2.0
/* replay.h: `even replay`: real sessions of the past through a running platform. */
#ifndef EVEN_APP_REPLAY_H
#define EVEN_APP_REPLAY_H

/** The subcommand; the arguments behind its name. 0 = every row is accounted for (and as expected),
 * 1 = not, 2 = wrong usage, 70 = cannot go on. */
int replay_main(int argc, char **argv);

#endif
