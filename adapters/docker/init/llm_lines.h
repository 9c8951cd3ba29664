#pragma once
/* The connections of llm_relay.h: a loop of its own process, which gives nothing back. */

/* `listener`: where the command connects, non-blocking. `path`: of the server's socket. */
_Noreturn void llm_lines_serve(int listener, const char* path);
