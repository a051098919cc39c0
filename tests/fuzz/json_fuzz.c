/* Any text: parsed, and if it is JSON walked whole, every string read and written back. */
#include "text/json.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* `terminated`: a NUL follows the text, and it is UTF-8. */
static void write_back(const char *text, size_t len, bool terminated)
{
    char *json = NULL;
    size_t size = 0;
    struct kb_json_error error;
    FILE *stream = open_memstream(&json, &size);
    assert(stream != NULL);
    kb_json_write_string(stream, text, len);
    assert(fclose(stream) == 0);
    struct kb_json *doc = kb_json_parse(json, size, &error);
    assert(doc != NULL && kb_json_type(doc, 0) == KB_JSON_STRING);
    if (terminated && memchr(text, '\0', len) == NULL)
        assert(kb_json_equals(doc, 0, text));
    kb_json_free(doc);
    free(json);
}

static void read_string(const struct kb_json *doc, int token)
{
    size_t raw_len;
    (void)kb_json_raw(doc, token, &raw_len);
    size_t size = 3 * raw_len + 1; /* a byte that is no UTF-8 becomes three */
    char *text = malloc(size);
    assert(text != NULL);
    ptrdiff_t len = kb_json_string(doc, token, text, size);
    assert(len >= 0 && (size_t)len < size);
    assert(kb_json_string(doc, token, text, (size_t)len) == -1);
    assert(kb_json_string(doc, token, text, (size_t)len + 1) == len);
    write_back(text, (size_t)len, true);
    free(text);
}

static void walk(const struct kb_json *doc, int token)
{
    enum kb_json_type type = kb_json_type(doc, token);
    int64_t number;
    bool boolean;
    unsigned children = 0;
    assert(kb_json_integer(doc, token, &number) <= (type == KB_JSON_NUMBER));
    assert(kb_json_bool(doc, token, &boolean) == (type == KB_JSON_BOOL));
    if (type == KB_JSON_STRING)
        read_string(doc, token);
    for (int at = kb_json_first(doc, token); at >= 0; at = kb_json_next(doc, at)) {
        children++;
        walk(doc, at);
        assert((kb_json_value(doc, at) >= 0) == (type == KB_JSON_OBJECT));
        if (type == KB_JSON_OBJECT)
            walk(doc, kb_json_value(doc, at));
    }
    assert(children == kb_json_size(doc, token));
    (void)kb_json_member(doc, token, "env");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct kb_json_error error;
    struct kb_json *doc = kb_json_parse((const char *)data, size, &error);
    if (doc != NULL)
        walk(doc, 0);
    else
        assert(error.what != NULL && error.line >= 1 && error.line <= size + 1);
    kb_json_free(doc);
    write_back((const char *)data, size, false);
    return 0;
}
