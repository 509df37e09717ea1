/* A kernel that does what it is asked and keeps a log of what changed below one directory. Its
 * clock and its random numbers are the same every time. */
#ifndef RECORDER_H
#define RECORDER_H

#include "oplog.h"

/* Looks at everything below `path`, then puts itself in front of the real kernel. */
void recorder_start(const char *path);
/* The real kernel again. The caller finishes the log. */
oplog recorder_stop(void);

/* From the next start until the one after it: syncs of what has such a name (fnmatch) are answered
 * with success and not done. */
void recorder_drop_syncs(const char *pattern);
/* Likewise: RENAME_EXCHANGE is unknown. */
void recorder_refuse_exchange(void);
/* Likewise: before the change of this number (0 is the first), `action` runs with the real kernel
 * in force. */
void recorder_before(size_t change, void (*action)(void));
/* Changes since the start, and those of names that were not recorded. */
size_t recorder_changes(void);

#endif
