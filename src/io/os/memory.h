// SPDX-License-Identifier: Apache-2.0
/* memory.h: what the process has from the operating system and does not use. */
#ifndef EVEN_IO_OS_MEMORY_H
#define EVEN_IO_OS_MEMORY_H

/** Call first: large tables come from the system, zeroed as they are touched, and go back to it when
 * they are freed, whatever was freed before. */
void os_memory_begin(void);
/** Gives freed memory back to the system, that of every thread. Takes milliseconds: for quiet times.
 * Any thread. */
void os_memory_trim(void);

#endif
