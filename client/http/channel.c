#include "http/channel.h"

#include "keybroker.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static bool note_socket(struct kb_channel *channel, int was, int is)
{
    for (int i = 0; i < KB_CHANNEL_SOCKETS; i++) {
        if (channel->sockets[i] == was) {
            channel->sockets[i] = is;
            return true;
        }
    }
    return false;
}

/* libcurl's opensocket and closesocket functions. */
static curl_socket_t open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
    (void)purpose;
    int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    if (fd < 0)
        return CURL_SOCKET_BAD;
    if (note_socket(arg, -1, fd))
        return fd;
    close(fd);
    return CURL_SOCKET_BAD;
}

static int close_socket(void *arg, curl_socket_t fd)
{
    (void)note_socket(arg, fd, -1);
    return close(fd);
}

/* What holds for every request of the channel. */
static void equip(struct kb_channel *channel)
{
    CURL *easy = channel->easy;
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, channel);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, close_socket);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, channel);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, channel->message);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "keybroker/" KB_VERSION);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    /* Every coding libcurl knows is decoded, so that a secret echoed in a coded answer is found. */
    curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
}

static struct kb_channel *make(void)
{
    struct kb_channel *channel = calloc(1, sizeof(*channel));
    if (channel == NULL)
        return NULL;
    channel->easy = curl_easy_init();
    if (channel->easy == NULL) {
        free(channel);
        return NULL;
    }
    channel->pid = getpid();
    for (int i = 0; i < KB_CHANNEL_SOCKETS; i++)
        channel->sockets[i] = -1;
    equip(channel);
    return channel;
}

static void destroy(struct kb_channel *channel)
{
    curl_easy_cleanup(channel->easy);
    free(channel);
}

/*
 * In a child, a channel of its parent. Closing it would end the parent's TLS sessions with a message on sockets that
 * are shared: libcurl gets to talk to /dev/null instead. Where that cannot be, the child's copies of the sockets
 * are closed and libcurl's memory is left as it is.
 */
static void disown(struct kb_channel *channel)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    bool silenced = null >= 0;
    for (int i = 0; i < KB_CHANNEL_SOCKETS; i++) {
        int fd = channel->sockets[i];
        if (fd < 0 || (null >= 0 && dup3(null, fd, O_CLOEXEC) == fd))
            continue;
        silenced = false;
        close(fd);
    }
    if (null >= 0)
        close(null);
    if (silenced)
        destroy(channel);
}

struct kb_channel *kb_channel_take(struct kb_channels *channels)
{
    const pid_t pid = getpid();
    for (int i = 0; i < KB_CHANNELS_IDLE; i++) {
        struct kb_channel *channel = NULL;
        if (atomic_load_explicit(&channels->idle[i], memory_order_relaxed) != NULL)
            channel = atomic_exchange_explicit(&channels->idle[i], NULL, memory_order_acquire);
        if (channel != NULL && channel->pid == pid)
            return channel;
        if (channel != NULL)
            disown(channel);
    }
    return make();
}

void kb_channel_put(struct kb_channels *channels, struct kb_channel *channel)
{
    for (int i = 0; i < KB_CHANNELS_IDLE; i++) {
        struct kb_channel *none = NULL;
        if (atomic_compare_exchange_strong_explicit(&channels->idle[i], &none, channel, memory_order_release,
                                                    memory_order_relaxed))
            return;
    }
    destroy(channel);
}

void kb_channels_close(struct kb_channels *channels)
{
    const pid_t pid = getpid();
    for (int i = 0; i < KB_CHANNELS_IDLE; i++) {
        struct kb_channel *channel = atomic_exchange_explicit(&channels->idle[i], NULL, memory_order_acquire);
        if (channel != NULL && channel->pid == pid)
            destroy(channel);
        else if (channel != NULL)
            disown(channel);
    }
}
