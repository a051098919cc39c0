#include "keycall/print.h"

#include "http/findings.h"

#include <string.h>

enum { SHOWN_MAX = 4096 }; /* bytes of a body told to people */

static void write_text(FILE *out, const char *name, const char *text)
{
    fprintf(out, ",\"%s\":", name);
    if (text != NULL)
        kb_json_write_string(out, text, strlen(text));
    else
        fputs("null", out);
}

/* "not_started" is keypool's word for a call that no key was claimed for. */
static const char *outcome_of(int code, const kb_http_answer *answer)
{
    if (answer->attempts > 0)
        return kb_outcome_name(answer->outcome);
    return code == KB_EINVAL ? kb_outcome_name(KB_OUTCOME_CLIENT) : "not_started";
}

static const char *error_of(int code, const kb_http_answer *answer)
{
    if (answer->error != NULL)
        return answer->error;
    return code < 0 && answer->attempts == 0 ? kb_strerror(code) : NULL;
}

static bool is_ok(int code, const kb_http_answer *answer)
{
    return code == 0 && answer->outcome == KB_OUTCOME_OK;
}

static void print_json(int code, const kb_call_result *result)
{
    const kb_http_answer *answer = &result->answer;
    printf("{\"outcome\":\"%s\",\"status\":%d", outcome_of(code, answer), answer->status);
    write_text(stdout, "fingerprint", answer->attempts > 0 ? answer->fingerprint : NULL);
    printf(",\"attempts\":%u,\"retry_after_ms\":", answer->attempts);
    if (answer->retry_after_ms >= 0)
        printf("%d", answer->retry_after_ms);
    else
        fputs("null", stdout);
    printf(",\"ambiguous\":%s", answer->ambiguous ? "true" : "false");
    write_text(stdout, "rule", answer->attempts > 0 ? answer->rule : NULL);
    printf(",\"findings\":%s", result->findings != NULL ? result->findings : "null");
    write_text(stdout, "error", error_of(code, answer));
    if (!is_ok(code, answer) && answer->body != NULL) {
        fputs(",\"body\":", stdout);
        kb_json_write_string(stdout, answer->body, answer->body_len);
    }
    puts("}");
}

static void print_body(const kb_http_answer *answer)
{
    const size_t len = answer->body_len < SHOWN_MAX ? answer->body_len : SHOWN_MAX;
    fputs("keycall: upstream said ", stderr);
    kb_json_write_string(stderr, answer->body, len);
    fputs(len < answer->body_len ? " …\n" : "\n", stderr);
}

/* What came by way of upstream may hold a terminal's control characters. */
static void print_plain(const char *text)
{
    for (; *text != '\0'; text++)
        fputc((unsigned char)*text < 0x20 || *text == 0x7f ? '?' : *text, stderr);
}

static void print_failure(int code, const kb_http_answer *answer, int wait_ms)
{
    const char *error = error_of(code, answer);
    if (answer->attempts == 0) {
        fputs("keycall: ", stderr);
        print_plain(error != NULL ? error : "failed");
        if (wait_ms >= 0)
            fprintf(stderr, "; look again in %d s", wait_ms / 1000 + 1);
        fputc('\n', stderr);
        return;
    }
    fprintf(stderr, "keycall: %s: ", kb_outcome_name(answer->outcome));
    if (answer->status != 0)
        fprintf(stderr, "HTTP %d, ", answer->status);
    fprintf(stderr, "key %s, ", answer->fingerprint);
    print_plain(error != NULL ? error : answer->rule);
    if (answer->attempts > 1)
        fprintf(stderr, "; %u keys were tried", answer->attempts);
    if (answer->retry_after_ms > 0)
        fprintf(stderr, "; upstream asks to wait %d s", (answer->retry_after_ms - 1) / 1000 + 1);
    if (answer->ambiguous)
        fputs("; it may have been carried out, and billed", stderr);
    fputc('\n', stderr);
    if (answer->body_len > 0)
        print_body(answer);
}

void kb_call_print(const struct kb_call_options *options, int code, const kb_call_result *result, int wait_ms)
{
    if (options->json) {
        print_json(code, result);
        return;
    }
    if (result->findings != NULL)
        puts(result->findings);
    if (!is_ok(code, &result->answer))
        print_failure(code, &result->answer, wait_ms);
}

int kb_call_print_progress(void *arg, const char *findings)
{
    struct kb_json_error error;
    struct kb_json *doc = kb_json_parse(findings, strlen(findings), &error);
    char state[32] = "", status[64] = "";
    (void)arg;
    if (doc != NULL) {
        kb_findings_read_text(doc, 0, "state", state, sizeof state);
        kb_findings_read_text(doc, 0, "status", status, sizeof status);
    }
    kb_json_free(doc);
    fputs("keycall: ", stderr);
    print_plain(state);
    if (*status != '\0')
        fputc(' ', stderr);
    print_plain(status);
    fputc('\n', stderr);
    return 0;
}
