/*
 * Preloaded into ClickHouse: kills the process right before or right after the n-th rename of a new part.
 *
 * TCPTRAIL_RENAME_KILL names a file with "<n> <0 = before, 1 = after> <id>"; counting begins anew with every id, and
 * the file is removed when the process is killed.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static pthread_mutex_t counting = PTHREAD_MUTEX_INITIALIZER;
/* Of the order `counted`. */
static int renames, counted;

static int order(int *nth, int *after, int *id)
{
	const char *path = getenv("TCPTRAIL_RENAME_KILL");
	FILE *file = path ? fopen(path, "r") : NULL;
	if (!file)
		return 0;
	int read = fscanf(file, "%d %d %d", nth, after, id);
	fclose(file);
	return read == 3;
}

static int count(int id)
{
	pthread_mutex_lock(&counting);
	if (counted != id)
		renames = 0;
	counted = id;
	int number = ++renames;
	pthread_mutex_unlock(&counting);
	return number;
}

/* `done`: 0 before the rename, 1 after it. */
static void pass(const char *from, int done, int *number)
{
	int nth, after, id;
	if (!from || !strstr(from, "tmp_insert_") || !order(&nth, &after, &id))
		return;
	if (!done)
		*number = count(id);
	if (*number != nth || done != after)
		return;
	unlink(getenv("TCPTRAIL_RENAME_KILL"));
	kill(getpid(), SIGKILL);
	for (;;)
		pause();
}

#define NEXT(name) \
	static __typeof__(&name) next; \
	if (!next) \
		next = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

int rename(const char *from, const char *to)
{
	NEXT(rename);
	int number = 0;
	pass(from, 0, &number);
	int result = next(from, to);
	pass(from, 1, &number);
	return result;
}

int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	NEXT(renameat);
	int number = 0;
	pass(from, 0, &number);
	int result = next(from_dir, from, to_dir, to);
	pass(from, 1, &number);
	return result;
}

int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned int flags)
{
	NEXT(renameat2);
	int number = 0;
	pass(from, 0, &number);
	int result = next(from_dir, from, to_dir, to, flags);
	pass(from, 1, &number);
	return result;
}

/* ClickHouse calls renameat2 past the C library. */
long syscall(long call, ...)
{
	NEXT(syscall);
	va_list list;
	va_start(list, call);
	long a = va_arg(list, long), b = va_arg(list, long), c = va_arg(list, long);
	long d = va_arg(list, long), e = va_arg(list, long), f = va_arg(list, long);
	va_end(list);
	const char *from = call == SYS_renameat2 ? (const char *)b : NULL;
	int number = 0;
	pass(from, 0, &number);
	long result = next(call, a, b, c, d, e, f);
	pass(from, 1, &number);
	return result;
}
