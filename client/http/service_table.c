/*
 * The built-in services. Behind each stands where the place of its key and its probe are described. A service with
 * no probe has no call that is both free and authenticated, or none that is described.
 */
#include "http/service.h"

#include <string.h>

#define BEARER         .key_header = "Authorization", .key_prefix = "Bearer ", .fallback = KB_FALLBACK_ALL
#define IN_HEADER(at)  .key_header = (at), .key_prefix = "", .fallback = KB_FALLBACK_ALL
#define IN_QUERY(name) .key_query = (name), .key_prefix = "", .fallback = KB_FALLBACK_ALL

static const char *const anthropic_headers[] = {"anthropic-version: 2023-06-01", NULL};

static const struct kb_service generic = {.name = "generic", BEARER};

static const struct kb_service services[] = {
    /* docs.sunoapi.org/suno-api/get-remaining-credits */
    {.name = "suno",
     .base_url = "https://api.sunoapi.org",
     BEARER,
     .probe_url = "/api/v1/generate/credit",
     .probe_credits = "data"},
    /* platform.stability.ai/docs/api-reference, v1 user/balance */
    {.name = "stability",
     .base_url = "https://api.stability.ai",
     BEARER,
     .probe_url = "/v1/user/balance",
     .probe_credits = "credits"},
    /* docs.kie.ai/common-api/get-account-credits */
    {.name = "kie.ai",
     .base_url = "https://api.kie.ai",
     BEARER,
     .probe_url = "/api/v1/chat/credit",
     .probe_credits = "data"},
    /* platform.openai.com/docs/api-reference/models/list */
    {.name = "openai", .base_url = "https://api.openai.com", BEARER, .probe_url = "/v1/models"},
    /* platform.claude.com/docs/en/api/models/list */
    {.name = "anthropic",
     .base_url = "https://api.anthropic.com",
     IN_HEADER("x-api-key"),
     .headers = anthropic_headers,
     .probe_url = "/v1/models"},
    /* ai.google.dev/api, models.list */
    {.name = "gemini",
     .base_url = "https://generativelanguage.googleapis.com",
     IN_HEADER("x-goog-api-key"),
     .probe_url = "/v1beta/models"},
    /* console.groq.com/docs/api-reference#models-list */
    {.name = "groq", .base_url = "https://api.groq.com", BEARER, .probe_url = "/openai/v1/models"},
    /* docs.mistral.ai/api/endpoint/models */
    {.name = "mistral", .base_url = "https://api.mistral.ai", BEARER, .probe_url = "/v1/models"},
    /* api-docs.deepseek.com/api/get-user-balance */
    {.name = "deepseek", .base_url = "https://api.deepseek.com", BEARER, .probe_url = "/user/balance"},
    /* docs.x.ai/docs/api-reference, list models */
    {.name = "xai", .base_url = "https://api.x.ai", BEARER, .probe_url = "/v1/models"},
    /* openrouter.ai/docs/limits; no limit is null, which is no number */
    {.name = "openrouter",
     .base_url = "https://openrouter.ai",
     BEARER,
     .probe_url = "/api/v1/key",
     .probe_credits = "data.limit_remaining"},
    /* docs.cohere.com/reference/list-models */
    {.name = "cohere", .base_url = "https://api.cohere.com", BEARER, .probe_url = "/v1/models"},
    /* elevenlabs.io/docs/api-reference/user/subscription */
    {.name = "elevenlabs",
     .base_url = "https://api.elevenlabs.io",
     IN_HEADER("xi-api-key"),
     .probe_url = "/v1/user/subscription"},
    /* replicate.com/docs/reference/http#account.get */
    {.name = "replicate", .base_url = "https://api.replicate.com", BEARER, .probe_url = "/v1/account"},
    /* huggingface.co/docs/hub/api, whoami-v2 */
    {.name = "huggingface", .base_url = "https://huggingface.co", BEARER, .probe_url = "/api/whoami-v2"},
    /* docs.github.com/en/rest/rate-limit: does not count against the limit */
    {.name = "github", .base_url = "https://api.github.com", BEARER, .probe_url = "/rate_limit"},
    /* docs.together.ai/reference/models */
    {.name = "together", .base_url = "https://api.together.xyz", BEARER, .probe_url = "/v1/models"},
    /* docs.fireworks.ai/api-reference; the OpenAI-compatible list of models */
    {.name = "fireworks", .base_url = "https://api.fireworks.ai", BEARER, .probe_url = "/inference/v1/models"},
    /* docs.perplexity.ai/api-reference */
    {.name = "perplexity", .base_url = "https://api.perplexity.ai", BEARER},
    /* developers.google.com/maps/documentation/geocoding/get-api-key */
    {.name = "google-maps", .base_url = "https://maps.googleapis.com", IN_QUERY("key")},
    /* developers.deepl.com/docs/getting-started/auth; keys of the free plan go to api-free.deepl.com */
    {.name = "deepl",
     .base_url = "https://api.deepl.com",
     .key_header = "Authorization",
     .key_prefix = "DeepL-Auth-Key ",
     .fallback = KB_FALLBACK_ALL,
     .probe_url = "/v2/usage"},
    /* openweathermap.org/current: one call of the many that are free */
    {.name = "openweather",
     .base_url = "https://api.openweathermap.org",
     IN_QUERY("appid"),
     .probe_url = "/data/2.5/weather?q=London"},
    /* newsapi.org/docs/endpoints/sources */
    {.name = "newsapi",
     .base_url = "https://newsapi.org",
     IN_HEADER("X-Api-Key"),
     .probe_url = "/v2/top-headlines/sources"},
    /* api-dashboard.search.brave.com/documentation */
    {.name = "brave", .base_url = "https://api.search.brave.com", IN_HEADER("X-Subscription-Token")},
};

const struct kb_service *kb_service_builtin(const char *name)
{
    for (size_t i = 0; name != NULL && i < sizeof services / sizeof *services; i++)
        if (strcmp(services[i].name, name) == 0)
            return &services[i];
    return &generic;
}
