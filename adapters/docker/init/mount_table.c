#define _GNU_SOURCE
#include "adapters/docker/init/mount_table.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

/* "\040" and the like, in place. */
static void unescape(char* text) {
  char* to = text;
  for (const char* from = text; *from != '\0'; ++to) {
    const int is_octal = from[0] == '\\' && from[1] >= '0' && from[1] <= '3' && from[2] >= '0' &&
                         from[2] <= '7' && from[3] >= '0' && from[3] <= '7';
    if (is_octal) {
      *to = (char)((from[1] - '0') * 64 + (from[2] - '0') * 8 + (from[3] - '0'));
      from += 4;
    } else {
      *to = *from++;
    }
  }
  *to = '\0';
}

/* "36 35 98:0 /root /point rw,noatime master:1 - ext4 /dev/root rw". The place in the tree, or NULL
 * if the line has another form. */
static char* take_apart(char* line, struct mount* mount) {
  char* at = line;
  mount->id = strtoull(at, &at, 10);
  strtoull(at, &at, 10);
  const uint64_t major = strtoull(at, &at, 10);
  const uint64_t minor = *at == ':' ? strtoull(at + 1, &at, 10) : 0;
  char* point = at[0] == ' ' ? strchr(at + 1, ' ') : NULL;
  char* end = point == NULL ? NULL : strchr(++point, ' ');
  const char* kind = end == NULL ? NULL : strstr(end, " - ");
  if (kind == NULL) return NULL;
  mount->device = makedev((unsigned)major, (unsigned)minor);
  mount->is_memory = strncmp(kind, " - tmpfs ", 9) == 0 || strncmp(kind, " - ramfs ", 9) == 0;
  mount->is_watched = 0;
  *end = '\0';
  unescape(point);
  return point;
}

int mount_table_read(struct mount_table* table, mount_check* check, const void* context) {
  FILE* file = fopen("/proc/self/mountinfo", "re");
  if (file == NULL) return -1;
  char* line = NULL;
  size_t room = 0;
  int found = 0;
  table->count = 0;
  while (found == 0 && getline(&line, &room, file) > 0) {
    struct mount* mount = &table->all[table->count];
    const char* point = table->count < most_mounts ? take_apart(line, mount) : NULL;
    if (point == NULL) {
      errno = table->count < most_mounts ? EPROTO : E2BIG;
      found = -1;
    } else {
      ++table->count;
      found = check(mount, point, context);
    }
  }
  if (found == 0 && ferror(file)) found = -1;
  const int error = errno;
  free(line);
  (void)fclose(file);
  errno = error;
  return found;
}

struct mount* mount_by_id(struct mount_table* table, uint64_t id) {
  for (int i = 0; i < table->count; ++i) {
    if (table->all[i].id == id) return &table->all[i];
  }
  return NULL;
}

int mount_has_device(const struct mount_table* table, dev_t device) {
  for (int i = 0; i < table->count; ++i) {
    if (table->all[i].device == device) return 1;
  }
  return 0;
}

int mount_device_counts(const struct mount_table* table, dev_t device) {
  for (int i = 0; i < table->count; ++i) {
    if (table->all[i].device == device && table->all[i].is_watched) return 1;
  }
  return major(device) != 0 && !mount_has_device(table, device);
}
