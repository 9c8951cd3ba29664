#pragma once
/* The mounts of this process, read from /proc/self/mountinfo at its start: nothing in a container
 * can mount, and the engine's own mounts of folders of the host are private, so none joins later.
 */

#include <stdint.h>
#include <sys/types.h>

enum { most_mounts = 4096 };

struct mount {
  uint64_t id;   /* as statx gives it */
  dev_t device;  /* of its file system, as maps of processes give it: of btrfs, stat has others */
  int is_memory; /* tmpfs or ramfs */
  int is_watched;
};

struct mount_table {
  struct mount all[most_mounts];
  int count;
};

/* Asked for each mount with its place in the tree; what it gives that is not 0 ends the reading. */
typedef int mount_check(const struct mount* mount, const char* point, const void* context);

/* 0; -1 with errno if it cannot be read or there are too many; else what `check` gave. */
int mount_table_read(struct mount_table* table, mount_check* check, const void* context);

/* NULL if there is none. */
struct mount* mount_by_id(struct mount_table* table, uint64_t id);
/* Whether something on a file system with this device is on a watched mount, as far as that can be
 * told from the device alone. One that no mount has is what overlays of older kernels tell of
 * their files. */
int mount_device_counts(const struct mount_table* table, dev_t device);
int mount_has_device(const struct mount_table* table, dev_t device);
