#pragma once
/* What a container has written to disk, as PID 1 sees it from inside: engines whose storage has no
 * quotas (overlay2 on ext4) bound nothing. PID 1 has the command's user and no capability, so it
 * sees what the command sees. Counted is
 *  - what was made or changed since the start, below the watched folders: every file and folder
 *    with such a time of its inode, which nobody can set, by its blocks and 512 bytes for itself.
 *    What an image brought along counts once it is changed;
 *  - files that are deleted and still open, by their blocks, each once;
 *  - files that are deleted and only mapped, each once. Nothing tells their size to a process
 *    without capabilities: each counts by the part of it that is mapped, and with a 32nd of the
 *    limit at least, so that 32 of them are as many as there can be. On btrfs, one that is open as
 *    well counts both ways: there a map does not tell which file it is of.
 * Not counted: other mounts, and tmpfs, which is memory. A subvolume (btrfs) is no mount.
 *
 * As over the limit counts what cannot be looked at:
 *  - a folder of the command's own that it has made unreadable;
 *  - a folder of another user that the command may write to and not list, as soon as an entry of it
 *    is made, moved or removed (its ctime);
 *  - folders more than `deepest` levels below a watched one;
 *  - three looks in a row in which a part was missed: folders are moved away below the look, or
 *    PID 1 was left without descriptors or memory, whose limits a process of the same user can set.
 *
 * A look finds what was written before it, so a command can exceed its limit by what it writes
 * until the next one: 0.1 s while it writes, at most 1 s after it wrote nothing, and 20 times as
 * long as a look takes (that much is left for the command), at most 10 s. */

#include <stdint.h>

enum { most_watched = 64, most_held = 4096, deepest = 65536, most_torn = 3, least_part = 32 };

struct disk_watch {
  const char* folders[most_watched];
  int opened[most_watched]; /* with O_PATH; -1: nothing there is watched */
  int count;
  uint64_t limit;     /* bytes; 0: nothing is watched */
  uint64_t used;      /* at the last look */
  const char* door;   /* a folder beside the marker's that is mounted read-only; or NULL */
  const char* hidden; /* if not NULL: it found something that it could not look at, and why */
  char name[64];      /* of that, without control characters */
  int torn;           /* looks in a row that missed a part */
  int64_t began_ns, least_offset_ns;
  int64_t due_ns, pause_ns;
};

/* Takes "disk=BYTES" or "watch=FOLDER"; 0 if the word is neither, or one too many. */
int disk_watch_option(struct disk_watch* watch, const char* word);
/* NULL; else why it cannot be watched, with `*path` and errno (0: nothing to add). Each folder must
 * be one, and no part of its path a link: what an image mounts through a link lies elsewhere. What
 * the user cannot reach is no error: the command cannot either. Below the folder that the marker's
 * lies in, nothing but memory and the `door` may be mounted. */
const char* disk_watch_begin(struct disk_watch* watch, const char* marker, const char** path);
/* Until the next look; negative if there is none. */
int64_t disk_watch_rest_ns(const struct disk_watch* watch);
/* Looks now. 1 if it is over the limit. */
int disk_watch_look(struct disk_watch* watch);
/* The last look, when the command has ended. */
int disk_watch_end(struct disk_watch* watch);
