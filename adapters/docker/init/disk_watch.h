#pragma once
/* What a container has written to disk, as PID 1 sees it from inside: engines whose storage has no
 * quotas (overlay2 on ext4) bound nothing. Counted is what was made or changed since the start:
 * every file and folder with such a time of its inode, which nobody can set, by its blocks and 512
 * bytes for itself; and files that are deleted but still open. What an image brought along counts
 * once it is changed. Not counted: other mounts, and tmpfs, which is memory.
 *
 * A folder of the command's own that it has made unreadable counts as over the limit. A look finds
 * what was written before it, so a command can exceed its limit by what it writes until the next
 * one: 0.1 s while it writes, at most 1 s after it wrote nothing, and 20 times as long as a look
 * takes (that much is left for the command), at most 10 s. */

#include <stdint.h>

enum { most_watched = 64, most_deleted = 512, deepest = 128 };

struct disk_watch {
  const char* folders[most_watched];
  int count;
  uint64_t limit; /* bytes; 0: nothing is watched */
  uint64_t used;  /* at the last look */
  int hidden;     /* it found something of the command's that it could not look at */
  int64_t began_ns, least_offset_ns;
  int64_t due_ns, pause_ns;
};

/* Takes "disk=BYTES" or "watch=FOLDER"; 0 if the word is neither, or one too many. */
int disk_watch_option(struct disk_watch* watch, const char* word);
void disk_watch_begin(struct disk_watch* watch);
/* Until the next look; negative if there is none. */
int64_t disk_watch_rest_ns(const struct disk_watch* watch);
/* Looks now. 1 if it is over the limit. */
int disk_watch_look(struct disk_watch* watch);
