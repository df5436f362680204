/* Many connections at once, in one command each way; the log has a line for every one. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "actor.h"

enum { MANY_MAX = 4096, BYTES_MAX = 4096 };

static int fds[MANY_MAX];
static int count;

static void say_list(const char *name)
{
	say_raw("%s\"%s\":[", count < 0 ? "" : ",", name);
}

static void say_one(int index, int fd, long long start, long long end)
{
	say_raw("%s{", index ? "," : "");
	say_number("fd", fd);
	say_number("cookie", cookie_of(fd));
	say_names(fd);
	say_number("before", start);
	say_number("after", end);
	say_raw("}");
}

/* connectmany ADDRESS PORT COUNT: each sends as many bytes as its place in the row, from 1. */
static void connect_many(int argc, char **argv)
{
	union address address;
	socklen_t length = parse_address(argv[1], argv[2], &address);
	static char bytes[BYTES_MAX];
	int wanted = atoi(argv[3]), error = 0;

	(void)argc;
	say_number("wanted", wanted);
	say_list("sockets");
	for (count = 0; count < wanted && count < MANY_MAX; count++) {
		int fd = socket(address.any.sa_family, SOCK_STREAM, 0);
		long long start = now_us();

		if (fd < 0 || connect(fd, &address.any, length)) {
			error = errno;
			break;
		}
		fds[count] = fd;
		if (write(fd, bytes, (size_t)count + 1) != count + 1)
			error = errno;
		say_one(count, fd, start, now_us());
	}
	say_raw("]");
	say_error(error);
}

/* acceptmany FD COUNT: reads all that each one sent. */
static void accept_many(int argc, char **argv)
{
	static char bytes[BYTES_MAX];
	int wanted = atoi(argv[2]), error = 0;

	(void)argc;
	say_number("wanted", wanted);
	say_list("sockets");
	for (count = 0; count < wanted && count < MANY_MAX; count++) {
		long long start = now_us();
		int fd = accept(atoi(argv[1]), NULL, NULL);

		if (fd < 0) {
			error = errno;
			break;
		}
		fds[count] = fd;
		if (read(fd, bytes, sizeof(bytes)) <= 0)
			error = errno;
		say_one(count, fd, start, now_us());
	}
	say_raw("]");
	say_error(error);
}

static void close_many(int argc, char **argv)
{
	(void)argc, (void)argv;
	clock_before();
	for (int i = 0; i < count; i++)
		close(fds[i]);
	clock_after();
	say_error(0);
	say_number("closed", count);
	count = 0;
}

const struct command many_commands[] = {
	{ "connectmany", "ADDRESS PORT COUNT", connect_many },
	{ "acceptmany", "FD COUNT", accept_many },
	{ "closemany", "", close_many },
	{ NULL, NULL, NULL },
};
