/* Sockets: made, connected, accepted, asked, closed. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "actor.h"
#include "tcp_info.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

socklen_t parse_address(const char *text, const char *port, union address *address)
{
	memset(address, 0, sizeof(*address));
	if (inet_pton(AF_INET, text, &address->v4.sin_addr) == 1) {
		address->v4.sin_family = AF_INET;
		address->v4.sin_port = htons((uint16_t)atoi(port));
		return sizeof(address->v4);
	}
	if (inet_pton(AF_INET6, text, &address->v6.sin6_addr) != 1)
		die("no address");
	address->v6.sin6_family = AF_INET6;
	address->v6.sin6_port = htons((uint16_t)atoi(port));
	return sizeof(address->v6);
}

int64_t cookie_of(int fd)
{
	int64_t cookie = 0;
	socklen_t length = sizeof(cookie);

	getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &length);
	return cookie;
}

static void say_name(const char *prefix, const union address *address)
{
	char name[32], text[INET6_ADDRSTRLEN] = "";
	bool v6 = address->any.sa_family == AF_INET6;

	inet_ntop(address->any.sa_family, v6 ? (void *)&address->v6.sin6_addr : (void *)&address->v4.sin_addr, text,
		  sizeof(text));
	snprintf(name, sizeof(name), "%s_address", prefix);
	say_text(name, text);
	snprintf(name, sizeof(name), "%s_port", prefix);
	say_number(name, ntohs(v6 ? address->v6.sin6_port : address->v4.sin_port));
}

void say_names(int fd)
{
	union address address;
	socklen_t length = sizeof(address);

	if (!getsockname(fd, &address.any, &length))
		say_name("local", &address);
	length = sizeof(address);
	if (!getpeername(fd, &address.any, &length))
		say_name("peer", &address);
}

/* "info": absent where the socket has none. */
void say_info(int fd)
{
	struct full_tcp_info info = { 0 };
	socklen_t length = sizeof(info);
	char name[16] = "";

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length))
		return;
	say_raw(",\"info\":{");
	for (const struct info_field *field = info_fields; field->name; field++) {
		if (field->offset + field->size > length)
			continue;
		long long value = 0;
		memcpy(&value, (char *)&info + field->offset, field->size);
		say_number(field->name, value);
	}
	say_raw("}");
	length = sizeof(name);
	if (!getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, &length))
		say_text("congestion_control", name);
}

static void make(int argc, char **argv)
{
	bool v6 = argc > 1 && !strcmp(argv[1], "ipv6");
	int protocol = argc > 2 && !strcmp(argv[2], "mptcp") ? IPPROTO_MPTCP : 0;
	int fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM, protocol);

	say_error(fd < 0 ? errno : 0);
	/* One algorithm everywhere, where the kernel has it; scenarios that want another say so. */
	setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "cubic", 5);
	say_number("fd", fd);
	say_number("cookie", cookie_of(fd));
}

static void bind_socket(int argc, char **argv)
{
	union address address;
	socklen_t length = parse_address(argv[2], argv[3], &address);

	(void)argc;
	say_error(bind(atoi(argv[1]), &address.any, length) ? errno : 0);
	say_names(atoi(argv[1]));
}

static void listen_socket(int argc, char **argv)
{
	int error, fd = atoi(argv[1]);

	(void)argc;
	clock_before();
	error = listen(fd, atoi(argv[2])) ? errno : 0;
	clock_after();
	say_error(error);
	say_names(fd);
}

/* connect, accept: TCP_INFO before anything is sent through the socket. */
static void connect_socket(int argc, char **argv)
{
	union address address;
	socklen_t length = parse_address(argv[2], argv[3], &address);
	int error, fd = atoi(argv[1]);

	(void)argc;
	clock_before();
	error = connect(fd, &address.any, length) ? errno : 0;
	clock_after();
	say_error(error);
	say_names(fd);
	if (!error)
		say_info(fd);
}

static void disconnect(int argc, char **argv)
{
	struct sockaddr none = { .sa_family = AF_UNSPEC };
	int error, fd = atoi(argv[1]);

	(void)argc;
	say_error(0);
	say_info(fd);
	clock_before();
	error = connect(fd, &none, sizeof(none)) ? errno : 0;
	clock_after();
	say_number("disconnect_errno", error);
}

static void accept_socket(int argc, char **argv)
{
	int fd, error;

	(void)argc;
	clock_before();
	fd = accept(atoi(argv[1]), NULL, NULL);
	error = fd < 0 ? errno : 0;
	clock_after();
	say_error(error);
	say_number("fd", fd);
	if (fd < 0)
		return;
	say_number("cookie", cookie_of(fd));
	say_names(fd);
	say_info(fd);
}

/* close FD [abort]: TCP_INFO at the last moment; `abort` sends a reset whatever is queued. */
static void close_socket(int argc, char **argv)
{
	struct linger abort = { .l_onoff = 1, .l_linger = 0 };
	int error, fd = atoi(argv[1]);

	if (argc == 3 && setsockopt(fd, SOL_SOCKET, SO_LINGER, &abort, sizeof(abort)))
		die("SO_LINGER");
	say_error(0);
	say_info(fd);
	clock_before();
	error = close(fd) ? errno : 0;
	clock_after();
	say_number("close_errno", error);
}

static void shut(int argc, char **argv)
{
	int how = !strcmp(argv[2], "read") ? SHUT_RD : !strcmp(argv[2], "write") ? SHUT_WR : SHUT_RDWR;
	int error, fd = atoi(argv[1]);

	(void)argc;
	clock_before();
	error = shutdown(fd, how) ? errno : 0;
	clock_after();
	say_error(error);
}

static void info(int argc, char **argv)
{
	int error = 0;
	socklen_t length = sizeof(error);

	(void)argc;
	say_number("cookie", cookie_of(atoi(argv[1])));
	say_info(atoi(argv[1]));
	/* SO_ERROR is taken by reading it: only when asked for. */
	if (argc == 3 && !getsockopt(atoi(argv[1]), SOL_SOCKET, SO_ERROR, &error, &length))
		say_error(error);
}

static void set_number(int argc, char **argv)
{
	int value = atoi(argv[4]);

	(void)argc;
	say_error(setsockopt(atoi(argv[1]), atoi(argv[2]), atoi(argv[3]), &value, sizeof(value)) ? errno : 0);
}

static void set_text(int argc, char **argv)
{
	(void)argc;
	say_error(setsockopt(atoi(argv[1]), atoi(argv[2]), atoi(argv[3]), argv[4], (socklen_t)strlen(argv[4])) ? errno :
														 0);
}

static void nonblocking(int argc, char **argv)
{
	int fd = atoi(argv[1]), flags = fcntl(fd, F_GETFL);

	(void)argc;
	say_error(fcntl(fd, F_SETFL, flags | O_NONBLOCK) ? errno : 0);
}

const struct command socket_commands[] = {
	{ "socket", "ipv4|ipv6 [mptcp]", make },
	{ "bind", "FD ADDRESS PORT", bind_socket },
	{ "listen", "FD BACKLOG", listen_socket },
	{ "connect", "FD ADDRESS PORT", connect_socket },
	{ "disconnect", "FD", disconnect },
	{ "accept", "FD", accept_socket },
	{ "close", "FD [abort]", close_socket },
	{ "shutdown", "FD read|write|both", shut },
	{ "info", "FD [error]", info },
	{ "set", "FD LEVEL NAME NUMBER", set_number },
	{ "settext", "FD LEVEL NAME TEXT", set_text },
	{ "nonblocking", "FD", nonblocking },
	{ NULL, NULL, NULL },
};
