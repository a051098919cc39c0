/*
 * form.h: a multipart/form-data body, sent from memory and from files as it is read.
 */
#ifndef KB_HTTP_FORM_H
#define KB_HTTP_FORM_H

#include "keybroker/http.h"

#include <curl/curl.h>

struct kb_form {
    curl_mime *mime; /* NULL: no parts */
    struct kb_form_source *sources;
    size_t count;
};

/*
 * Opens the files and builds the body, which may be sent more than once, on this handle only. It borrows the parts.
 * Returns 0 or an errno, with *culprit the part it is about. Call kb_form_clear in either case.
 */
int kb_form_fill(struct kb_form *form, CURL *easy, const kb_http_part *parts, size_t count,
                 const kb_http_part **culprit);
void kb_form_clear(struct kb_form *form);

#endif
