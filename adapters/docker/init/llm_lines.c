#define _GNU_SOURCE
#include "adapters/docker/init/llm_lines.h"

#include "adapters/docker/init/llm_relay.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* What goes from one end of a line to the other one. */
struct way {
  char bytes[piece_bytes];
  size_t begin, end; /* of what has not been handed on */
  int has_ended;     /* nothing more comes */
  int is_shut;       /* and its reader knows */
  int is_void;       /* nobody reads: what still comes is thrown away */
};

enum { client = 0, server = 1 };

struct line {
  int is_used;
  int ends[2];        /* descriptors */
  struct way ways[2]; /* ways[client] is read from ends[client] and written to ends[server] */
  int64_t moved_ms;
  int64_t until_ms; /* since the server is done: when the client has to be as well; else 0 */
};

static struct line lines[most_lines];

static int64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void close_line(struct line* line) {
  close(line->ends[client]);
  close(line->ends[server]);
  line->is_used = 0;
}

static int is_for_later(void) {
  return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

static int connect_to(const char* path) {
  struct sockaddr_un to = {.sun_family = AF_UNIX};
  strncpy(to.sun_path, path, sizeof to.sun_path - 1);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd >= 0) llm_relay_bound(fd);
  /* At once or not at all: a server that has no room, or is away, is none. */
  if (fd >= 0 && connect(fd, (const struct sockaddr*)&to, sizeof to) == 0) return fd;
  if (fd >= 0) close(fd);
  return -1;
}

/* False if nobody can be let in for a while. */
static int let_in(int listener, const char* path) {
  const int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0) return is_for_later() || errno == ECONNABORTED;
  struct line* line = NULL;
  for (int i = 0; line == NULL && i < most_lines; ++i) {
    if (!lines[i].is_used) line = &lines[i];
  }
  const int to = line == NULL ? -1 : connect_to(path);
  if (to < 0) {
    close(fd);
    return 1;
  }
  for (int way = 0; way < 2; ++way) {
    struct way* one = &line->ways[way];
    one->begin = one->end = 0;
    one->has_ended = one->is_shut = one->is_void = 0;
  }
  line->ends[client] = fd;
  line->ends[server] = to;
  line->is_used = 1;
  line->moved_ms = now_ms();
  line->until_ms = 0;
  return 1;
}

static short wanted(const struct line* line, int end) {
  const struct way* in = &line->ways[end];
  const struct way* out = &line->ways[1 - end];
  const int reads = !in->has_ended && (in->is_void || in->end < piece_bytes);
  const int writes = out->begin < out->end;
  return (short)((reads ? POLLIN : 0) | (writes ? POLLOUT : 0));
}

/* False: the line is done with. */
static int read_from(struct line* line, int end) {
  struct way* way = &line->ways[end];
  if (way->is_void) way->begin = way->end = 0;
  const ssize_t got = recv(line->ends[end], way->bytes + way->end, piece_bytes - way->end, 0);
  if (got < 0 && is_for_later()) return 1;
  /* A client who broke off wants nothing more; what a server left behind has been read. */
  if (got < 0 && end == client) return 0;
  if (got <= 0) {
    way->has_ended = 1;
  } else if (!way->is_void) {
    way->end += (size_t)got;
  }
  line->moved_ms = now_ms();
  return 1;
}

/* False: the line is done with. */
static int write_to(struct line* line, int end) {
  struct way* way = &line->ways[1 - end];
  const ssize_t put =
      send(line->ends[end], way->bytes + way->begin, way->end - way->begin, MSG_NOSIGNAL);
  if (put < 0 && is_for_later()) return 1;
  if (put < 0 && end == client) return 0;
  if (put < 0) {
    /* A server that has heard enough may still have something to say. */
    way->is_void = 1;
    way->begin = way->end = 0;
    return 1;
  }
  way->begin += (size_t)put;
  if (way->begin == way->end) way->begin = way->end = 0;
  line->moved_ms = now_ms();
  return 1;
}

/* Hands ends on. False: both have said all that they will, and the client has it. */
static int settle(struct line* line) {
  struct way* asked = &line->ways[client];
  for (int end = 0; end < 2; ++end) {
    struct way* way = &line->ways[end];
    if (way->has_ended && !way->is_shut && way->begin == way->end) {
      (void)shutdown(line->ends[1 - end], SHUT_WR);
      way->is_shut = 1;
      if (end == client) continue;
      /* Unread at the close, what a client still sends would break off the answer that he has. */
      asked->is_void = 1;
      asked->begin = asked->end = 0;
      line->until_ms = now_ms() + linger_ms;
    }
  }
  return !line->ways[server].is_shut || !asked->has_ended;
}

static int is_late(const struct line* line) {
  const int64_t now = now_ms();
  return now - line->moved_ms > most_idle_ms || (line->until_ms != 0 && now > line->until_ms);
}

static int serve_line(struct line* line, const struct pollfd* asked) {
  for (int end = 0; end < 2; ++end) {
    const short events = asked[end].fd < 0 ? 0 : asked[end].revents;
    if (events == 0) continue;
    const short can = wanted(line, end);
    const short broken = POLLERR | POLLHUP | POLLNVAL;
    /* Nothing is read from him, and he is gone: nobody wants the answer. */
    if (can == 0 && end == client && (events & broken)) return 0;
    if ((can & POLLIN) && (events & (POLLIN | broken)) && !read_from(line, end)) return 0;
    if ((can & POLLOUT) && (events & (POLLOUT | broken)) && !write_to(line, end)) return 0;
  }
  return settle(line);
}

void llm_lines_serve(int listener, const char* path) {
  static struct pollfd asked[1 + 2 * most_lines];
  enum { look_ms = 1000, pause_ms = 100 };
  int is_open = 1;
  for (;;) {
    asked[0] = (struct pollfd){is_open ? listener : -1, POLLIN, 0};
    for (int i = 0; i < most_lines; ++i) {
      for (int end = 0; end < 2; ++end) {
        const short events = lines[i].is_used ? wanted(&lines[i], end) : 0;
        /* Of a client it is always told that he is gone. Of a server for whom there is nothing to
         * do it would only wake this loop: what he left behind is read first. */
        const int is_asked = lines[i].is_used && (events != 0 || end == client);
        asked[1 + 2 * i + end] = (struct pollfd){is_asked ? lines[i].ends[end] : -1, events, 0};
      }
    }
    const int found = poll(asked, 1 + 2 * most_lines, is_open ? look_ms : pause_ms);
    is_open = 1;
    /* With a lower limit of descriptors it never waits; this process may be started again. */
    if (found < 0 && errno != EINTR) _exit(1);
    for (int i = 0; i < most_lines; ++i) {
      if (!lines[i].is_used) continue;
      const int goes_on = found <= 0 || serve_line(&lines[i], &asked[1 + 2 * i]);
      if (!goes_on || is_late(&lines[i])) close_line(&lines[i]);
    }
    if (found > 0 && asked[0].revents != 0) is_open = let_in(listener, path);
  }
}
