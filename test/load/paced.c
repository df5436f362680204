/*
 * Connections at a steady rate, for benchmarks: cheap enough to leave the machine to what is measured.
 *
 *   paced COUNT RATE
 *
 * COUNT connections over loopback, RATE a second, by a fixed schedule: a late one does not delay those after it.
 * Each sends 64 bytes, gets them back and is closed by the client. Prints one JSON object when all are done:
 * the pid, whose both ends the sockets are, the connections made and the seconds it took.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { LISTENERS = 8, THREADS = 16, BYTES = 64, BACKLOG = 4096, ADDRESSES = 200 };

static long count;
static double rate;
static in_port_t ports[LISTENERS];
static struct timespec start;
static atomic_long next_index, made;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void *serve(void *argument)
{
	int listener = (int)(long)argument;
	char bytes[BYTES];

	for (;;) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		ssize_t got;

		if (fd < 0)
			return NULL;
		while ((got = read(fd, bytes, sizeof(bytes))) > 0)
			if (write(fd, bytes, (size_t)got) != got)
				break;
		close(fd);
	}
}

static void wait_for(long index)
{
	double seconds = (double)index / rate;
	long whole = (long)seconds;
	struct timespec at = {
		.tv_sec = start.tv_sec + whole,
		.tv_nsec = start.tv_nsec + (long)((seconds - (double)whole) * 1e9),
	};

	if (at.tv_nsec >= 1000000000) {
		at.tv_sec++;
		at.tv_nsec -= 1000000000;
	}
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR)
		;
}

static void connect_once(long index)
{
	/* Many addresses: ports of one pair are not free again for a minute. */
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = ports[index % LISTENERS],
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK + (uint32_t)(index % ADDRESSES)),
	};
	char bytes[BYTES] = { 0 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		die("socket");
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)))
		die("connect");
	if (write(fd, bytes, sizeof(bytes)) != BYTES || read(fd, bytes, sizeof(bytes)) <= 0)
		die("exchange");
	close(fd);
	atomic_fetch_add(&made, 1);
}

static void *drive(void *argument)
{
	long index;

	(void)argument;
	while ((index = atomic_fetch_add(&next_index, 1)) < count) {
		wait_for(index);
		connect_once(index);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t drivers[THREADS], server;
	struct timespec end;

	if (argc != 3 || (count = atol(argv[1])) <= 0 || (rate = atof(argv[2])) <= 0) {
		fprintf(stderr, "usage: paced COUNT RATE\n");
		return 2;
	}
	for (int i = 0; i < LISTENERS; i++) {
		struct sockaddr_in address = { .sin_family = AF_INET };
		socklen_t length = sizeof(address);
		int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

		if (listener < 0 || bind(listener, (struct sockaddr *)&address, length) || listen(listener, BACKLOG))
			die("listen");
		getsockname(listener, (struct sockaddr *)&address, &length);
		ports[i] = address.sin_port;
		for (int j = 0; j < 2; j++)
			if (pthread_create(&server, NULL, serve, (void *)(long)listener))
				die("thread");
	}
	clock_gettime(CLOCK_MONOTONIC, &start);
	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&drivers[i], NULL, drive, NULL))
			die("thread");
	for (int i = 0; i < THREADS; i++)
		pthread_join(drivers[i], NULL);
	clock_gettime(CLOCK_MONOTONIC, &end);
	printf("{\"pid\":%d,\"connections\":%ld,\"seconds\":%.3f}\n", getpid(), made,
	       (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9);
	return 0;
}
