#include "base/line_process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"

extern char **environ;

enum { POLL_MS = 50, GRACE_MS = 1000 };

struct line_process {
    pid_t pid;   /* 0: it ended */
    int in, out; /* -1: closed */
};

static void close_end(int *descriptor)
{
    if (*descriptor >= 0)
        close(*descriptor);
    *descriptor = -1;
}

/* Ends of two pipes; ours do not wait and are not inherited. */
struct pipes {
    int child_in, in, out, child_out;
};

static enum status open_pipes(struct pipes *pipes, struct err *err)
{
    int to[2], from[2];
    if (pipe(to) != 0)
        return err_errno(err, "cannot make a pipe");
    if (pipe(from) != 0) {
        close(to[0]);
        close(to[1]);
        return err_errno(err, "cannot make a pipe");
    }
    *pipes = (struct pipes){to[0], to[1], from[0], from[1]};
    fcntl(pipes->in, F_SETFD, FD_CLOEXEC);
    fcntl(pipes->out, F_SETFD, FD_CLOEXEC);
    fcntl(pipes->in, F_SETFL, O_NONBLOCK);
    fcntl(pipes->out, F_SETFL, O_NONBLOCK);
    return STATUS_OK;
}

/* Signals as a program expects them, in a group of its own. */
static int set_attributes(posix_spawnattr_t *attributes)
{
    sigset_t usual;
    sigemptyset(&usual);
    sigaddset(&usual, SIGINT);
    sigaddset(&usual, SIGPIPE);
    int failed = posix_spawnattr_setsigdefault(attributes, &usual);
    if (!failed)
        failed = posix_spawnattr_setpgroup(attributes, 0);
    return failed ? failed
                  : posix_spawnattr_setflags(attributes,
                                             POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF);
}

static int set_actions(posix_spawn_file_actions_t *actions, const struct pipes *pipes)
{
    int failed = posix_spawn_file_actions_adddup2(actions, pipes->child_in, STDIN_FILENO);
    if (!failed)
        failed = posix_spawn_file_actions_adddup2(actions, pipes->child_out, STDOUT_FILENO);
    if (!failed)
        failed = posix_spawn_file_actions_addclose(actions, pipes->child_in);
    return failed ? failed : posix_spawn_file_actions_addclose(actions, pipes->child_out);
}

static int spawn(const char *command, const struct pipes *pipes, pid_t *pid)
{
    char name[] = "sh", option[] = "-c";
    char *text = memory_strdup(command);
    char *const arguments[] = {name, option, text, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    if (!text || posix_spawn_file_actions_init(&actions) != 0) {
        memory_free(text);
        return ENOMEM;
    }
    int failed = posix_spawnattr_init(&attributes);
    if (!failed) {
        if (!(failed = set_attributes(&attributes)) && !(failed = set_actions(&actions, pipes)))
            failed = posix_spawn(pid, "/bin/sh", &actions, &attributes, arguments, environ);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&actions);
    memory_free(text);
    return failed;
}

enum status line_process_start(const char *command, struct line_process **out, struct err *err)
{
    struct pipes pipes = {-1, -1, -1, -1};
    *out = memory_new(1, sizeof **out);
    if (!*out)
        return err_set(err, STATUS_NOMEM, "out of memory for a process");
    enum status status = open_pipes(&pipes, err);
    if (!status) {
        int failed = spawn(command, &pipes, &(*out)->pid);
        close(pipes.child_in);
        close(pipes.child_out);
        (*out)->in = pipes.in;
        (*out)->out = pipes.out;
        errno = failed;
        if (!failed)
            return STATUS_OK;
        status = err_errno(err, "cannot start a shell");
        close(pipes.in);
        close(pipes.out);
    }
    memory_free(*out);
    *out = NULL;
    return status;
}

/* Waits for it to end, then makes it. Returns its status as waitpid has it. */
static int reap(struct line_process *process)
{
    const struct timespec pause = {0, 2000000};
    int status = 0;
    pid_t ended = 0;
    for (int ms = 0; ms < GRACE_MS && ended == 0; ms += 2) {
        ended = waitpid(process->pid, &status, WNOHANG);
        if (ended == 0)
            nanosleep(&pause, NULL);
    }
    kill(-process->pid, SIGKILL); /* what it started goes too */
    if (ended == 0)
        waitpid(process->pid, &status, 0);
    process->pid = 0;
    return status;
}

static enum status say_ended(struct line_process *process, size_t answered, size_t n,
                             struct err *err)
{
    close_end(&process->in);
    int status = reap(process);
    if (WIFSIGNALED(status))
        return err_set(err, STATUS_IO, "it was ended by signal %d after %zu of %zu answers",
                       WTERMSIG(status), answered, n);
    return err_set(err, STATUS_IO, "it ended with status %d after %zu of %zu answers",
                   WEXITSTATUS(status), answered, n);
}

struct exchange {
    struct line_process *process;
    const char *left; /* to be written */
    size_t left_bytes, n, answered, line_bytes;
    int64_t last_ns; /* the last answer */
    struct text *answers;
};

/* A closed pipe is noticed where answers are read. */
static void write_some(struct exchange *x)
{
    ssize_t bytes = write(x->process->in, x->left, x->left_bytes);
    if (bytes < 0 && errno != EAGAIN && errno != EINTR)
        x->left_bytes = 0;
    if (bytes <= 0)
        return;
    x->left += bytes;
    x->left_bytes -= (size_t)bytes;
}

static enum status take(struct exchange *x, const char *bytes, size_t n, struct err *err)
{
    for (size_t i = 0; i < n; i++) {
        if (x->answered == x->n)
            return err_set(err, STATUS_IO, "it answered more lines than it was asked");
        if (bytes[i] != '\n' && ++x->line_bytes <= MAX_ANSWER_BYTES)
            continue;
        if (bytes[i] != '\n')
            return err_set(err, STATUS_IO, "answer %zu: a line of more than %d bytes",
                           x->answered + 1, MAX_ANSWER_BYTES);
        x->line_bytes = 0;
        x->answered++;
        x->last_ns = clock_ns();
    }
    text_addf(x->answers, "%.*s", (int)n, bytes);
    return x->answers->failed ? err_set(err, STATUS_NOMEM, "out of memory for answers") : STATUS_OK;
}

/* Whatever is there. */
static enum status read_some(struct exchange *x, struct err *err)
{
    char buffer[4096];
    ssize_t bytes = read(x->process->out, buffer, sizeof buffer);
    if (bytes < 0 && (errno == EAGAIN || errno == EINTR))
        return STATUS_OK;
    if (bytes <= 0)
        return say_ended(x->process, x->answered, x->n, err);
    if (memchr(buffer, 0, (size_t)bytes))
        return err_set(err, STATUS_IO, "answer %zu: a zero byte", x->answered + 1);
    return take(x, buffer, (size_t)bytes, err);
}

static enum status step(struct exchange *x, double timeout_s, const volatile sig_atomic_t *stop,
                        struct err *err)
{
    struct pollfd ends[2] = {{x->process->out, POLLIN, 0}, {x->process->in, POLLOUT, 0}};
    int ready = poll(ends, x->left_bytes > 0 ? 2 : 1, POLL_MS);
    if (stop && *stop)
        return err_set(err, STATUS_INTERRUPTED, "interrupted");
    if (ready > 0 && x->left_bytes > 0 && ends[1].revents)
        write_some(x);
    if (ready > 0 && ends[0].revents)
        return read_some(x, err);
    if ((double)(clock_ns() - x->last_ns) / 1e9 > timeout_s)
        return err_set(err, STATUS_IO,
                       "no answer within %g s, after %zu of %zu (does it flush each?)", timeout_s,
                       x->answered, x->n);
    return STATUS_OK;
}

enum status line_process_ask(struct line_process *process, const char *lines, size_t n,
                             double timeout_s, const volatile sig_atomic_t *stop,
                             struct text *answers, struct err *err)
{
    struct exchange x = {
        .process = process,
        .left = lines,
        .left_bytes = strlen(lines),
        .n = n,
        .last_ns = clock_ns(),
        .answers = answers,
    };
    struct sigaction ignored = {.sa_handler = SIG_IGN}, before;
    struct pollfd early = {process->out, POLLIN, 0};
    enum status status = STATUS_OK;
    text_release(answers);
    if (poll(&early, 1, 0) > 0 && early.revents & POLLIN)
        return err_set(err, STATUS_IO, "it answered more lines than it was asked");
    sigaction(SIGPIPE, &ignored, &before);
    while (x.answered < n && !status)
        status = step(&x, timeout_s, stop, err);
    sigaction(SIGPIPE, &before, NULL);
    return status;
}

void line_process_end(struct line_process *process)
{
    if (!process)
        return;
    close_end(&process->in);
    close_end(&process->out);
    if (process->pid > 0)
        reap(process);
    memory_free(process);
}
