#define _GNU_SOURCE
#include "adapters/docker/init/disk_watch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

static const int64_t second_ns = 1000000000;
static const int64_t shortest_ns = 100000000;
static const int64_t idle_ns = 1000000000;
static const int64_t longest_ns = 10000000000;

struct look {
  uint64_t used, limit;
  int64_t since_ns;
  dev_t devices[most_watched];
  int device_count;
  uint64_t deleted[most_deleted];
  int deleted_count;
  int hidden; /* there is something of the command's that cannot be looked at */
};

static int64_t now_ns(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return now.tv_sec * second_ns + now.tv_nsec;
}

static int is_over(const struct look* look) {
  return look->hidden || look->used > look->limit;
}

static int see(int folder, const char* name, int flags, struct statx* about) {
  const unsigned wanted = STATX_BASIC_STATS;
  return statx(folder, name, flags | AT_STATX_DONT_SYNC, wanted, about);
}

static dev_t device_of(const struct statx* about) {
  return makedev(about->stx_dev_major, about->stx_dev_minor);
}

static void weigh(struct look* look, const struct statx* about) {
  const int64_t changed_ns = about->stx_ctime.tv_sec * second_ns + about->stx_ctime.tv_nsec;
  if (changed_ns < look->since_ns) return;
  /* Each name of a file has its part of it. */
  const uint64_t names = S_ISDIR(about->stx_mode) || about->stx_nlink == 0 ? 1 : about->stx_nlink;
  look->used += about->stx_blocks * 512 / names + 512;
}

static void look_below(struct look* look, int above, const char* name, const struct statx* folder,
                       int depth);

static void look_at(struct look* look, int folder, const char* name, const struct statx* parent,
                    int depth) {
  struct statx about;
  if (see(folder, name, AT_SYMLINK_NOFOLLOW, &about) != 0) {
    if (errno == EACCES && parent->stx_uid == geteuid()) look->hidden = 1;
    return;
  }
  if (device_of(&about) != device_of(parent)) return;
  if (about.stx_attributes_mask & about.stx_attributes & STATX_ATTR_MOUNT_ROOT) return;
  weigh(look, &about);
  if (S_ISDIR(about.stx_mode)) look_below(look, folder, name, &about, depth + 1);
}

static void look_below(struct look* look, int above, const char* name, const struct statx* folder,
                       int depth) {
  if (depth > deepest) {
    look->hidden = 1;
    return;
  }
  const int fd = openat(above, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) {
    if (errno == EACCES && folder->stx_uid == geteuid()) look->hidden = 1;
    return;
  }
  DIR* all = fdopendir(fd);
  if (all == NULL) {
    close(fd);
    return;
  }
  for (struct dirent* one; !is_over(look) && (one = readdir(all)) != NULL;) {
    if (strcmp(one->d_name, ".") == 0 || strcmp(one->d_name, "..") == 0) continue;
    look_at(look, fd, one->d_name, folder, depth);
  }
  closedir(all);
}

static void look_at_tree(struct look* look, const char* path) {
  struct statfs system;
  struct statx about;
  if (statfs(path, &system) != 0 || system.f_type == TMPFS_MAGIC) return;
  if (see(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, &about) != 0 || !S_ISDIR(about.stx_mode)) return;
  look->devices[look->device_count++] = device_of(&about);
  weigh(look, &about);
  look_below(look, AT_FDCWD, path, &about, 0);
}

static int is_watched(const struct look* look, dev_t device) {
  for (int i = 0; i < look->device_count; ++i) {
    if (look->devices[i] == device) return 1;
  }
  return 0;
}

/* Children share open files: each counts once. */
static int is_new(struct look* look, uint64_t inode) {
  for (int i = 0; i < look->deleted_count; ++i) {
    if (look->deleted[i] == inode) return 0;
  }
  if (look->deleted_count < most_deleted) look->deleted[look->deleted_count++] = inode;
  return 1;
}

static void look_at_open(struct look* look, int process) {
  const int fd = openat(process, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* all = fd < 0 ? NULL : fdopendir(fd);
  if (all == NULL) {
    if (fd >= 0) close(fd);
    return;
  }
  for (struct dirent* one; !is_over(look) && (one = readdir(all)) != NULL;) {
    struct statx about;
    if (one->d_name[0] == '.' || see(fd, one->d_name, 0, &about) != 0) continue;
    if (!S_ISREG(about.stx_mode) || about.stx_nlink != 0) continue;
    if (is_watched(look, device_of(&about)) && is_new(look, about.stx_ino)) weigh(look, &about);
  }
  closedir(all);
}

static void look_at_processes(struct look* look) {
  DIR* all = opendir("/proc");
  if (all == NULL) return;
  for (struct dirent* one; !is_over(look) && (one = readdir(all)) != NULL;) {
    if (one->d_name[0] < '1' || one->d_name[0] > '9') continue;
    const int process = openat(dirfd(all), one->d_name, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (process < 0) continue;
    look_at_open(look, process);
    close(process);
  }
  closedir(all);
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

void disk_watch_begin(struct disk_watch* watch) {
  watch->began_ns = now_ns(CLOCK_MONOTONIC_COARSE);
  watch->least_offset_ns = now_ns(CLOCK_REALTIME_COARSE) - watch->began_ns;
  watch->pause_ns = shortest_ns;
  watch->due_ns = now_ns(CLOCK_MONOTONIC) + watch->pause_ns;
}

int64_t disk_watch_rest_ns(const struct disk_watch* watch) {
  if (watch->limit == 0) return -1;
  const int64_t rest = watch->due_ns - now_ns(CLOCK_MONOTONIC);
  return rest > 0 ? rest : 0;
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
  for (int i = 0; i < watch->count && !is_over(&look); ++i) look_at_tree(&look, watch->folders[i]);
  if (!is_over(&look)) look_at_processes(&look);

  const int64_t ended = now_ns(CLOCK_MONOTONIC);
  watch->pause_ns = look.used != watch->used ? shortest_ns : 2 * watch->pause_ns;
  if (watch->pause_ns > idle_ns) watch->pause_ns = idle_ns;
  if (watch->pause_ns < 20 * (ended - began)) watch->pause_ns = 20 * (ended - began);
  if (watch->pause_ns > longest_ns) watch->pause_ns = longest_ns;
  watch->due_ns = ended + watch->pause_ns;
  watch->used = look.used;
  watch->hidden = look.hidden;
  return is_over(&look);
}
