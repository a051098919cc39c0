#include "responder.h"

#include "tests/kit/child.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define BODY "{\"code\":200,\"msg\":\"success\",\"data\":{\"taskId\":\"5c79be8e0123456789ab\"}}"
_Static_assert(sizeof BODY - 1 == 69, "as the header says");
static const char reply[] = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 69\r\n\r\n" BODY;

/* Requests come one at a time: what ends in an empty line is a whole one. */
static void serve(int fd)
{
    char head[8192];
    size_t len = 0;
    for (;;) {
        const ssize_t n = recv(fd, head + len, sizeof head - len, 0);
        if (n <= 0)
            _exit(0);
        len += (size_t)n;
        if (len >= 4 && memcmp(head + len - 4, "\r\n\r\n", 4) == 0) {
            if (send(fd, reply, sizeof reply - 1, MSG_NOSIGNAL) != (ssize_t)(sizeof reply - 1))
                _exit(0);
            len = 0;
        }
        if (len == sizeof head)
            _exit(1);
    }
}

static int accept_all(void *arg)
{
    const int listener = *(const int *)arg;
    const int cores = (int)sysconf(_SC_NPROCESSORS_ONLN), on = 1;
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((size_t)cores - 1, &set);
    sched_setaffinity(0, sizeof set, &set);
    signal(SIGCHLD, SIG_IGN);
    for (;;) {
        const int fd = accept(listener, NULL, NULL);
        if (fd < 0)
            return 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        const pid_t self = getpid();
        if (fork() == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            if (getppid() == self)
                serve(fd);
            _exit(0);
        }
        close(fd);
    }
}

void responder_start(struct responder *responder)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, size) != 0 || listen(listener, 16) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &size) != 0)
        abort();
    responder->port = ntohs(address.sin_port);
    responder->pid = kit_fork(accept_all, &listener);
    close(listener);
}

void responder_stop(struct responder *responder)
{
    kit_kill(responder->pid, true);
}
