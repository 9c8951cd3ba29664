#define _GNU_SOURCE
#include "adapters/docker/init/disk_watch.h"

#include "adapters/docker/init/disk_look.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

static const int64_t second_ns = 1000000000;
static const int64_t shortest_ns = 100000000;
static const int64_t idle_ns = 1000000000;
static const int64_t longest_ns = 10000000000;

static struct mount_table mounts;

static int64_t now_ns(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return now.tv_sec * second_ns + now.tv_nsec;
}

int look_is_over(const struct look* look) {
  return look->hidden != NULL || look->used > look->limit;
}

void look_hide(struct look* look, const char* why, const char* name) {
  if (look->hidden != NULL) return;
  look->hidden = why;
  size_t at = 0;
  for (; name[at] != '\0' && at + 1 < sizeof look->name; ++at) {
    look->name[at] = (unsigned char)name[at] < ' ' || name[at] == 127 ? '?' : name[at];
  }
  look->name[at] = '\0';
}

int look_see(int folder, const char* name, int flags, struct statx* about) {
  const unsigned wanted = STATX_BASIC_STATS | STATX_MNT_ID;
  return statx(folder, name, flags | AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, wanted, about);
}

dev_t look_device_of(const struct statx* about) {
  return makedev(about->stx_dev_major, about->stx_dev_minor);
}

int look_is_changed(const struct look* look, const struct statx* about) {
  return about->stx_ctime.tv_sec * second_ns + about->stx_ctime.tv_nsec >= look->since_ns;
}

void look_weigh(struct look* look, const struct statx* about) {
  if (!look_is_changed(look, about)) return;
  /* Each name of a file has its part of it. */
  const uint64_t names = S_ISDIR(about->stx_mode) || about->stx_nlink == 0 ? 1 : about->stx_nlink;
  look->used += about->stx_blocks * 512 / names + 512;
}

int disk_watch_option(struct disk_watch* watch, const char* word) {
  if (strncmp(word, "watch=/", 7) == 0 && watch->count < most_watched) {
    watch->folders[watch->count++] = word + 6;
    return 1;
  }
  char* end = NULL;
  if (strncmp(word, "disk=", 5) != 0 || word[5] < '1' || word[5] > '9') return 0;
  errno = 0;
  watch->limit = strtoull(word + 5, &end, 10);
  return *end == '\0' && errno == 0 && watch->limit <= INT64_MAX / 2;
}

/* A folder without a link on the way to it: its descriptor with O_PATH. -1 with errno; `*is_barred`
 * if it lies in a folder that the command cannot enter either, nor open to itself. */
static int open_plain(const char* path, int* is_barred) {
  int folder = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  *is_barred = 0;
  while (folder >= 0) {
    char part[NAME_MAX + 1];
    path += strspn(path, "/");
    const size_t size = strcspn(path, "/");
    if (size == 0) return folder;
    struct statx above;
    int below = -1;
    errno = ENAMETOOLONG;
    if (size < sizeof part && look_see(folder, "", AT_EMPTY_PATH, &above) == 0) {
      memcpy(part, path, size);
      part[size] = '\0';
      below = openat(folder, part, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
      *is_barred = below < 0 && errno == EACCES && above.stx_uid != geteuid();
    }
    const int error = errno;
    close(folder);
    errno = error;
    folder = below;
    path += size;
  }
  return -1;
}

/* What lies over the marker's folder would have another marker, or none. */
struct place {
  const char *root, *door;
};
static int lies_below(const struct mount* mount, const char* point, const void* context) {
  const struct place* at = context;
  const size_t size = strlen(at->root);
  if (mount->is_memory || strncmp(point, at->root, size) != 0 || point[size] != '/') return 0;
  return at->door == NULL || strcmp(point, at->door) != 0;
}

static const char* open_folders(struct disk_watch* watch, const char** path) {
  for (int i = 0; i < watch->count; ++i) {
    int is_barred = 0;
    struct statx about;
    *path = watch->folders[i];
    watch->opened[i] = open_plain(*path, &is_barred);
    if (watch->opened[i] < 0 && is_barred) continue;
    if (watch->opened[i] < 0 || look_see(watch->opened[i], "", AT_EMPTY_PATH, &about) != 0) {
      return "cannot watch, because it is no folder or is reached through a link:";
    }
    struct mount* mount =
        about.stx_mask & STATX_MNT_ID ? mount_by_id(&mounts, about.stx_mnt_id) : NULL;
    for (int m = 0; mount == NULL && m < mounts.count; ++m) {
      if (mounts.all[m].device == look_device_of(&about)) mount = &mounts.all[m];
    }
    if (mount != NULL && mount->is_memory) {
      close(watch->opened[i]);
      watch->opened[i] = -1;
    } else if (mount != NULL) {
      mount->is_watched = 1;
    }
  }
  return NULL;
}

const char* disk_watch_begin(struct disk_watch* watch, const char* marker, const char** path) {
  watch->began_ns = now_ns(CLOCK_MONOTONIC_COARSE);
  watch->least_offset_ns = now_ns(CLOCK_REALTIME_COARSE) - watch->began_ns;
  watch->pause_ns = shortest_ns;
  watch->due_ns = now_ns(CLOCK_MONOTONIC) + watch->pause_ns;
  if (watch->limit == 0) return NULL;
  /* The folder above the marker's: /reeve of /reeve/state/started. */
  static char root[PATH_MAX];
  const size_t size = strlen(marker);
  memcpy(root, marker, size < sizeof root ? size : 0);
  for (int up = 0; up < 2; ++up) {
    char* slash = strrchr(root, '/');
    if (slash != NULL) *slash = '\0';
  }
  *path = root;
  const struct place place = {root, watch->door};
  const int found = mount_table_read(&mounts, lies_below, &place);
  if (found < 0) return "cannot read the mounts, to watch";
  errno = 0;
  if (found > 0) return "something is mounted below";
  return open_folders(watch, path);
}

int64_t disk_watch_rest_ns(const struct disk_watch* watch) {
  if (watch->limit == 0) return -1;
  const int64_t rest = watch->due_ns - now_ns(CLOCK_MONOTONIC);
  return rest > 0 ? rest : 0;
}

static void look_at_all(const struct disk_watch* watch, struct look* look) {
  held_look(look);
  for (int i = 0; i < watch->count && !look_is_over(look); ++i) {
    if (watch->opened[i] >= 0) tree_look(look, watch->opened[i]);
  }
  if (!look_is_over(look)) held_settle(look);
}

int disk_watch_look(struct disk_watch* watch) {
  if (watch->limit == 0) return 0;
  /* A clock that is set back gives times before the start to what is written after it. */
  const int64_t began = now_ns(CLOCK_MONOTONIC);
  const int64_t offset = now_ns(CLOCK_REALTIME_COARSE) - now_ns(CLOCK_MONOTONIC_COARSE);
  if (offset < watch->least_offset_ns) watch->least_offset_ns = offset;
  static struct look look;
  memset(&look, 0, sizeof look);
  look.limit = watch->limit;
  look.since_ns = watch->began_ns + watch->least_offset_ns;
  look.mounts = &mounts;
  look_at_all(watch, &look);
  watch->torn = look.is_torn ? watch->torn + 1 : 0;
  if (watch->torn >= most_torn) look_hide(&look, "parts were missed by each look", "");

  const int64_t ended = now_ns(CLOCK_MONOTONIC);
  const int is_calm = look.used == watch->used && !look.is_torn;
  watch->pause_ns = is_calm ? 2 * watch->pause_ns : shortest_ns;
  if (watch->pause_ns > idle_ns) watch->pause_ns = idle_ns;
  if (watch->pause_ns < 20 * (ended - began)) watch->pause_ns = 20 * (ended - began);
  if (watch->pause_ns > longest_ns) watch->pause_ns = longest_ns;
  watch->due_ns = ended + watch->pause_ns;
  watch->used = look.used;
  watch->hidden = look.hidden;
  memcpy(watch->name, look.name, sizeof watch->name);
  return look_is_over(&look);
}

int disk_watch_end(struct disk_watch* watch) {
  int is_over = disk_watch_look(watch);
  while (!is_over && watch->torn > 0) is_over = disk_watch_look(watch);
  return is_over;
}
