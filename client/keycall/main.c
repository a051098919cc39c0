/*
 * keycall: one call of a service, by hand, with a key of a pool.
 */
#include "keycall/caller.h"
#include "keycall/help.h"
#include "keycall/print.h"

#include <signal.h>
#include <sys/prctl.h>

static int exit_code(int code, const kb_http_answer *answer)
{
    switch (code) {
    case KB_OK:
        return answer->outcome == KB_OUTCOME_OK ? KB_CALL_EXIT_OK : KB_CALL_EXIT_FAILED;
    case KB_EINVAL:
        return answer->attempts == 0 ? KB_CALL_EXIT_USAGE : KB_CALL_EXIT_FAILED;
    case KB_ENOBROKER:
        return KB_CALL_EXIT_NO_BROKER;
    case KB_EPOOL:
    case KB_EKEY:
        return KB_CALL_EXIT_UNKNOWN;
    case KB_EEXHAUSTED:
        return answer->attempts == 0 ? KB_CALL_EXIT_NO_KEY : KB_CALL_EXIT_FAILED;
    default:
        return KB_CALL_EXIT_FAILED;
    }
}

static void note(void *arg, const char *text)
{
    (void)arg;
    kb_call_refuse(0, "%s", text);
}

static const char *pool_of(const struct kb_call_options *options)
{
    return options->pool != NULL ? options->pool : options->spec->service;
}

static int make_call(const struct kb_call_options *options, kb_client *client, kb_http *http)
{
    const kb_call_settings settings = {.pool = pool_of(options),
                                       .wait_ms = options->wait_ms,
                                       .timeout_ms = options->timeout_ms,
                                       .deadline_ms = options->deadline_ms,
                                       .progress = kb_call_print_progress};
    kb_call_result result;
    kb_pool_status status = {.wait_ms = -1};
    const int code = kb_call_run(http, options->spec->name, options->args, options->arg_count, &settings, &result);
    if (code == KB_EEXHAUSTED && result.answer.attempts == 0)
        (void)kb_status(client, settings.pool, &status);
    kb_call_print(options, code, &result, status.wait_ms);
    const int exit = exit_code(code, &result.answer);
    kb_call_result_clear(&result);
    return exit;
}

/* The child's part: from opening the broker to telling what came of it. */
static int make(void *arg)
{
    const struct kb_call_options *options = arg;
    static const kb_http_answer none;
    kb_client *client = NULL;
    kb_http *http = NULL;
    int code = kb_open(options->name, &client);
    if (code == 0)
        code = kb_http_open(client, &http);
    if (code == 0) {
        kb_http_on_note(http, note, NULL);
        code = make_call(options, client, http);
    } else {
        kb_call_result result = {.answer.error = NULL, .answer.retry_after_ms = -1};
        kb_call_print(options, code, &result, -1);
        code = exit_code(code, &none);
    }
    kb_http_close(http);
    kb_close(client);
    return code;
}

/* An image has to go somewhere before it is paid for. */
static bool lacks_out(const struct kb_call_values *values)
{
    for (const struct kb_param *param = values->spec->params; param->name != NULL; param++)
        if (param->type == KB_PARAM_OUT && kb_call_value(values, param->name) == NULL)
            return true;
    return false;
}

static int check_and_call(struct kb_call_options *options)
{
    struct kb_call_values values;
    char error[KB_PARAM_ERROR_SIZE];
    const struct kb_param *out = kb_call_param(options->spec, "out");
    if (!kb_call_check(options->spec, options->args, options->arg_count, &values, error))
        return kb_call_refuse(KB_CALL_EXIT_USAGE, "%s (see keycall %s %s -h)", error, options->service, options->call);
    if (lacks_out(&values))
        return kb_call_refuse(KB_CALL_EXIT_USAGE, "out: is missing, the file for the image");
    return kb_caller_run(make, options, out != NULL ? kb_call_value(&values, "out") : NULL);
}

static int obey(struct kb_call_options *options)
{
    if (options->version)
        printf("keycall %s\n", kb_version());
    else if (options->help || options->spec == NULL)
        kb_call_help(options);
    else
        return check_and_call(options);
    return fflush(stdout) == 0 ? KB_CALL_EXIT_OK : kb_call_refuse(KB_CALL_EXIT_FAILED, "cannot write to stdout");
}

int main(int argc, char **argv)
{
    struct kb_call_options options;
    /* libcurl keeps copies of keys while it works: no core dump, no debugger. */
    (void)prctl(PR_SET_DUMPABLE, 0);
    (void)signal(SIGPIPE, SIG_IGN);
    int code = kb_call_options_parse(&options, argc, argv);
    if (code == 0)
        code = obey(&options);
    kb_call_options_clear(&options);
    return code;
}
