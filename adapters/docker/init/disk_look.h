#pragma once
/* One look at what the command has on disk: what the parts of the watch share. */

#include "adapters/docker/init/disk_watch.h"
#include "adapters/docker/init/mount_table.h"

#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

struct look {
  uint64_t used, limit;
  int64_t since_ns;
  struct mount_table* mounts;
  /* Something of the command's cannot be looked at, which counts as over the limit: why, and the
   * name of what it is. */
  const char* hidden;
  char name[64];
  /* A part was missed, perhaps by chance: a folder was moved away below the look, or there were no
   * descriptors or no memory. */
  int is_torn;
};

/* statx follows STATX_MNT_ID and STATX_ATTR_MOUNT_ROOT from Linux 5.8 on. */
int look_see(int folder, const char* name, int flags, struct statx* about);
dev_t look_device_of(const struct statx* about);
int look_is_over(const struct look* look);
void look_hide(struct look* look, const char* why, const char* name);
int look_is_changed(const struct look* look, const struct statx* about);
void look_weigh(struct look* look, const struct statx* about);

/* disk_held.c: what is deleted and still held. Open files are weighed at once; what is only mapped
 * waits for the trees, where it may have another name. */
void held_look(struct look* look);
void held_is_in_tree(const struct look* look, const struct statx* about);
void held_settle(struct look* look);

/* disk_tree.c: everything below a folder that is open with O_PATH. */
void tree_look(struct look* look, int folder);
