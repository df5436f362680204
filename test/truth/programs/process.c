/* Who the actor is, and how it becomes another: fork, exec, thread, user, namespace. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "actor.h"

static int in_fd = STDIN_FILENO, out_fd = STDOUT_FILENO;

static void read_file(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? 0 : read(fd, text, size - 1);

	text[got > 0 ? got : 0] = 0;
	if (fd >= 0)
		close(fd);
}

static void whoami(int argc, char **argv)
{
	char text[4096], *field;
	struct stat net;
	ssize_t length;

	(void)argc, (void)argv;
	say_number("pid", getpid());
	say_number("parent", getppid());
	say_number("uid", geteuid());
	read_file("/proc/self/stat", text, sizeof(text));
	/* proc(5): field 22, in hundredths of a second since boot. */
	field = strrchr(text, ')') + 2;
	for (int i = 3; i < 22; i++)
		field = strchr(field, ' ') + 1;
	say_number("start_ticks", atoll(field));
	read_file("/proc/self/comm", text, sizeof(text));
	text[strcspn(text, "\n")] = 0;
	say_text("comm", text);
	read_file("/proc/self/cgroup", text, sizeof(text));
	say_text("cgroups", text);
	length = readlink("/proc/self/exe", text, sizeof(text) - 1);
	text[length > 0 ? length : 0] = 0;
	say_text("executable", text);
	if (!stat("/proc/self/ns/net", &net))
		say_number("network_namespace", (long long)net.st_ino);
}

/* The child serves commands on two descriptors that it has from the start. */
static void fork_actor(int argc, char **argv)
{
	pid_t pid;

	if (argc != 3)
		return;
	pid = fork();
	if (pid == 0) {
		/* Each side keeps its own end only, so that the runner sees which of them is gone. */
		int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);

		dup2(nothing, in_fd);
		dup2(nothing, out_fd);
		close(nothing);
		in_fd = atoi(argv[1]);
		out_fd = atoi(argv[2]);
		serve(in_fd, out_fd);
	}
	close(atoi(argv[1]));
	close(atoi(argv[2]));
	say_error(pid < 0 ? errno : 0);
	say_number("pid", pid);
}

/* exec FILE WORD…: the new image answers, on the descriptors that are its last two arguments. */
static void exec_actor(int argc, char **argv)
{
	char in[16], out[16], *words[16] = { NULL };

	if (argc < 2 || argc > 12)
		return;
	snprintf(in, sizeof(in), "%d", in_fd);
	snprintf(out, sizeof(out), "%d", out_fd);
	memcpy(words, argv + 1, (size_t)(argc - 1) * sizeof(*words));
	words[argc - 1] = in;
	words[argc] = out;
	execv(argv[1], words);
	say_error(errno);
}

struct thread_work {
	int argc;
	char **argv;
};

static void *thread_main(void *argument)
{
	struct thread_work *work = argument;

	prctl(PR_SET_NAME, work->argv[1]);
	run_command(work->argc - 2, work->argv + 2);
	return NULL;
}

static void thread(int argc, char **argv)
{
	struct thread_work work = { argc, argv };
	pthread_t thread;

	if (argc < 3 || pthread_create(&thread, NULL, thread_main, &work))
		return;
	pthread_join(thread, NULL);
}

static void set_uid(int argc, char **argv)
{
	say_error(argc == 2 && !setuid((uid_t)atoi(argv[1])) ? 0 : errno);
}

static void set_name(int argc, char **argv)
{
	say_error(argc == 2 && !prctl(PR_SET_NAME, argv[1]) ? 0 : errno);
}

static void new_net(int argc, char **argv)
{
	(void)argc, (void)argv;
	say_error(unshare(CLONE_NEWNET) ? errno : 0);
}

static void join_net(int argc, char **argv)
{
	int fd = argc == 2 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1;

	say_error(fd >= 0 && !setns(fd, CLONE_NEWNET) ? 0 : errno);
	if (fd >= 0)
		close(fd);
}

/* run COMMAND WORD…: status and output of another program, in the actor's namespace. */
static void run(int argc, char **argv)
{
	char output[4096];
	int ends[2], status = 0;
	size_t got = 0;
	pid_t pid;

	if (argc < 2 || pipe2(ends, O_CLOEXEC))
		return;
	pid = fork();
	if (pid == 0) {
		dup2(ends[1], STDOUT_FILENO);
		dup2(ends[1], STDERR_FILENO);
		execvp(argv[1], argv + 1);
		_exit(127);
	}
	close(ends[1]);
	for (ssize_t part; (part = read(ends[0], output + got, sizeof(output) - 1 - got)) > 0;)
		got += (size_t)part;
	output[got] = 0;
	close(ends[0]);
	waitpid(pid, &status, 0);
	say_number("status", WIFEXITED(status) ? WEXITSTATUS(status) : 128);
	say_text("output", output);
}

/* write FILE WORD…: sysctls of this namespace. */
static void write_file(int argc, char **argv)
{
	int fd = argc >= 3 ? open(argv[1], O_WRONLY | O_CLOEXEC) : -1;
	char text[256] = "";

	for (int i = 2; i < argc; i++) {
		strncat(text, argv[i], sizeof(text) - strlen(text) - 2);
		strcat(text, i + 1 < argc ? " " : "");
	}
	say_error(fd >= 0 && write(fd, text, strlen(text)) > 0 ? 0 : errno);
	if (fd >= 0)
		close(fd);
}

static void quit(int argc, char **argv)
{
	exit(argc == 2 ? atoi(argv[1]) : 0);
}

static void kill_self(int argc, char **argv)
{
	(void)argc, (void)argv;
	kill(getpid(), SIGKILL);
}

const struct command process_commands[] = {
	{ "whoami", "", whoami },
	{ "fork", "IN OUT", fork_actor },
	{ "exec", "FILE WORD…", exec_actor },
	{ "thread", "NAME COMMAND…", thread },
	{ "setuid", "UID", set_uid },
	{ "name", "COMM", set_name },
	{ "newnet", "", new_net },
	{ "setns", "FILE", join_net },
	{ "run", "COMMAND WORD…", run },
	{ "write", "FILE WORD…", write_file },
	{ "exit", "[CODE]", quit },
	{ "kill", "", kill_self },
	{ NULL, NULL, NULL },
};
