#define _GNU_SOURCE
#include "adapters/docker/init/disk_look.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* Folders on the way down that stay open. Of deeper ones there is one at a time: the way back goes
 * through "..", and on from the entry where it was left. */
enum { most_open = 48 };

struct level {
  dev_t device;
  uint64_t inode;
  long next; /* where to go on, once it is opened again */
  int is_own;
};

static struct level levels[deepest + 1];
static DIR* open_folders[most_open];

static int is_gone(int error) {
  return error == ENOENT || error == ENOTDIR || error == ELOOP;
}

/* Why a folder could not be listed. What only others could have written to hides nothing. */
static void miss_folder(struct look* look, int above, const char* name, const struct statx* about) {
  if (is_gone(errno)) return;
  if (errno != EACCES && errno != EPERM) {
    look->is_torn = 1;
    return;
  }
  if (about->stx_uid == geteuid()) {
    look_hide(look, "a folder of the command's own cannot be looked into:", name);
    return;
  }
  const int may_write = faccessat(above, name, W_OK | X_OK, 0) == 0;
  if (may_write && look_is_changed(look, about)) {
    look_hide(look, "a folder that may be written to and not listed was changed:", name);
  }
}

static int open_folder(struct look* look, int above, const char* name, const struct statx* about) {
  const int fd = openat(above, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) miss_folder(look, above, name, about);
  return fd;
}

static DIR* list(struct look* look, int fd) {
  DIR* all = fdopendir(fd);
  if (all != NULL) return all;
  close(fd);
  look->is_torn = 1;
  return NULL;
}

/* Another mount. A device alone does not tell: each subvolume of btrfs has one of its own. */
static int is_mount(const struct look* look, const struct statx* about,
                    const struct statx* folder) {
  if (about->stx_attributes_mask & about->stx_attributes & STATX_ATTR_MOUNT_ROOT) return 1;
  if (about->stx_mask & folder->stx_mask & STATX_MNT_ID) {
    return about->stx_mnt_id != folder->stx_mnt_id;
  }
  const dev_t device = look_device_of(about);
  return device != look_device_of(folder) && mount_has_device(look->mounts, device);
}

/* The folder above: still open, or what ".." leads to, if that is where the way down came from. */
static DIR* climb(struct look* look, DIR* here, int depth) {
  if (depth < most_open) {
    closedir(here);
    return open_folders[depth];
  }
  const struct level* above = &levels[depth];
  struct statx about;
  const int fd = openat(dirfd(here), "..", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  closedir(here);
  const int is_it = fd >= 0 && look_see(fd, "", AT_EMPTY_PATH, &about) == 0 &&
                    look_device_of(&about) == above->device && about.stx_ino == above->inode;
  if (!is_it) {
    if (fd >= 0) close(fd);
    look->is_torn = 1;
    return NULL;
  }
  DIR* all = list(look, fd);
  if (all != NULL) seekdir(all, above->next);
  return all;
}

static void arrive(int depth, const struct statx* about) {
  levels[depth].device = look_device_of(about);
  levels[depth].inode = about->stx_ino;
  levels[depth].is_own = about->stx_uid == geteuid();
}

/* Weighs an entry. An open descriptor if it is a folder to go into, else -1. */
static int take(struct look* look, int folder, const char* name, const struct statx* root,
                int depth, struct statx* about) {
  if (look_see(folder, name, AT_SYMLINK_NOFOLLOW, about) != 0) {
    const int is_barred = errno == EACCES || errno == EPERM;
    if (is_barred && levels[depth].is_own) {
      look_hide(look, "a folder of the command's own cannot be looked into, beside", name);
    } else if (!is_barred && !is_gone(errno)) {
      look->is_torn = 1;
    }
    return -1;
  }
  if (is_mount(look, about, root)) return -1;
  look_weigh(look, about);
  if (S_ISREG(about->stx_mode)) held_is_in_tree(look, about);
  if (!S_ISDIR(about->stx_mode) || look_is_over(look)) return -1;
  if (depth == deepest) {
    look_hide(look, "folders lie too deep, below", name);
    return -1;
  }
  return open_folder(look, folder, name, about);
}

void tree_look(struct look* look, int folder) {
  struct statx root, about;
  if (look_see(folder, "", AT_EMPTY_PATH, &root) != 0) {
    look->is_torn = 1;
    return;
  }
  look_weigh(look, &root);
  const int fd = open_folder(look, folder, ".", &root);
  DIR* here = fd < 0 ? NULL : list(look, fd);
  int depth = 0;
  arrive(0, &root);
  while (here != NULL && !look_is_over(look)) {
    errno = 0;
    const struct dirent* one = readdir(here);
    if (one == NULL) {
      if (errno != 0 && errno != ENOENT) look->is_torn = 1;
      if (--depth < 0) break;
      here = climb(look, here, depth);
      /* The way back is lost. What is still open is gone on with. */
      if (here == NULL) here = open_folders[depth = most_open - 1];
      continue;
    }
    if (strcmp(one->d_name, ".") == 0 || strcmp(one->d_name, "..") == 0) continue;
    const int below = take(look, dirfd(here), one->d_name, &root, depth, &about);
    DIR* next = below < 0 ? NULL : list(look, below);
    if (next == NULL) continue;
    if (depth < most_open) {
      open_folders[depth] = here;
    } else {
      levels[depth].next = telldir(here);
      closedir(here);
    }
    here = next;
    arrive(++depth, &about);
  }
  if (here != NULL) closedir(here);
  for (int i = 0; i < depth && i < most_open; ++i) closedir(open_folders[i]);
}
