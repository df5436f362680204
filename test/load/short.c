/*
 * Short connections as fast as they go, for benchmarks of what recording them costs.
 *
 *   short COUNT
 *
 * COUNT connections over loopback, from THREADS clients to THREADS servers of this process: 64 bytes there and back,
 * closed by the client. Says `ready`, begins at the first line of stdin, prints one JSON object when the last one is
 * closed at both ends, and stays until stdin ends, so that its CPU time can be read outside too.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 4, BYTES = 64, BACKLOG = 4096, ADDRESSES = 200 };

static long count;
static in_port_t port;
static atomic_long next_index, closed;
static sem_t all_closed;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void *serve(void *argument)
{
	int listener = *(int *)argument;
	char bytes[BYTES];
	ssize_t got;

	for (;;) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0)
			die("accept");
		while ((got = read(fd, bytes, sizeof(bytes))) > 0)
			if (write(fd, bytes, (size_t)got) != got)
				die("answer");
		close(fd);
		if (atomic_fetch_add(&closed, 1) + 1 == count)
			sem_post(&all_closed);
	}
	return NULL;
}

static void *drive(void *argument)
{
	char bytes[BYTES] = { 0 };
	long index;

	while ((index = atomic_fetch_add(&next_index, 1)) < count) {
		/* Many addresses: ports of one pair are not free again for a minute. */
		struct sockaddr_in address = {
			.sin_family = AF_INET,
			.sin_port = port,
			.sin_addr.s_addr = htonl(INADDR_LOOPBACK + (uint32_t)(index % ADDRESSES)),
		};
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

		if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)))
			die("connect");
		if (write(fd, bytes, sizeof(bytes)) != BYTES || read(fd, bytes, sizeof(bytes)) <= 0)
			die("exchange");
		close(fd);
	}
	return argument;
}

static double seconds(struct timespec since)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - since.tv_sec) + (double)(now.tv_nsec - since.tv_nsec) / 1e9;
}

static double cpu_us(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t length = sizeof(address);
	pthread_t thread, drivers[THREADS];
	struct timespec start;
	double before;
	int listener;

	if (argc != 2 || (count = atol(argv[1])) <= 0) {
		fprintf(stderr, "usage: short COUNT\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	sem_init(&all_closed, 0, 0);
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listener < 0 || bind(listener, (struct sockaddr *)&address, length) || listen(listener, BACKLOG))
		die("listen");
	getsockname(listener, (struct sockaddr *)&address, &length);
	port = address.sin_port;
	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&thread, NULL, serve, &listener))
			die("thread");
	puts("ready");
	if (getchar() == EOF)
		return 1;
	clock_gettime(CLOCK_MONOTONIC, &start);
	before = cpu_us();
	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&drivers[i], NULL, drive, NULL))
			die("thread");
	for (int i = 0; i < THREADS; i++)
		pthread_join(drivers[i], NULL);
	sem_wait(&all_closed);
	printf("{\"connections\":%ld,\"seconds\":%.3f,\"cpu_us\":%.0f}\n", count, seconds(start),
	       cpu_us() - before);
	while (getchar() != EOF)
		;
	return 0;
}
