#define _GNU_SOURCE
#include "adapters/docker/init/disk_look.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* A file that is deleted, or seems so from its name in maps. */
struct held {
  dev_t device; /* as stat gives it */
  dev_t system; /* as maps do */
  uint64_t inode;
  uint64_t from, to; /* the part that is mapped */
  uint64_t path;     /* a digest of its name in maps */
  enum { is_free, is_open, is_mapped, is_named } state;
};

static struct held held[most_held];
static int held_count;
static int mapped_count;

static struct held* slot_of(uint64_t inode) {
  return &held[inode * 0x9E3779B97F4A7C15u >> 52];
}

static struct held* next_of(struct held* one) {
  return one + 1 == held + most_held ? held : one + 1;
}

/* The file, or where it may stand; NULL if there is no more room. */
static struct held* find_open(dev_t device, uint64_t inode) {
  struct held* one = slot_of(inode);
  for (; one->state != is_free; one = next_of(one)) {
    if (one->state == is_open && one->device == device && one->inode == inode) return one;
  }
  return held_count < most_held / 2 ? one : NULL;
}

/* Whether an open file, or one in a tree, is what a map is of. The device of a map is that of the
 * mount, or, of an overlay's files before Linux 6.8, that of what lies below it. Where stat gives
 * another one than the mount has (btrfs), several files have the same inode number, and nothing
 * tells. */
static int is_mapped_as(const struct look* look, dev_t device, dev_t system, dev_t map) {
  if (device != system) return 0;
  return system == map || !mount_has_device(look->mounts, map) ||
         (major(system) == 0 && major(map) != 0);
}

static struct held* find_mapped(const struct look* look, dev_t system, uint64_t inode,
                                uint64_t path) {
  struct held* one = slot_of(inode);
  for (; one->state != is_free; one = next_of(one)) {
    if (one->inode != inode) continue;
    const int is_it = one->state == is_mapped
                          ? one->system == system && one->path == path
                          : is_mapped_as(look, one->device, one->system, system);
    if (is_it) return one;
  }
  return held_count < most_held / 2 ? one : NULL;
}

static int is_on_watched(const struct look* look, const struct statx* about, dev_t* system) {
  *system = look_device_of(about);
  if (!(about->stx_mask & STATX_MNT_ID)) return mount_device_counts(look->mounts, *system);
  const struct mount* mount = mount_by_id(look->mounts, about->stx_mnt_id);
  if (mount == NULL) return mount_device_counts(look->mounts, *system);
  *system = mount->device;
  return mount->is_watched;
}

static void weigh_open(struct look* look, int folder, const char* name) {
  struct statx about;
  dev_t system;
  if (look_see(folder, name, 0, &about) != 0) return;
  if (!S_ISREG(about.stx_mode) || about.stx_nlink != 0) return;
  if (!is_on_watched(look, &about, &system)) return;
  struct held* one = find_open(look_device_of(&about), about.stx_ino);
  if (one != NULL && one->state == is_open) return;
  look_weigh(look, &about);
  if (one == NULL) return;
  *one = (struct held){look_device_of(&about), system, about.stx_ino, 0, 0, 0, is_open};
  ++held_count;
}

static DIR* list(struct look* look, int folder, const char* name) {
  const int fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* all = fd < 0 ? NULL : fdopendir(fd);
  if (all != NULL) return all;
  if (errno == EMFILE || errno == ENFILE || errno == ENOMEM) look->is_torn = 1;
  if (fd >= 0) close(fd);
  return NULL;
}

static void look_at_open(struct look* look, int task) {
  DIR* all = list(look, task, "fd");
  if (all == NULL) return;
  for (struct dirent* one; !look_is_over(look) && (one = readdir(all)) != NULL;) {
    if (one->d_name[0] != '.') weigh_open(look, dirfd(all), one->d_name);
  }
  closedir(all);
}

static uint64_t digest_of(const char* text) {
  uint64_t sum = 0xCBF29CE484222325u;
  for (; *text != '\0'; ++text) sum = (sum ^ (unsigned char)*text) * 0x100000001B3u;
  return sum;
}

/* The number in front of that character, behind which `*at` goes on. */
static uint64_t number(char** at, int base, char before) {
  char* end = NULL;
  const uint64_t value = strtoull(*at, &end, base);
  while (*end != '\0' && *end != before) ++end;
  *at = *end == '\0' ? end : end + 1;
  return value;
}

/* "7f0c1000-7f0c2000 rw-s 00001000 fe:01 1234 /folder/file (deleted)". */
static void look_at_map(struct look* look, char* line) {
  static const char deleted[] = " (deleted)\n";
  const size_t size = strlen(line);
  if (size < sizeof deleted || strcmp(line + size + 1 - sizeof deleted, deleted) != 0) return;
  char* at = line;
  const uint64_t from = number(&at, 16, '-');
  const uint64_t to = number(&at, 16, ' ');
  at += strcspn(at, " ");
  const uint64_t offset = number(&at, 16, ' ');
  const uint64_t major = number(&at, 16, ':');
  const uint64_t minor = number(&at, 16, ' ');
  const uint64_t inode = number(&at, 10, ' ');
  const dev_t system = makedev((unsigned)major, (unsigned)minor);
  if (inode == 0 || !mount_device_counts(look->mounts, system)) return;
  const uint64_t path = digest_of(at);
  struct held* one = find_mapped(look, system, inode, path);
  if (one == NULL) {
    look_hide(look, "there are too many files that are deleted and mapped", "");
    return;
  }
  if (one->state == is_free) {
    *one = (struct held){system, system, inode, offset, offset, path, is_mapped};
    ++held_count;
    ++mapped_count;
  }
  if (offset < one->from) one->from = offset;
  if (offset + (to - from) > one->to) one->to = offset + (to - from);
}

/* False if there are none, as of a task that has ended while others of its process go on. */
static int look_at_maps(struct look* look, int task) {
  const int fd = openat(task, "maps", O_RDONLY | O_CLOEXEC);
  FILE* all = fd < 0 ? NULL : fdopen(fd, "r");
  if (all == NULL) {
    if (errno == EMFILE || errno == ENFILE || errno == ENOMEM) look->is_torn = 1;
    if (fd >= 0) close(fd);
    return 0;
  }
  char* line = NULL;
  size_t room = 0;
  int count = 0;
  for (; !look_is_over(look) && getline(&line, &room, all) > 0; ++count) look_at_map(look, line);
  free(line);
  (void)fclose(all);
  return count > 0;
}

/* Threads mostly share their open files and always their memory. Where the kernel does not say so,
 * each is looked at. */
static void look_at_tasks(struct look* look, int process) {
  DIR* all = list(look, process, "task");
  if (all == NULL) return;
  pid_t before = 0;
  int has_maps = 0;
  for (struct dirent* one; !look_is_over(look) && (one = readdir(all)) != NULL;) {
    if (one->d_name[0] == '.') continue;
    const pid_t id = (pid_t)strtol(one->d_name, NULL, 10);
    const int task = openat(dirfd(all), one->d_name, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (task < 0) continue;
    const int shares = before != 0 && syscall(SYS_kcmp, before, id, KCMP_FILES, 0, 0) == 0;
    if (!shares) look_at_open(look, task);
    if (!has_maps) {
      weigh_open(look, task, "exe");
      has_maps = look_at_maps(look, task);
    }
    before = id;
    close(task);
  }
  closedir(all);
}

void held_look(struct look* look) {
  if (held_count > 0) memset(held, 0, sizeof held);
  held_count = mapped_count = 0;
  DIR* all = list(look, AT_FDCWD, "/proc");
  if (all == NULL) return;
  for (struct dirent* one; !look_is_over(look) && (one = readdir(all)) != NULL;) {
    if (one->d_name[0] < '1' || one->d_name[0] > '9') continue;
    const int process = openat(dirfd(all), one->d_name, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (process < 0) continue;
    look_at_tasks(look, process);
    close(process);
  }
  closedir(all);
}

/* A file that was mapped under a name that is gone may have another one. */
void held_is_in_tree(const struct look* look, const struct statx* about) {
  dev_t system;
  if (mapped_count == 0 || !is_on_watched(look, about, &system)) return;
  const dev_t device = look_device_of(about);
  struct held* one = slot_of(about->stx_ino);
  for (; one->state != is_free; one = next_of(one)) {
    const int is_it =
        one->inode == about->stx_ino && is_mapped_as(look, device, system, one->system);
    if (one->state == is_mapped && is_it) one->state = is_named;
  }
}

void held_settle(struct look* look) {
  for (int i = 0; mapped_count > 0 && i < most_held; ++i) {
    if (held[i].state != is_mapped) continue;
    const uint64_t part = held[i].to - held[i].from;
    const uint64_t least = look->limit / least_part;
    look->used += (part > least ? part : least) + 512;
  }
}
