#define _GNU_SOURCE
#include "adapters/docker/init/memory_kills.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Lines of "NAME COUNT"; both are of a few hundred bytes at most. */
static int64_t kills_in(const char* path) {
  static const char name[] = "oom_kill ";
  char text[1024];
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  const ssize_t size = read(fd, text, sizeof text - 1);
  close(fd);
  if (size <= 0) return -1;
  text[size] = '\0';
  for (const char* line = text; line != NULL; line = strchr(line, '\n')) {
    if (*line == '\n') line++;
    if (strncmp(line, name, sizeof name - 1) == 0) return strtoll(line + sizeof name - 1, NULL, 10);
  }
  return -1;
}

int64_t memory_kills(void) {
  const int64_t unified = kills_in("/sys/fs/cgroup/memory.events");
  return unified >= 0 ? unified : kills_in("/sys/fs/cgroup/memory/memory.oom_control");
}
