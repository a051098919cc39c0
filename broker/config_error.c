#include "config_error.h"

#include <stdarg.h>
#include <stdio.h>

int kb_config_error_set(struct kb_config_error *error, const char *file, unsigned line, const char *format, ...)
{
    va_list args;
    error->file = file;
    error->line = line;
    va_start(args, format);
    (void)vsnprintf(error->message, sizeof error->message, format, args);
    va_end(args);
    return -1;
}

void kb_config_warnings_add(struct kb_config_warnings *warnings, const char *file, unsigned line, const char *format,
                            ...)
{
    char message[sizeof((struct kb_config_error *)0)->message];
    va_list args;
    if (warnings->warn == NULL || (file != NULL && warnings->n > KB_CONFIG_WARNINGS_MAX))
        return;
    if (file != NULL && warnings->n++ == KB_CONFIG_WARNINGS_MAX) {
        warnings->warn(warnings->arg, NULL, 0, "too many warnings: the others are left out");
        return;
    }
    va_start(args, format);
    (void)vsnprintf(message, sizeof message, format, args);
    va_end(args);
    warnings->warn(warnings->arg, file, line, message);
}
