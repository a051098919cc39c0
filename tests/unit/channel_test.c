/*
 * Channels across a fork, where closing one would be heard on the other side: TLS says goodbye.
 */
#include "http/channel.h"
#include "tests/kit/child.h"
#include "tests/unit/request_server.h"

#include <fcntl.h>

TestSuite(channel, .init = prepare, .fini = end, .timeout = 60);

static struct kb_channels channels;

static size_t swallow(char *bytes, size_t size, size_t count, void *arg)
{
    (void)bytes, (void)arg;
    return size * count;
}

/* A request through the pool's channel, to a server whose certificate nobody vouches for. */
static bool fetches(void)
{
    struct kb_channel *channel = kb_channel_take(&channels);
    cr_assert_not_null(channel);
    curl_easy_setopt(channel->easy, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(channel->easy, CURLOPT_WRITEFUNCTION, swallow);
    curl_easy_setopt(channel->easy, CURLOPT_URL, url_of("https", "/fine"));
    const bool good = curl_easy_perform(channel->easy) == CURLE_OK;
    kb_channel_put(&channels, channel);
    return good;
}

static int close_all(void *arg)
{
    (void)arg;
    kb_channels_close(&channels);
    return 0;
}

static int fetch_and_close(void *arg)
{
    const bool good = fetches();
    return close_all(arg) != 0 || !good;
}

static void stays_open_after(int (*body)(void *), unsigned expected)
{
    if (!start_tls_server())
        cr_skip_test("neither openssl nor a server with TLS");
    cr_assert(fetches());
    cr_assert_eq(kit_wait(kit_fork(body, NULL)), 0);
    cr_assert(fetches());
    cr_assert_eq(connections, expected);
    kb_channels_close(&channels);
}

Test(channel, closed_in_a_child_stays_open_in_the_parent)
{
    stays_open_after(close_all, 1);
}

Test(channel, used_in_a_child_stays_open_in_the_parent)
{
    stays_open_after(fetch_and_close, 2);
}

static int count_sockets(void *arg)
{
    struct kb_channel *channel = kb_channel_take(&channels);
    const int fd = *(int *)arg;
    const bool closed = fcntl(fd, F_GETFD) < 0;
    return !closed || channel == NULL;
}

Test(channel, of_a_parent_leaves_no_socket_in_the_child)
{
    if (!start_tls_server())
        cr_skip_test("neither openssl nor a server with TLS");
    cr_assert(fetches());
    struct kb_channel *channel = kb_channel_take(&channels);
    int fd = channel->sockets[0];
    cr_assert_geq(fd, 0);
    cr_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    kb_channel_put(&channels, channel);
    cr_assert_eq(kit_wait(kit_fork(count_sockets, &fd)), 0);
    kb_channels_close(&channels);
    cr_assert_lt(fcntl(fd, F_GETFD), 0);
}
