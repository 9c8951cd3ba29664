#pragma once
/* What the kernel has killed for want of memory in this container, as its own cgroup counts it. The
 * kernel counts before it kills, so whoever sees the end sees the count; an engine hears of both by
 * ways of their own, and what reaches it after the end it forgets. */

#include <stdint.h>

/* Processes, since the cgroup was made; -1 if it does not tell. */
int64_t memory_kills(void);
