#pragma once
/* The way of a command to the server's language models (docs/decisions/0047): a process beside the
 * command listens on the loopback of the container, which every network has, and hands bytes on to
 * the server's socket, both ways, reading none of them.
 *
 * Bounds: `most_lines` connections at a time, a further one is closed at once; `piece_bytes` in
 * memory each way and `socket_bytes` in the kernel's (it doubles them), who sends more waits; a
 * connection on which nothing moves for `most_idle_ms` is closed. An end who has nothing more to
 * send is told to the other one, and may go on reading. When the server is done, what the client
 * still sends is thrown away until he is done too, for `linger_ms` at most (and up to a second
 * more): so he has the answer before the line ends. When the process is killed it is started again,
 * `most_starts` times in all, on the same port: what was on its way is cut then. After the last
 * time, or if it cannot be started, nobody listens. */

#include <stdint.h>
#include <sys/types.h>

enum {
  usual_port = 9596,
  most_lines = 64,
  piece_bytes = 16384,
  most_idle_ms = 4200000, /* longer than the longest answer, which may stream for an hour */
  linger_ms = 2000,
  socket_bytes = 65536,
  ask_idle_s = 15, /* how TCP asks a client whether he is still there */
  ask_pause_s = 5,
  most_asks = 3,
  most_starts = 16
};

struct llm_relay {
  const char* path; /* of the server's socket; NULL: there is none */
  char folder[112]; /* that it lies in */
  int listener;
  pid_t process; /* 0: none runs */
  int starts;
};

/* Takes "llm=PATH", once; 0 if it is another word, or no absolute path that a socket can have. */
int llm_relay_option(struct llm_relay* relay, const char* word);
/* Listens, on the usual port if it is free, and puts the URL into the environment. NULL; else what
 * failed, with errno. */
const char* llm_relay_begin(struct llm_relay* relay);
/* Bounds the buffers of a socket before it is connected. */
void llm_relay_bound(int fd);
/* Starts the process, if it may be started once more. Nothing, if there is no socket. */
void llm_relay_start(struct llm_relay* relay);
/* A process has ended; true if it was this one, which is started again then. */
int llm_relay_ended(struct llm_relay* relay, pid_t process);
/* Kills it. */
void llm_relay_end(struct llm_relay* relay);
