/* An actor does on command what a program would do, and says what truly happened: one JSON object a command. */
#ifndef ACTOR_H
#define ACTOR_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct command {
	const char *name;
	const char *arguments;
	void (*run)(int argc, char **argv); /* argv[0] is the name */
};

/* Each ends with a row without a name. */
extern const struct command process_commands[], socket_commands[], io_commands[], many_commands[];
extern const struct command uring_commands[], raw_commands[], net_commands[];

/* actor.c: the answer under construction. */
void say_number(const char *name, long long value);
void say_text(const char *name, const char *value);
void say_raw(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The call that matters lies between these two; without them, the whole command does. µs since the epoch. */
void clock_before(void);
void clock_after(void);
/* errno as the call left it. */
void say_error(int error);
int run_command(int argc, char **argv);
void serve(int in, int out);

/* socket.c */
union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};
socklen_t parse_address(const char *text, const char *port, union address *address);
int64_t cookie_of(int fd);
void say_names(int fd);
void say_info(int fd);

long long now_us(void);
void die(const char *what) __attribute__((noreturn));

#endif
