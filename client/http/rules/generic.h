/*
 * generic.h: the rules that hold for any service, and what words in an error's envelope mean.
 */
#ifndef KB_HTTP_RULES_GENERIC_H
#define KB_HTTP_RULES_GENERIC_H

#include "http/rule.h"

/* Judges by status, envelope and headers; *rule is the beginning of the verdict's rule for people. Never fails. */
kb_outcome kb_generic_judge(const struct kb_rule_subject *subject, int status, char rule[64]);

#endif
