// SPDX-License-Identifier: Apache-2.0
/* app.h: the subcommands of the program. Each gets the arguments behind its name and answers the
 * exit code: 0 done, 1 the answer is no (check found something), 2 wrong usage, 70 cannot go on. */
#ifndef EVEN_APP_APP_H
#define EVEN_APP_APP_H

#include "app/config.h"

int serve_main(int argc, char **argv);
int demo_main(int argc, char **argv);
int bill_main(int argc, char **argv);
int check_main(int argc, char **argv);
int certificate_main(int argc, char **argv);

/** Takes `--config FILE`, `--dir D` and `--set name=value` out of the arguments, wherever they
 * stand, in order; prints what is wrong. The others stay: argv[0 … *argc). 0 or 2. */
int app_options(int *argc, char **argv, struct config *c);
/** What the options left over are names: prints the first that looks like an option (it begins with
 * '-') or stands behind the `most`-th. 0 or 2. */
int app_names(const char *command, int argc, char **argv, int most);

#endif
