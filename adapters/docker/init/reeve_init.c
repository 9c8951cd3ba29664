/* PID 1 of every container that Reeve starts:
 *   reeve-init MARKER_PATH [OPTION]... -- command args...
 * with the options secret=FILE=VARIABLE, disk=BYTES, watch=FOLDER, llm=SOCKET
 *
 * It creates the marker with O_CREAT | O_EXCL before anything else. The marker lies on the
 * attempt's volume, which outlives a stop of the container: if the engine or anyone starts the
 * same container again, the marker is there and the command is not executed a second time.
 * Nor can the command take it away: with Landlock nothing below the marker's folder may be written
 * from then on. A kernel without Landlock goes on; `reeve doctor` tells.
 * Values of variables that are asked for are also written into files, which their owner alone may
 * read.
 * Then it runs the command as a child, forwards signals, reaps every orphan, and exits as the
 * child did. With a bound on the disk (disk_watch.h) it looks at the folders meanwhile and once
 * more at the end, and ends everything that has more there; no file may be much larger either. A
 * folder that cannot be watched is refused, as is anything but memory that is mounted over what
 * lies beside the marker's folder.
 * With a socket of language models it starts a second process (llm_relay.h) which serves it on
 * loopback as long as the command runs, and tells the command where: REEVE_LLM_URL.
 * Of a command that failed it says whether the kernel killed something of it for want of memory.
 * Exit codes of its own: 125 refused or misused, 126 not executable, 127 not found, 194 over its
 * bound: beyond every 128 + signal, and it counts as such only with the line that goes before it.
 */

#define _GNU_SOURCE
#include "adapters/docker/init/disk_watch.h"
#include "adapters/docker/init/llm_relay.h"
#include "adapters/docker/init/memory_kills.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/landlock.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

enum { exit_refused = 125, exit_not_executable = 126, exit_not_found = 127, exit_over_disk = 194 };

/* One write(2) a line, so that lines of the command and ours are never mixed. */
static int complain(const char* what, const char* path, int status) {
  char line[512];
  const char* why = errno != 0 ? strerror(errno) : "";
  int size = snprintf(line, sizeof line, "reeve-init: %s %s%s%s\n", what, path,
                      errno != 0 ? ": " : "", why);
  if (size > (int)sizeof line - 1) size = (int)sizeof line - 1;
  if (size > 0 && write(STDERR_FILENO, line, (size_t)size) < 0) return status;
  return status;
}

static int create_marker(const char* path) {
  int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0444);
  if (fd < 0 && errno == EEXIST) {
    errno = 0;
    return complain("a second execution was refused, because the marker exists:", path,
                    exit_refused);
  }
  /* Durable before the command starts: after a power cut the marker must not be missing. */
  if (fd < 0 || fsync(fd) != 0 || close(fd) != 0) {
    return complain("cannot create the marker", path, exit_refused);
  }
  return 0;
}

static int write_all(int fd, const char* bytes, size_t left) {
  while (left > 0) {
    ssize_t written = write(fd, bytes, left);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return -1;
    bytes += written;
    left -= (size_t)written;
  }
  return 0;
}

static const char secret_option[] = "secret=";

static int is_secret(const char* word) {
  return strncmp(word, secret_option, strlen(secret_option)) == 0;
}

/* FILE=VARIABLE. Neither name is a secret; the value is never said. */
static int write_secret(char* what) {
  if (!is_secret(what)) return 0;
  what += strlen(secret_option);
  char* equals = strchr(what, '=');
  if (equals == NULL) return complain("no FILE=VARIABLE:", what, exit_refused);
  *equals = '\0';
  const char* value = getenv(equals + 1);
  errno = 0;
  if (value == NULL) return complain("this variable is not set:", equals + 1, exit_refused);
  int fd = open(what, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0400);
  if (fd < 0) return complain("cannot create", what, exit_refused);
  const int good = write_all(fd, value, strlen(value));
  const int error = errno;
  if (close(fd) == 0 && good == 0) return 0;
  errno = error;
  return complain("cannot write", what, exit_refused);
}

/* Landlock knows only what is allowed. From version 2 on files may be moved between folders where
 * that is allowed; version 1 forbids it everywhere, so it is of no use here. */
enum { least_landlock = 2 };

static const __u64 file_writes = LANDLOCK_ACCESS_FS_WRITE_FILE;
static const __u64 all_writes =
    LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
    LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
    LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |
    LANDLOCK_ACCESS_FS_MAKE_SYM | (1ULL << 13) /* REFER, which older headers do not name */;

static int allow_writes(int rules, int folder, const char* name) {
  struct stat about;
  if (fstatat(folder, name, &about, AT_SYMLINK_NOFOLLOW) != 0 || S_ISLNK(about.st_mode)) return 0;
  int fd = openat(folder, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return 0;
  struct landlock_path_beneath_attr rule = {S_ISDIR(about.st_mode) ? all_writes : file_writes, fd};
  long added = syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
  close(fd);
  return added == 0 ? 0 : -1;
}

/* Writing stays allowed in everything that lies in the folder, but for one entry. */
static int allow_beside(int rules, const char* folder, const char* entry, size_t entry_size) {
  DIR* all = opendir(folder);
  if (all == NULL) return -1;
  int good = 0;
  for (struct dirent* one; good == 0 && (one = readdir(all)) != NULL;) {
    if (strcmp(one->d_name, ".") == 0 || strcmp(one->d_name, "..") == 0) continue;
    if (strlen(one->d_name) == entry_size && memcmp(one->d_name, entry, entry_size) == 0) continue;
    good = allow_writes(rules, dirfd(all), one->d_name);
  }
  closedir(all);
  return good;
}

/* Nothing may be written below the marker's folder, nor may that folder or one above it be moved:
 * on the way down from the root, everything beside the path is allowed. */
static int protect(const char* marker) {
  struct landlock_ruleset_attr attributes = {.handled_access_fs = all_writes};
  if (syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) <
      least_landlock) {
    return -1;
  }
  int rules = (int)syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0);
  if (rules < 0) return -1;
  char folder[PATH_MAX] = "/";
  size_t length = 1;
  int good = marker[0] == '/' && strlen(marker) < sizeof folder ? 0 : -1;
  const char* entry = marker + 1;
  for (const char* end; good == 0 && (end = strchr(entry, '/')) != NULL; entry = end + 1) {
    const size_t size = (size_t)(end - entry);
    good = allow_beside(rules, folder, entry, size);
    memcpy(folder + length, entry, size);
    length += size;
    memcpy(folder + length++, "/", 2);
  }
  if (good == 0) good = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (good == 0) good = (int)syscall(SYS_landlock_restrict_self, rules, 0);
  close(rules);
  return good;
}

/* What one write makes of one file, no look is in time for. A mebibyte more than the bound, so
 * that a file that was cut is over it. */
static void limit_files(const struct disk_watch* watch) {
  struct rlimit now;
  const rlim_t most = watch->limit + (1 << 20);
  if (watch->limit == 0 || getrlimit(RLIMIT_FSIZE, &now) != 0 || now.rlim_max < most) return;
  now.rlim_cur = now.rlim_max = most;
  (void)setrlimit(RLIMIT_FSIZE, &now);
}

static void run_command(char** command, const sigset_t* original, const struct disk_watch* watch) {
  /* A process group of its own, so that a command that signals its group spares PID 1. */
  setpgid(0, 0);
  sigprocmask(SIG_SETMASK, original, NULL);
  limit_files(watch);
  execvp(command[0], command);
  int status = errno == ENOENT || errno == ENOTDIR ? exit_not_found : exit_not_executable;
  _exit(complain("cannot execute", command[0], status));
}

/* Reaps everything that has ended. True if the command is among it. */
static int reap(pid_t child, int* status, struct llm_relay* relay) {
  int ended = 0;
  for (;;) {
    int one = 0;
    pid_t pid = waitpid(-1, &one, WNOHANG);
    if (pid <= 0) return ended;
    if (pid == child) {
      *status = one;
      ended = 1;
    } else if (!ended) {
      (void)llm_relay_ended(relay, pid);
    }
  }
}

/* A signal, or 0 when it is time for a look. */
static int next_signal(const sigset_t* all, const struct disk_watch* watch) {
  siginfo_t info;
  const int64_t rest = disk_watch_rest_ns(watch);
  if (rest < 0) return sigwaitinfo(all, &info);
  const struct timespec time = {rest / 1000000000, rest % 1000000000};
  return sigtimedwait(all, &info, &time);
}

/* Nothing but this process is left when it says so: its line is the last one. */
static int end_all(pid_t child, const struct disk_watch* watch, struct llm_relay* relay) {
  llm_relay_end(relay);
  /* Everything of the container; outside of one, -1 would be the machine. */
  kill(getpid() == 1 ? -1 : -child, SIGKILL);
  while (waitpid(-1, NULL, 0) > 0 || errno == EINTR) continue;
  errno = 0;
  if (watch->hidden != NULL) (void)complain(watch->hidden, watch->name, 0);
  char line[160];
  const int size =
      snprintf(line, sizeof line, "reeve-init: ended at its limit of %llu bytes on disk\n",
               (unsigned long long)watch->limit);
  (void)!write(STDERR_FILENO, line, (size_t)size);
  return exit_over_disk;
}

/* How the command ended; what it left running still runs. */
static int end_of(int status, int64_t kills_before) {
  const int code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  static const char line[] = "reeve-init: the kernel killed a process for want of memory\n";
  if (code != 0 && kills_before >= 0 && memory_kills() > kills_before) {
    (void)!write(STDERR_FILENO, line, sizeof line - 1);
  }
  return code;
}

static int supervise(pid_t child, const sigset_t* all, struct disk_watch* watch,
                     struct llm_relay* relay, int64_t kills) {
  int status = 0;
  for (;;) {
    int number = next_signal(all, watch);
    if (number == SIGCHLD) {
      if (reap(child, &status, relay)) break;
    } else if (number > 0 && kill(-child, number) != 0) {
      /* The group is not there yet in the first moments; the child itself always is. */
      kill(child, number);
    }
    /* Also when signals come without end. */
    if (disk_watch_rest_ns(watch) == 0 && disk_watch_look(watch)) {
      return end_all(child, watch, relay);
    }
  }
  const int cut = watch->limit > 0 && WIFSIGNALED(status) && WTERMSIG(status) == SIGXFSZ;
  if (cut || disk_watch_end(watch)) return end_all(child, watch, relay);
  llm_relay_end(relay);
  return end_of(status, kills);
}

/* The index of the command; 0 if there is something else in front of it. */
static int read_options(int argc, char** argv, struct disk_watch* watch, struct llm_relay* relay) {
  int at = 2;
  for (; at < argc && strcmp(argv[at], "--") != 0; at++) {
    const char* word = argv[at];
    if (is_secret(word) || disk_watch_option(watch, word)) continue;
    if (!llm_relay_option(relay, word)) return 0;
  }
  return at + 1 < argc ? at + 1 : 0;
}

int main(int argc, char** argv) {
  struct disk_watch watch = {0};
  struct llm_relay relay = {0};
  const int command = read_options(argc, argv, &watch, &relay);
  errno = 0;
  if (command == 0) {
    return complain(
        "usage: reeve-init MARKER_PATH [secret=FILE=VARIABLE]... [disk=BYTES] "
        "[watch=FOLDER]... [llm=SOCKET] -- command",
        "[args...]", exit_refused);
  }
  int refused = create_marker(argv[1]);
  for (int i = 2; refused == 0 && i < command - 1; i++) refused = write_secret(argv[i]);
  if (refused != 0) return refused;
  (void)protect(argv[1]);
  /* Else a command of the same user might take this process over. */
  (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  errno = 0;

  /* Signals are taken by sigwaitinfo: blocked before the fork, none is lost in between. */
  sigset_t all, original;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, &original);
  const char* path = "";
  if (relay.path != NULL) watch.door = relay.folder;
  const char* why = disk_watch_begin(&watch, argv[1], &path);
  if (why != NULL) return complain(why, path, exit_refused);
  why = llm_relay_begin(&relay);
  if (why != NULL) return complain(why, relay.path, exit_refused);
  llm_relay_start(&relay);
  if (relay.path != NULL && relay.process == 0) {
    return complain("cannot fork for", relay.path, exit_refused);
  }
  const int64_t kills = memory_kills();
  pid_t child = fork();
  if (child < 0) return complain("cannot fork for", argv[command], exit_refused);
  if (child == 0) run_command(argv + command, &original, &watch);
  return supervise(child, &all, &watch, &relay, kills);
}
