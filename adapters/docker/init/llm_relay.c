#define _GNU_SOURCE
#include "adapters/docker/init/llm_relay.h"

#include "adapters/docker/init/llm_lines.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static const char option[] = "llm=";
static const char url_name[] = "REEVE_LLM_URL";

int llm_relay_option(struct llm_relay* relay, const char* word) {
  if (relay->path != NULL || strncmp(word, option, strlen(option)) != 0) return 0;
  const char* path = word + strlen(option);
  const char* slash = strrchr(path, '/');
  const struct sockaddr_un* none = NULL;
  if (path[0] != '/' || slash == path || strlen(path) >= sizeof none->sun_path) return 0;
  memcpy(relay->folder, path, (size_t)(slash - path));
  relay->folder[slash - path] = '\0';
  relay->path = path;
  return 1;
}

/* True if it listens on that port, or on any free one if it is 0. */
static int listens(int listener, int port) {
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return bind(listener, (const struct sockaddr*)&at, sizeof at) == 0 &&
         listen(listener, most_lines) == 0;
}

void llm_relay_bound(int fd) {
  const int most = socket_bytes;
  (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &most, sizeof most);
  (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &most, sizeof most);
}

/* What is set here, each connection of it has as well. */
static int new_listener(void) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return fd;
  llm_relay_bound(fd);
  /* Whether a client who said his end still waits is told only when he is asked. */
  const int on = 1, idle = ask_idle_s, pause = ask_pause_s, count = most_asks;
  (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
  (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &pause, sizeof pause);
  (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
  return fd;
}

const char* llm_relay_begin(struct llm_relay* relay) {
  if (relay->path == NULL) return NULL;
  const char* failed = "cannot listen on loopback for";
  relay->listener = new_listener();
  if (relay->listener < 0) return failed;
  if (!listens(relay->listener, usual_port)) {
    /* With the host's network another job may have it. */
    close(relay->listener);
    relay->listener = new_listener();
    if (relay->listener < 0 || !listens(relay->listener, 0)) return failed;
  }
  struct sockaddr_in at;
  socklen_t size = sizeof at;
  if (getsockname(relay->listener, (struct sockaddr*)&at, &size) != 0) return failed;
  char url[64];
  (void)snprintf(url, sizeof url, "http://127.0.0.1:%d/llm/v1", (int)ntohs(at.sin_port));
  return setenv(url_name, url, 1) == 0 ? NULL : failed;
}

/* Who connects is refused then, and does not wait for nobody. */
static void stop_listening(struct llm_relay* relay) {
  if (relay->listener >= 0) close(relay->listener);
  relay->listener = -1;
}

void llm_relay_start(struct llm_relay* relay) {
  if (relay->path == NULL) return;
  if (relay->starts >= most_starts) {
    stop_listening(relay);
    return;
  }
  ++relay->starts;
  const pid_t parent = getpid();
  const pid_t made = fork();
  /* Signals stay blocked in it: those that the command sends to everybody are none of its own. */
  if (made == 0) {
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (getppid() != parent) _exit(0);
    (void)prctl(PR_SET_NAME, "reeve-llm", 0, 0, 0);
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
      if (fd != relay->listener) close(fd);
    }
    llm_lines_serve(relay->listener, relay->path);
  }
  relay->process = made > 0 ? made : 0;
  if (made < 0) stop_listening(relay);
}

int llm_relay_ended(struct llm_relay* relay, pid_t process) {
  if (relay->process == 0 || process != relay->process) return 0;
  relay->process = 0;
  llm_relay_start(relay);
  return 1;
}

void llm_relay_end(struct llm_relay* relay) {
  relay->starts = most_starts;
  if (relay->process > 0) kill(relay->process, SIGKILL);
}
