/*
 * Many connections open at once, for benchmarks of what watching them costs.
 *
 *   held COUNT
 *
 * Says `ready`, then does what each line of stdin says, and says so when it is done: `open` COUNT connections over
 * loopback; `move` a byte through each in both directions; `close` them all. Both ends are held here, by as many
 * processes as the limit of open files makes it.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 64, ADDRESSES = 200, HOLDERS_MAX = 256, OTHER_FILES = 64 + HOLDERS_MAX };

struct connection {
	int client;
	int server;
};

/* Each holder does what comes out of `orders` and answers with one byte. */
struct holder {
	int orders;
	int answers;
};

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static int listen_anywhere(in_port_t *port)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t length = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (listener < 0 || bind(listener, (struct sockaddr *)&address, length) || listen(listener, BACKLOG))
		die("listen");
	getsockname(listener, (struct sockaddr *)&address, &length);
	*port = address.sin_port;
	return listener;
}

static void open_one(struct connection *connection, long index, int listener, in_port_t port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = port,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK + (uint32_t)(index % ADDRESSES)),
	};

	connection->client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connection->client < 0 || connect(connection->client, (struct sockaddr *)&address, sizeof(address)))
		die("connect");
	connection->server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (connection->server < 0)
		die("accept");
}

static void move_one(const struct connection *connection)
{
	char byte = 0;

	if (write(connection->client, &byte, 1) != 1 || read(connection->server, &byte, 1) != 1 ||
	    write(connection->server, &byte, 1) != 1 || read(connection->client, &byte, 1) != 1)
		die("move");
}

static void hold(long count, FILE *orders, int answers)
{
	struct connection *connections = calloc((size_t)count, sizeof(*connections));
	char line[16];
	in_port_t port;
	int listener = listen_anywhere(&port);

	if (!connections)
		die("memory");
	while (fgets(line, sizeof(line), orders)) {
		for (long i = 0; i < count; i++) {
			if (line[0] == 'o') {
				open_one(&connections[i], i, listener, port);
			} else if (line[0] == 'm') {
				move_one(&connections[i]);
			} else {
				close(connections[i].client);
				close(connections[i].server);
			}
		}
		if (write(answers, "", 1) != 1)
			die("answer");
	}
	exit(0);
}

static struct holder start_holder(long count, const struct holder *earlier, int earlier_count)
{
	int orders[2], answers[2];
	pid_t pid;

	if (pipe(orders) || pipe(answers) || (pid = fork()) < 0)
		die("fork");
	if (pid == 0) {
		/* Else a holder would keep the others from seeing the end of their orders. */
		for (int i = 0; i < earlier_count; i++)
			close(earlier[i].orders);
		close(orders[1]);
		hold(count, fdopen(orders[0], "r"), answers[1]);
	}
	close(orders[0]);
	close(answers[1]);
	return (struct holder){ .orders = orders[1], .answers = answers[0] };
}

static void order(const struct holder *holders, int count, const char *line)
{
	char byte;

	/* One after another, as one process with all of them would. */
	for (int i = 0; i < count; i++) {
		if (write(holders[i].orders, line, strlen(line)) < 0)
			die("order");
		if (read(holders[i].answers, &byte, 1) != 1)
			die("a holder ended");
	}
}

int main(int argc, char **argv)
{
	struct holder holders[HOLDERS_MAX];
	long count, each, left;
	struct rlimit files;
	char line[16];
	int started = 0;

	if (argc != 2 || (count = atol(argv[1])) <= 0) {
		fprintf(stderr, "usage: held COUNT\n");
		return 2;
	}
	if (getrlimit(RLIMIT_NOFILE, &files))
		die("file limit");
	files.rlim_cur = files.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &files))
		die("file limit");
	each = ((long)files.rlim_cur - OTHER_FILES) / 2;
	if (each <= 0 || (count + each - 1) / each > HOLDERS_MAX) {
		fprintf(stderr, "held: at most %ld open files, too few for %ld connections\n", (long)files.rlim_cur, count);
		return 1;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (left = count; left > 0; left -= each) {
		holders[started] = start_holder(left < each ? left : each, holders, started);
		started++;
	}
	puts("ready");
	while (fgets(line, sizeof(line), stdin)) {
		order(holders, started, line);
		fputs(line, stdout);
	}
	return 0;
}
