/* Socket calls through io_uring, one at a time; with `async` a worker of the kernel makes them. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/io_uring.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "actor.h"

enum { ENTRIES = 4, BYTES_MAX = 1 << 16 };

static struct {
	int fd;
	char *queue;
	struct io_uring_sqe *entries;
	struct io_uring_params params;
} ring = { .fd = -1 };

static int open_ring(void)
{
	size_t submissions, completions;

	if (ring.fd >= 0)
		return 0;
	memset(&ring.params, 0, sizeof(ring.params));
	ring.fd = (int)syscall(SYS_io_uring_setup, ENTRIES, &ring.params);
	if (ring.fd < 0)
		return errno;
	submissions = ring.params.sq_off.array + ring.params.sq_entries * sizeof(uint32_t);
	completions = ring.params.cq_off.cqes + ring.params.cq_entries * sizeof(struct io_uring_cqe);
	ring.queue = mmap(NULL, submissions > completions ? submissions : completions, PROT_READ | PROT_WRITE,
			  MAP_SHARED, ring.fd, IORING_OFF_SQ_RING);
	ring.entries = mmap(NULL, ring.params.sq_entries * sizeof(struct io_uring_sqe), PROT_READ | PROT_WRITE,
			    MAP_SHARED, ring.fd, IORING_OFF_SQES);
	return ring.queue == MAP_FAILED || ring.entries == MAP_FAILED ? errno : 0;
}

/* The result, or a negative error number. */
static int submit(const struct io_uring_sqe *entry)
{
	_Atomic uint32_t *tail = (void *)(ring.queue + ring.params.sq_off.tail);
	_Atomic uint32_t *head = (void *)(ring.queue + ring.params.cq_off.head);
	uint32_t at = *tail & (ring.params.sq_entries - 1);
	struct io_uring_cqe *done;

	ring.entries[at] = *entry;
	((uint32_t *)(ring.queue + ring.params.sq_off.array))[at] = at;
	atomic_fetch_add(tail, 1);
	if (syscall(SYS_io_uring_enter, ring.fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) < 0)
		return -errno;
	done = (struct io_uring_cqe *)(ring.queue + ring.params.cq_off.cqes);
	done += *head & (ring.params.cq_entries - 1);
	atomic_fetch_add(head, 1);
	return done->res;
}

static int run(struct io_uring_sqe *entry, const char *mode)
{
	int result;

	if (mode && !strcmp(mode, "async"))
		entry->flags |= IOSQE_ASYNC;
	clock_before();
	result = open_ring();
	result = result ? -result : submit(entry);
	clock_after();
	say_error(result < 0 ? -result : 0);
	return result;
}

static void uring_probe(int argc, char **argv)
{
	(void)argc, (void)argv;
	say_error(open_ring());
}

static void uring_connect(int argc, char **argv)
{
	union address address;
	socklen_t length = parse_address(argv[2], argv[3], &address);
	struct io_uring_sqe entry = { .opcode = IORING_OP_CONNECT,
				      .fd = atoi(argv[1]),
				      .addr = (uint64_t)(uintptr_t)&address,
				      .off = length };

	run(&entry, argc > 4 ? argv[4] : NULL);
	say_names(entry.fd);
}

static void uring_accept(int argc, char **argv)
{
	struct io_uring_sqe entry = { .opcode = IORING_OP_ACCEPT, .fd = atoi(argv[1]) };
	int fd = run(&entry, argc > 2 ? argv[2] : NULL);

	say_number("fd", fd);
	if (fd < 0)
		return;
	say_number("cookie", cookie_of(fd));
	say_names(fd);
	say_info(fd);
}

static void uring_move(uint8_t opcode, int argc, char **argv)
{
	static char bytes[BYTES_MAX];
	int wanted = atoi(argv[2]);
	struct io_uring_sqe entry = { .opcode = opcode,
				      .fd = atoi(argv[1]),
				      .addr = (uint64_t)(uintptr_t)bytes,
				      .len = (uint32_t)(wanted < BYTES_MAX ? wanted : BYTES_MAX),
				      .msg_flags = MSG_WAITALL };
	int moved = run(&entry, argc > 3 ? argv[3] : NULL);

	say_number("bytes", moved < 0 ? 0 : moved);
}

static void uring_send(int argc, char **argv)
{
	uring_move(IORING_OP_SEND, argc, argv);
}

static void uring_receive(int argc, char **argv)
{
	uring_move(IORING_OP_RECV, argc, argv);
}

static void uring_close(int argc, char **argv)
{
	struct io_uring_sqe entry = { .opcode = IORING_OP_CLOSE, .fd = atoi(argv[1]) };

	run(&entry, argc > 2 ? argv[2] : NULL);
}

const struct command uring_commands[] = {
	{ "uring", "", uring_probe },
	{ "uring_connect", "FD ADDRESS PORT [async]", uring_connect },
	{ "uring_accept", "FD [async]", uring_accept },
	{ "uring_send", "FD COUNT [async]", uring_send },
	{ "uring_receive", "FD COUNT [async]", uring_receive },
	{ "uring_close", "FD [async]", uring_close },
	{ NULL, NULL, NULL },
};
