#include "http/judge.h"
#include "keyctl/access.h"
#include "keyctl/command.h"
#include "keyctl/print.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BODY_MAX = 64 << 20 };

static bool read_status(const char *text, int *out)
{
    const size_t digits = strspn(text, "0123456789");
    *out = digits > 0 && digits <= 3 && text[digits] == '\0' ? (int)strtol(text, NULL, 10) : -1;
    return *out == 0 || (*out >= 100 && *out <= 999);
}

/* All of stdin, allocated; nothing of a terminal. NULL: it cannot be read or is too long, and that was told. */
static char *read_body(size_t *len)
{
    size_t size = 1 << 16;
    char *body = malloc(size);
    *len = 0;
    while (body != NULL && !isatty(STDIN_FILENO)) {
        const ssize_t n = read(STDIN_FILENO, body + *len, size - *len);
        if (n == 0)
            break;
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 || *len + (size_t)n == BODY_MAX) {
            kb_ctl_fail(0, "cannot read the body: %s", n < 0 ? strerror(errno) : "it is too long");
            free(body);
            return NULL;
        }
        *len += (size_t)n;
        if (*len == size) {
            char *grown = realloc(body, size *= 2);
            if (grown == NULL)
                free(body);
            body = grown;
        }
    }
    if (body == NULL)
        kb_ctl_fail(0, "out of memory");
    return body;
}

static void tell(const struct kb_ctl_options *told, const kb_http_verdict *verdict)
{
    char wait[16] = "-";
    if (verdict->wait_ms >= 0)
        snprintf(wait, sizeof wait, "%d", verdict->wait_ms);
    if (told->json) {
        printf("{\"outcome\":\"%s\",\"wait_ms\":%s,\"rule\":", kb_outcome_name(verdict->outcome),
               verdict->wait_ms >= 0 ? wait : "null");
        kb_ctl_json(verdict->rule);
        puts("}");
    } else {
        printf("%s\t%s\n", kb_outcome_name(verdict->outcome), wait);
    }
    if (verdict->clamped)
        fprintf(stderr, "keyctl: upstream named a longer time; it is taken for %d days\n",
                KB_HTTP_WAIT_MAX_MS / (24 * 3600 * 1000));
}

/* The rules of a pool, as its broker published them. */
static int judge_by_pool(const struct kb_ctl_options *told, const kb_http_evidence *evidence, kb_http_verdict *verdict)
{
    char text[KB_SERVICE_MAX + 1];
    kb_client *client;
    int code = kb_open(told->name, &client);
    if (code)
        return kb_ctl_fail_code(told->name, code);
    code = kb_pool_service(client, told->words[0], text, sizeof text, NULL);
    kb_close(client);
    if (code < 0)
        return kb_ctl_fail_code(told->name, code);
    struct kb_service *service = kb_service_parse(text, (size_t)code);
    if (service == NULL)
        return kb_ctl_fail(KB_EXIT_FAILED, "what broker \"%s\" says of this pool's service cannot be read", told->name);
    kb_judge(service, evidence, verdict);
    kb_service_free(service);
    return KB_EXIT_DONE;
}

static int run(const struct kb_ctl_options *told)
{
    kb_http_evidence evidence = {.headers = told->headers, .header_count = told->n_headers};
    kb_http_verdict verdict = {.wait_ms = -1};
    int code = KB_EXIT_DONE;
    if (!read_status(told->words[1], &evidence.status))
        return kb_ctl_fail(KB_EXIT_USAGE, "STATUS is an HTTP status, or 0 if no answer came");
    char *body = read_body(&evidence.body_len);
    if (body == NULL)
        return KB_EXIT_FAILED;
    evidence.body = body;
    if (told->used & KB_TAKES_NAME)
        code = judge_by_pool(told, &evidence, &verdict);
    else
        kb_http_judge(told->words[0], &evidence, &verdict);
    if (code == KB_EXIT_DONE)
        tell(told, &verdict);
    explicit_bzero(body, evidence.body_len); /* it may echo a key */
    free(body);
    return code;
}

const struct kb_command kb_command_classify = {
    .name = "classify",
    .synopsis = "SERVICE STATUS [-H 'Name: value']... <BODY",
    .summary = "says what an HTTP answer means for its key",
    .help = "Judges an answer of SERVICE as the HTTP library does: its HTTP STATUS, its headers, and its body on\n"
            "stdin (none is read from a terminal). Prints one word, a tab, and the time upstream asks to wait in\n"
            "milliseconds, or -:\n"
            "  ok         the key works\n"
            "  auth       the key is refused\n"
            "  quota      the key's credits, or its share of a day or month, are spent\n"
            "  rate       the key was used too much at a time\n"
            "  transient  upstream is at fault, or has too much to do\n"
            "  client     the request is at fault; no other key would help\n"
            "An unknown SERVICE is judged by the generic rules. --json also tells which rule decided. Needs no\n"
            "broker; with -n NAME, SERVICE is a pool of that broker, and the rules of its configuration count too.\n"
            "\n"
            "Exit codes: 0 judged, 1 failed, 2 usage; with -n also 3 no broker, 4 no such pool.\n",
    .least_words = 2,
    .most_words = 2,
    .takes = KB_TAKES_NAME | KB_NEEDS_NO_NAME | KB_TAKES_JSON | KB_TAKES_HEADERS,
    .run = run,
};
