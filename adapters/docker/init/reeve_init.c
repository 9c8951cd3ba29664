/* PID 1 of every container that Reeve starts: reeve-init MARKER_PATH -- command args...
 *
 * It creates the marker with O_CREAT | O_EXCL before anything else. The marker lies on the
 * attempt's volume, which outlives a stop of the container: if the engine or anyone starts the
 * same container again, the marker is there and the command is not executed a second time.
 * Then it runs the command as a child, forwards signals, reaps every orphan, and exits as the
 * child did. Exit codes of its own: 125 refused or misused, 126 not executable, 127 not found. */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

enum { exit_refused = 125, exit_not_executable = 126, exit_not_found = 127 };

/* One write(2) a line, so that lines of the command and ours are never mixed. */
static int complain(const char *what, const char *path, int status) {
  char line[512];
  const char *why = errno != 0 ? strerror(errno) : "";
  int size = snprintf(line, sizeof line, "reeve-init: %s %s%s%s\n", what, path,
                      errno != 0 ? ": " : "", why);
  if (size > (int)sizeof line - 1) size = (int)sizeof line - 1;
  if (size > 0 && write(STDERR_FILENO, line, (size_t)size) < 0) return status;
  return status;
}

static int create_marker(const char *path) {
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

static void run_command(char **command, const sigset_t *original) {
  /* A process group of its own, so that a command that signals its group spares PID 1. */
  setpgid(0, 0);
  sigprocmask(SIG_SETMASK, original, NULL);
  execvp(command[0], command);
  int status = errno == ENOENT || errno == ENOTDIR ? exit_not_found : exit_not_executable;
  _exit(complain("cannot execute", command[0], status));
}

/* Reaps everything that has ended. True if the command is among it. */
static int reap(pid_t child, int *status) {
  int ended = 0;
  for (;;) {
    int one = 0;
    pid_t pid = waitpid(-1, &one, WNOHANG);
    if (pid <= 0) return ended;
    if (pid == child) {
      *status = one;
      ended = 1;
    }
  }
}

static int supervise(pid_t child, const sigset_t *all) {
  int status = 0;
  for (;;) {
    siginfo_t info;
    int number = sigwaitinfo(all, &info);
    if (number < 0) continue;
    if (number == SIGCHLD) {
      if (reap(child, &status)) break;
    } else if (kill(-child, number) != 0) {
      /* The group is not there yet in the first moments; the child itself always is. */
      kill(child, number);
    }
  }
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int main(int argc, char **argv) {
  errno = 0;
  if (argc < 4 || strcmp(argv[2], "--") != 0) {
    return complain("usage: reeve-init MARKER_PATH -- command", "[args...]", exit_refused);
  }
  int refused = create_marker(argv[1]);
  if (refused != 0) return refused;

  /* Signals are taken by sigwaitinfo: blocked before the fork, none is lost in between. */
  sigset_t all, original;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, &original);
  pid_t child = fork();
  if (child < 0) return complain("cannot fork for", argv[3], exit_refused);
  if (child == 0) run_command(argv + 3, &original);
  return supervise(child, &all);
}
