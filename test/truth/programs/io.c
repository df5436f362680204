/* Bytes through sockets, by every call that moves them. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <unistd.h>

#include "actor.h"

enum { CHUNK = 1 << 16 };

static char bytes[CHUNK];

static void say_moved(long long moved, int error)
{
	clock_after();
	say_error(error);
	say_number("bytes", moved);
}

/* send FD COUNT [oob|CHUNK]: until all is taken or an error; each call takes a chunk at most. */
static void send_bytes(int argc, char **argv)
{
	int fd = atoi(argv[1]), flags = argc > 3 && !strcmp(argv[3], "oob") ? MSG_OOB : 0, error = 0;
	long long wanted = atoll(argv[2]), moved = 0, chunk = argc > 3 ? atoll(argv[3]) : 0;

	if (chunk <= 0 || chunk > CHUNK)
		chunk = CHUNK;
	clock_before();
	while (moved < wanted) {
		ssize_t got = send(fd, bytes, (size_t)(wanted - moved < chunk ? wanted - moved : chunk), flags);

		if (got < 0) {
			error = errno;
			break;
		}
		moved += got;
	}
	say_moved(moved, error);
}

/* receive FD COUNT: until COUNT bytes, the end or an error. "end": the peer's FIN was read. */
static void receive_bytes(int argc, char **argv)
{
	int fd = atoi(argv[1]), error = 0;
	long long wanted = atoll(argv[2]), moved = 0;
	bool end = 0;

	(void)argc;
	clock_before();
	while (moved < wanted) {
		ssize_t got = recv(fd, bytes, (size_t)(wanted - moved < CHUNK ? wanted - moved : CHUNK), 0);

		if (got <= 0) {
			error = got < 0 ? errno : 0;
			end = got == 0;
			break;
		}
		moved += got;
	}
	say_moved(moved, error);
	say_number("end", end);
}

static void send_fast_open(int argc, char **argv)
{
	union address address;
	socklen_t length = parse_address(argv[2], argv[3], &address);
	int fd = atoi(argv[1]), error;
	ssize_t moved;

	(void)argc;
	clock_before();
	moved = sendto(fd, bytes, (size_t)atoi(argv[4]), MSG_FASTOPEN, &address.any, length);
	error = moved < 0 ? errno : 0;
	say_moved(moved < 0 ? 0 : moved, error);
	say_names(fd);
}

static int file_of(long long length)
{
	int fd = memfd_create("bytes", MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, length))
		die("memfd");
	return fd;
}

static void send_file(int argc, char **argv)
{
	long long wanted = atoll(argv[2]), moved = 0;
	int file = file_of(wanted), error = 0;

	(void)argc;
	clock_before();
	while (moved < wanted) {
		ssize_t got = sendfile(atoi(argv[1]), file, NULL, (size_t)(wanted - moved));

		if (got <= 0) {
			error = errno;
			break;
		}
		moved += got;
	}
	say_moved(moved, error);
	close(file);
}

/* splice FROM TO COUNT: from one socket into another through a pipe. */
static void splice_bytes(int argc, char **argv)
{
	int from = atoi(argv[1]), to = atoi(argv[2]), ends[2], error = 0;
	long long wanted = atoll(argv[3]), moved = 0;

	(void)argc;
	if (pipe2(ends, O_CLOEXEC))
		die("pipe");
	clock_before();
	while (moved < wanted && !error) {
		ssize_t got = splice(from, NULL, ends[1], NULL, (size_t)(wanted - moved), SPLICE_F_MOVE);

		if (got <= 0) {
			error = got < 0 ? errno : 0;
			break;
		}
		for (ssize_t left = got; left > 0;) {
			ssize_t put = splice(ends[0], NULL, to, NULL, (size_t)left, SPLICE_F_MOVE);

			if (put <= 0) {
				error = errno;
				break;
			}
			left -= put;
			moved += put;
		}
	}
	say_moved(moved, error);
	close(ends[0]);
	close(ends[1]);
}

/* wait FD in|out|end MS: whether poll(2) reports it in time. */
static void wait_for(int argc, char **argv)
{
	short events = !strcmp(argv[2], "in") ? POLLIN : !strcmp(argv[2], "out") ? POLLOUT : POLLRDHUP;
	struct pollfd one = { .fd = atoi(argv[1]), .events = events };

	(void)argc;
	say_number("ready", poll(&one, 1, atoi(argv[3])) == 1);
	say_number("revents", one.revents);
}

static void make_pair(int argc, char **argv)
{
	int ends[2];

	(void)argc, (void)argv;
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends))
		die("socketpair");
	say_number("one", ends[0]);
	say_number("other", ends[1]);
}

union fd_message {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(sizeof(int))];
};

static void pass(int argc, char **argv)
{
	char byte = 0;
	struct iovec part = { &byte, 1 };
	union fd_message control = { .header = { .cmsg_len = CMSG_LEN(sizeof(int)),
						 .cmsg_level = SOL_SOCKET,
						 .cmsg_type = SCM_RIGHTS } };
	struct msghdr message = { .msg_iov = &part,
				  .msg_iovlen = 1,
				  .msg_control = control.bytes,
				  .msg_controllen = sizeof(control.bytes) };
	int fd = atoi(argv[2]);

	(void)argc;
	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	say_error(sendmsg(atoi(argv[1]), &message, 0) == 1 ? 0 : errno);
}

static void take(int argc, char **argv)
{
	char byte;
	struct iovec part = { &byte, 1 };
	union fd_message control;
	struct msghdr message = { .msg_iov = &part,
				  .msg_iovlen = 1,
				  .msg_control = control.bytes,
				  .msg_controllen = sizeof(control.bytes) };
	int fd = -1;

	(void)argc;
	if (recvmsg(atoi(argv[1]), &message, 0) == 1)
		memcpy(&fd, CMSG_DATA(&control.header), sizeof(fd));
	say_number("fd", fd);
}

const struct command io_commands[] = {
	{ "send", "FD COUNT [oob|CHUNK]", send_bytes },
	{ "receive", "FD COUNT", receive_bytes },
	{ "fastopen", "FD ADDRESS PORT COUNT", send_fast_open },
	{ "sendfile", "FD COUNT", send_file },
	{ "splice", "FROM TO COUNT", splice_bytes },
	{ "wait", "FD in|out|end MS", wait_for },
	{ "pair", "", make_pair },
	{ "pass", "UNIX FD", pass },
	{ "take", "UNIX", take },
	{ NULL, NULL, NULL },
};
