/*
 *   actor [IN OUT]
 *
 * Reads commands, one a line, words parted by blanks, and answers each with one JSON object on a line. Which process,
 * thread, user and namespace makes which call at which moment is the scenario's to say: nothing here waits for luck.
 */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "actor.h"

enum { WORDS_MAX = 64, LINE_MAX_BYTES = 1 << 16 };

static char *answer;
static size_t used, size;
static long long before, after;

static const struct command *const tables[] = {
	process_commands, socket_commands, io_commands,	 many_commands,
	uring_commands,	  raw_commands,	   net_commands,
};

void die(const char *what)
{
	perror(what);
	exit(1);
}

long long now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

void clock_before(void)
{
	before = now_us();
}

void clock_after(void)
{
	after = now_us();
}

void say_raw(const char *format, ...)
{
	va_list list;
	int length;

	for (;;) {
		va_start(list, format);
		length = vsnprintf(answer + used, size - used, format, list);
		va_end(list);
		if (used + (size_t)length < size)
			break;
		size = size * 2 + (size_t)length;
		answer = realloc(answer, size);
		if (!answer)
			die("realloc");
	}
	used += (size_t)length;
}

void say_number(const char *name, long long value)
{
	say_raw("%s\"%s\":%lld", used > 1 && answer[used - 1] != '{' ? "," : "", name, value);
}

void say_text(const char *name, const char *value)
{
	say_raw("%s\"%s\":\"", used > 1 && answer[used - 1] != '{' ? "," : "", name);
	for (; *value; value++) {
		if (*value == '"' || *value == '\\' || (unsigned char)*value < ' ')
			say_raw("\\u%04x", (unsigned char)*value);
		else
			say_raw("%c", *value);
	}
	say_raw("\"");
}

void say_error(int error)
{
	say_number("errno", error);
}

int run_command(int argc, char **argv)
{
	for (size_t table = 0; table < sizeof(tables) / sizeof(*tables); table++) {
		for (const struct command *command = tables[table]; command->name; command++) {
			if (strcmp(command->name, argv[0]))
				continue;
			command->run(argc, argv);
			return 1;
		}
	}
	return 0;
}

void serve(int in, int out)
{
	FILE *commands = fdopen(in, "r");
	char line[LINE_MAX_BYTES], *words[WORDS_MAX], *save;

	while (commands && fgets(line, sizeof(line), commands)) {
		int count = 0;

		for (char *word = strtok_r(line, " \n", &save); word && count < WORDS_MAX - 1;
		     word = strtok_r(NULL, " \n", &save))
			words[count++] = word;
		words[count] = NULL;
		if (count == 0)
			continue;
		used = 0;
		after = 0;
		say_raw("{");
		clock_before();
		if (!run_command(count, words))
			say_text("unknown", words[0]);
		if (after == 0)
			clock_after();
		say_number("before", before);
		say_number("after", after);
		say_raw("}\n");
		for (size_t written = 0; written < used;) {
			ssize_t got = write(out, answer + written, used - written);

			if (got <= 0)
				exit(0);
			written += (size_t)got;
		}
	}
	exit(0);
}

int main(int argc, char **argv)
{
	size = 1 << 16;
	answer = malloc(size);
	if (!answer)
		die("malloc");
	signal(SIGPIPE, SIG_IGN);
	/* A new image of the same process says that it is there. */
	if (argc == 3 && write(atoi(argv[2]), "{}\n", 3) != 3)
		die("write");
	serve(argc == 3 ? atoi(argv[1]) : STDIN_FILENO, argc == 3 ? atoi(argv[2]) : STDOUT_FILENO);
}
