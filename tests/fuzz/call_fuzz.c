/*
 * Any bytes as arguments of a call, as a handle, and as the answers from which findings are made: nothing is read or
 * written out of bounds, and findings are JSON.
 */
#include "http/base64.h"
#include "http/number.h"
#include "http/stability.h"
#include "http/suno.h"
#include "http/task.h"

#include <stdlib.h>
#include <string.h>

static void expect_json(const char *findings)
{
    struct kb_json_error error;
    struct kb_json *doc = kb_json_parse(findings, strlen(findings), &error);
    if (doc == NULL || kb_json_type(doc, 0) != KB_JSON_OBJECT)
        abort();
    kb_json_free(doc);
}

static kb_call_result answered(const uint8_t *data, size_t len)
{
    kb_call_result result = {.answer = {.outcome = KB_OUTCOME_OK, .status = 200, .body_len = len}};
    result.answer.body = malloc(len + 1);
    if (result.answer.body == NULL)
        abort();
    memcpy(result.answer.body, data, len);
    result.answer.body[len] = '\0';
    return result;
}

static void read_suno(const uint8_t *data, size_t len)
{
    kb_call_result result = answered(data, len);
    kb_suno_state state;
    kb_suno_read_state("k0123456789ab:id", &result);
    if (result.findings != NULL)
        expect_json(result.findings);
    if (!kb_suno_state_read(result.findings, &state))
        abort();
    kb_suno_state_clear(&state);
    kb_call_result_clear(&result);
}

static void read_stability(const uint8_t *data, size_t len)
{
    kb_call_result result = answered(data, len);
    kb_stability_read_json("k0123456789ab:id", NULL, &result);
    if (result.findings != NULL)
        expect_json(result.findings);
    if ((result.findings == NULL) != (result.data == NULL))
        abort();
    kb_call_result_clear(&result);
}

/* Each line of the text is an argument, NAME=TEXT. No call with files: they would be opened. */
static void check_arguments(char *text)
{
    kb_call_arg args[KB_CALL_PARAMS_MAX];
    struct kb_call_values values;
    char error[KB_PARAM_ERROR_SIZE], *next;
    size_t count = 0;
    for (char *line = strtok_r(text, "\n", &next); line != NULL && count < KB_CALL_PARAMS_MAX;
         line = strtok_r(NULL, "\n", &next)) {
        char *equals = strchr(line, '=');
        if (equals != NULL)
            *equals = '\0';
        args[count++] = (kb_call_arg){line, equals != NULL ? equals + 1 : ""};
    }
    if (!kb_call_check(kb_call_find("suno.generate_custom_music"), args, count, &values, error) && *error == '\0')
        abort();
}

static void read_texts(char *text, size_t len)
{
    struct kb_task task;
    char handle[KB_TASK_SIZE];
    double number;
    size_t decoded;
    if (kb_task_parse(text, &task)) {
        kb_task_write(&task, handle);
        if (strcmp(handle, text) != 0)
            abort();
    }
    kb_number_read(text, len, &number);
    check_arguments(text);
    kb_base64_decode(text, len, (unsigned char *)text, &decoded);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    char *text = malloc(len + 1);
    if (text == NULL)
        abort();
    memcpy(text, data, len);
    text[len] = '\0';
    read_suno(data, len);
    read_stability(data, len);
    read_texts(text, len);
    free(text);
    return 0;
}
