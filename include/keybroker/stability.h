/*
 * keybroker/stability.h: images by Stability AI (api.stability.ai) with the keys of a pool.
 *
 *     kb_stability_options image = {.prompt = "a lighthouse", .out = "lighthouse.png"};
 *     kb_stability_image made;
 *     if (kb_stability_text_to_image(http, NULL, &image, &made, &result) == 0 && made.made)
 *         printf("seed %u%s\n", made.seed, made.filtered ? ", blurred by the filter" : "");
 *     kb_call_result_clear(&result);
 *
 * Every function fills *result, which the caller frees with kb_call_result_clear, and returns as kb_call_run does;
 * `settings` may be NULL, the pool is then "stability". By name they are the calls stability.text_to_image,
 * stability.edit_image, stability.replace_background, stability.check_result, stability.wait,
 * stability.text_to_image_v1, stability.balance and stability.account.
 *
 * With `out` the image goes straight to that file, which has its name only when it is whole; without, it is in
 * result->data. A filtered image (finish reason CONTENT_FILTERED) is blurred, and billed: a success with a flag.
 *
 * Optional numbers: NULL means not given. Texts are UTF-8; prompts have at most 10,000 characters. Files to send are
 * regular files, a whole request at most 10 MiB.
 */
#ifndef KEYBROKER_STABILITY_H
#define KEYBROKER_STABILITY_H

#include <keybroker/call.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    int made;               /* not 0: there is an image, in the file or result->data */
    int filtered;           /* not 0: by the content filter */
    uint32_t seed;          /* that it was made with; 0: not said */
    char finish_reason[32]; /* SUCCESS, CONTENT_FILTERED; "" if not said */
} kb_stability_image;

/* v2beta generate. */
typedef struct {
    const char *prompt; /* needed */
    const char *model;  /* core, ultra, sd3, sd3.5-large, sd3.5-large-turbo, sd3.5-medium, sd3.5-flash; NULL: core.
                           sd3 is upstream's choice among the last four */
    const char *negative_prompt;
    const char *aspect_ratio;  /* 21:9 16:9 3:2 5:4 1:1 4:5 2:3 9:16 9:21; not with sd3's image-to-image */
    const char *style_preset;  /* enhance, anime, photographic, digital-art, … */
    const char *output_format; /* png, jpeg, webp */
    const char *mode;          /* sd3 only: text-to-image, image-to-image; the latter needs image and strength */
    const char *image;         /* ultra, sd3: a file to start from; needs strength */
    const double *strength;    /* 0 to 1: how far to go from the image */
    const double *cfg_scale;   /* sd3 only: 1 to 10 */
    const double *seed;        /* whole, 0 to 4294967294; 0: random */
    const char *out;
} kb_stability_options;

KB_API int kb_stability_text_to_image(kb_http *http, const kb_call_settings *settings,
                                      const kb_stability_options *options, kb_stability_image *image,
                                      kb_call_result *result);

/* v2beta edit. Which members an operation takes: I inpaint, S search-and-replace, C search-and-recolor, E erase,
 * O outpaint, R remove-background; capital letters where it is needed. */
typedef struct {
    const char *operation;
    const char *image;                      /* ISCEOR: the file to edit */
    const char *prompt;                     /* ISCo */
    const char *search_prompt;              /* S: what to replace */
    const char *select_prompt;              /* C: what to recolor */
    const char *mask;                       /* ie: a file; the image's alpha channel where none is given */
    const char *negative_prompt;            /* isc */
    const double *grow_mask;                /* i 0 to 100, sce 0 to 20 */
    const double *left, *right, *up, *down; /* o: pixels, 0 to 2000; at least one above 0 */
    const double *creativity;               /* o: 0.2 to 0.5 */
    const char *style_preset;               /* isco */
    const double *seed;                     /* isceo */
    const char *output_format;              /* isceo: png, jpeg, webp; r: png, webp */
    const char *out;
} kb_stability_edit_options;

KB_API int kb_stability_edit_image(kb_http *http, const kb_call_settings *settings,
                                   const kb_stability_edit_options *options, kb_stability_image *image,
                                   kb_call_result *result);

/* v2beta edit replace-background-and-relight: a job, whose image is asked for later. */
typedef struct {
    const char *subject_image;        /* needed: a file */
    const char *background_prompt;    /* this … */
    const char *background_reference; /* … or this file is needed */
    const char *foreground_prompt, *negative_prompt;
    const double *preserve_original_subject, *original_background_depth; /* 0 to 1 */
    int keep_original_background;
    const char *light_source_direction;  /* left, right, above, below */
    const char *light_reference;         /* a file */
    const double *light_source_strength; /* 0 to 1 */
    const double *seed;
    const char *output_format;
} kb_stability_background_options;

/* Starts it. task (KB_TASK_SIZE bytes) is its handle, "" if none was started: FINGERPRINT:ID, as in suno.h. */
KB_API int kb_stability_replace_background(kb_http *http, const kb_call_settings *settings,
                                           const kb_stability_background_options *options, char *task,
                                           kb_call_result *result);

/* The job's image if it is there (image->made), to the file out or, if out is NULL, to result->data. Asked for with the
 * key that started the job. Upstream keeps results for 24 h. */
KB_API int kb_stability_check_result(kb_http *http, const kb_call_settings *settings, const char *task, const char *out,
                                     kb_stability_image *image, kb_call_result *result);

#define KB_STABILITY_DEADLINE_MS 300000 /* of waiting, where the settings say 0 */

/* The same, asked until it is there or settings->deadline_ms has passed; as kb_suno_wait. interval_ms is at least 100,
 * 0 is 10000, the least upstream asks for. */
KB_API int kb_stability_wait(kb_http *http, const kb_call_settings *settings, const char *task, const char *out,
                             int interval_ms, kb_stability_image *image, kb_call_result *result);

/* v1 text-to-image. */
typedef struct {
    const char *prompt;               /* needed; at most 2,000 characters */
    const char *negative_prompt;      /* sent as a prompt of weight -1 */
    const char *engine;               /* letters, digits, ".", "_", "-"; NULL: stable-diffusion-xl-1024-v1-0 */
    const double *width, *height;     /* multiples of 64 from 128 on */
    const double *cfg_scale;          /* 0 to 35 */
    const char *clip_guidance_preset; /* FAST_BLUE, FAST_GREEN, NONE, SIMPLE, SLOW, SLOWER, SLOWEST */
    const char *sampler;              /* DDIM, DDPM, K_EULER, … */
    const double *samples;            /* 1 to 10; above 1 `out` is needed, and names the files out-1, out-2, … before
                                         its last dot */
    const double *steps;              /* 10 to 150 */
    const char *style_preset;
    const double *seed; /* whole, 0 to 4294967295 */
    const char *organization;
    const char *out;
} kb_stability_v1_options;

/* *image is the first of the samples. */
KB_API int kb_stability_text_to_image_v1(kb_http *http, const kb_call_settings *settings,
                                         const kb_stability_v1_options *options, kb_stability_image *image,
                                         kb_call_result *result);

/* The credits of one key's account: the next key's, or with a fingerprint that key's. organization may be NULL. */
KB_API int kb_stability_balance(kb_http *http, const kb_call_settings *settings, const char *fingerprint,
                                const char *organization, double *credits, kb_call_result *result);

/* Who that is: id, email, organizations, in result->findings. */
KB_API int kb_stability_account(kb_http *http, const kb_call_settings *settings, const char *fingerprint,
                                kb_call_result *result);

#ifdef __cplusplus
}
#endif

#endif
