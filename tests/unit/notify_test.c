#include "broker/notify.h"

#include <criterion/criterion.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

TestSuite(notify, .timeout = 30);

/* A manager's socket at `path`; '@' begins an abstract name. */
static int listen_at(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    memcpy(address.sun_path, path, strlen(path));
    if (*path == '@')
        address.sun_path[0] = 0;
    const socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
    cr_assert_eq(bind(fd, (const struct sockaddr *)&address, size), 0);
    return fd;
}

static void expect_message(const char *path)
{
    char text[64] = "";
    const int fd = listen_at(path);
    cr_assert_eq(setenv("NOTIFY_SOCKET", path, 1), 0);
    cr_assert(kb_notify("READY=1"));
    cr_assert_eq(recv(fd, text, sizeof text - 1, MSG_DONTWAIT), 7);
    cr_assert_str_eq(text, "READY=1");
    close(fd);
}

Test(notify, tells_a_socket_in_the_file_system)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/tmp/kbtest-notify-%d", (int)getpid());
    expect_message(path);
    unlink(path);
}

Test(notify, tells_an_abstract_socket)
{
    char path[64];
    (void)snprintf(path, sizeof path, "@kbtest-notify-%d", (int)getpid());
    expect_message(path);
}

Test(notify, has_nobody_to_tell_without_a_socket)
{
    unsetenv("NOTIFY_SOCKET");
    cr_assert(kb_notify("READY=1"));
    cr_assert_eq(setenv("NOTIFY_SOCKET", "", 1), 0);
    cr_assert(kb_notify("READY=1"));
}

Test(notify, says_when_nobody_takes_it)
{
    static const char *const bad[] = {"/nonexistent/socket", "relative", "@kbtest-nobody-listens-here"};
    char long_path[200];
    memset(long_path, 'x', sizeof long_path - 1);
    long_path[0] = '/';
    long_path[sizeof long_path - 1] = 0;
    for (unsigned i = 0; i < 3; i++) {
        cr_assert_eq(setenv("NOTIFY_SOCKET", bad[i], 1), 0);
        cr_assert_not(kb_notify("READY=1"), "%s", bad[i]);
    }
    cr_assert_eq(setenv("NOTIFY_SOCKET", long_path, 1), 0);
    cr_assert_not(kb_notify("READY=1"), "too long");
}
