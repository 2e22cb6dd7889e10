// SPDX-License-Identifier: Apache-2.0
/* sim.h: `even sim`: thousands of simulated chargers in one process, over real sockets. */
#ifndef EVEN_SIM_SIM_H
#define EVEN_SIM_SIM_H

/** Runs the simulator; argv[1 …] are its options (--help lists them). Returns the exit status. */
int sim_main(int argc, char **argv);

#endif
