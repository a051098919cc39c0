/*
 * judge.h: the judge as the other parts of this library use it.
 */
#ifndef KB_HTTP_JUDGE_H
#define KB_HTTP_JUDGE_H

#include "http/service.h"

/* kb_http_judge by a service's own rules, then the built-in table of its name, then the generic rules. */
void kb_judge(const struct kb_service *service, const kb_http_evidence *evidence, kb_http_verdict *verdict);

#endif
