#include "program.h"

#include "segment/object.h"
#include "tests/kit/child.h"
#include "tests/kit/kit.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NUMBERS = 32 };

static const char *program_path(void)
{
    static char path[512];
    const char *folder = getenv("KB_BUILD");
    if (!folder)
        folder = getenv("BUILD");
    snprintf(path, sizeof path, "%s/keybrokerd", folder ? folder : "build");
    return path;
}

bool program_there(void)
{
    return access(program_path(), X_OK) == 0;
}

static void file_in(const struct program *program, const char *file, char out[96])
{
    snprintf(out, 96, "%s/%s", program->folder, file);
}

void program_keys(const struct program *program, uint32_t keys, unsigned turn)
{
    char fresh[96], path[96];
    const char *comma = "";
    file_in(program, "fresh", fresh);
    file_in(program, "env", path);
    FILE *file = fopen(fresh, "we");
    if (!file)
        abort();
    fputs("SUNO_API_KEY=", file);
    for (unsigned i = 0; i < NUMBERS; i++) {
        const unsigned number = (i + turn) % NUMBERS;
        if (!(keys >> number & 1))
            continue;
        fprintf(file, "%s%s", comma, kit_secret(number));
        comma = ",";
    }
    fputs("\n", file);
    if (fclose(file) != 0 || rename(fresh, path) != 0)
        abort();
}

void program_make(struct program *program, uint32_t keys)
{
    static unsigned number;
    *program = (struct program){.pid = 0};
    snprintf(program->name, sizeof program->name, "kbtest-%d-p%u", (int)getpid(), number++);
    snprintf(program->folder, sizeof program->folder, "/tmp/kbtest.XXXXXX");
    if (!mkdtemp(program->folder))
        abort();
    program_keys(program, keys, 0);
}

struct launch {
    const struct program *program;
    bool replace;
    int out;
};

static int run(void *arg)
{
    const struct launch *launch = arg;
    char env[96], log[96];
    file_in(launch->program, "env", env);
    file_in(launch->program, "log", log);
    const int log_fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (log_fd < 0 || dup2(log_fd, STDERR_FILENO) < 0 || dup2(launch->out, STDOUT_FILENO) < 0)
        return 99;
    execl(program_path(), "keybrokerd", "-n", launch->program->name, "-e", env, launch->replace ? "--replace" : NULL,
          (char *)NULL);
    return 99;
}

static void launch(struct program *program, bool replace, int out)
{
    struct launch launch = {program, replace, out};
    program->pid = kit_fork(run, &launch);
}

void program_launch(struct program *program, bool replace)
{
    const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    launch(program, replace, nowhere);
    close(nowhere);
}

static void show_log(const struct program *program)
{
    char path[96], line[512];
    file_in(program, "log", path);
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof line, file))
        fprintf(stderr, "# %s", line);
    if (file)
        fclose(file);
}

bool program_start(struct program *program, bool replace)
{
    static const char ready[] = "ready\n";
    char text[sizeof ready] = "";
    size_t length = 0;
    int out[2];
    if (pipe2(out, O_CLOEXEC) != 0)
        abort();
    launch(program, replace, out[1]);
    close(out[1]);
    struct pollfd wait = {.fd = out[0], .events = POLLIN};
    ssize_t n = 1;
    while (n > 0 && length < sizeof ready - 1 && poll(&wait, 1, KIT_LIMIT_MS) > 0) {
        n = read(out[0], text + length, sizeof ready - 1 - length);
        length += n > 0 ? (size_t)n : 0;
    }
    close(out[0]);
    if (strcmp(text, ready) == 0)
        return true;
    show_log(program);
    return false;
}

struct kb_segment *program_map(const struct program *program)
{
    struct kb_segment *segment;
    return kb_segment_open(program->name, KB_USE_STATE, &segment) == 0 ? segment : NULL;
}

void program_unmap(struct kb_segment *segment)
{
    kb_segment_close(segment);
}

void program_clean(struct program *program)
{
    static const char *const files[] = {"env", "fresh", "log"};
    char path[96];
    if (!*program->name)
        return;
    if (program->pid > 0)
        kit_kill(program->pid, true);
    kb_object_unlink(program->name, "state");
    kb_object_unlink(program->name, "secrets");
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        file_in(program, files[i], path);
        unlink(path);
    }
    rmdir(program->folder);
    *program->name = 0;
}
