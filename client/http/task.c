#include "http/task.h"

#include <stdio.h>
#include <string.h>

bool kb_task_fingerprint(const char *text)
{
    return text[0] == 'k' && strspn(text + 1, "0123456789abcdef") == KB_FINGERPRINT_LEN - 1 &&
           text[KB_FINGERPRINT_LEN] == '\0';
}

static bool is_id(const char *text)
{
    size_t len = 0;
    for (; text[len] != '\0'; len++)
        if (len >= KB_TASK_ID_MAX || text[len] < '!' || text[len] > '~' || text[len] == '"' || text[len] == '\\')
            return false;
    return len > 0;
}

bool kb_task_make(const char *fingerprint, const char *id, struct kb_task *task)
{
    if (!kb_task_fingerprint(fingerprint) || !is_id(id))
        return false;
    memcpy(task->fingerprint, fingerprint, KB_FINGERPRINT_LEN + 1);
    memcpy(task->id, id, strlen(id) + 1);
    return true;
}

bool kb_task_parse(const char *text, struct kb_task *task)
{
    char fingerprint[KB_FINGERPRINT_LEN + 1] = "";
    if (strnlen(text, KB_FINGERPRINT_LEN + 1) <= KB_FINGERPRINT_LEN || text[KB_FINGERPRINT_LEN] != ':')
        return false;
    memcpy(fingerprint, text, KB_FINGERPRINT_LEN);
    return kb_task_make(fingerprint, text + KB_FINGERPRINT_LEN + 1, task);
}

void kb_task_write(const struct kb_task *task, char out[KB_TASK_SIZE])
{
    snprintf(out, KB_TASK_SIZE, "%s:%s", task->fingerprint, task->id);
}

void kb_task_escape(const char *text, char *out, size_t size)
{
    static const char hex[] = "0123456789ABCDEF", kept[] = "-._~";
    size_t len = 0;
    for (const unsigned char *at = (const unsigned char *)text; *at != '\0' && len + 4 <= size; at++) {
        bool letter = (*at >= '0' && *at <= '9') || ((*at | 0x20) >= 'a' && (*at | 0x20) <= 'z');
        if (letter || strchr(kept, *at) != NULL) {
            out[len++] = (char)*at;
            continue;
        }
        out[len++] = '%';
        out[len++] = hex[*at >> 4];
        out[len++] = hex[*at & 15];
    }
    out[len] = '\0';
}
