#!/usr/bin/env bash
# Every call of keycall against Prism, an independent mock that judges requests by the services' published documents:
# each call, with each of its options, is accepted; arguments that break the documents' rules do not leave.
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

documents=$root/tests/upstream/openapi
runner=$root/tests/upstream/prism.sh
PRISM_DIR=${PRISM_DIR:-${TMPDIR:-/tmp}/prism-$UID}
export PRISM_DIR KEYBROKER_NAME=$broker_name

leave() {
    skip "calls are accepted by the published documents" "$1"
    exit 0
}
command -v node >/dev/null || leave "there is no node"
command -v npm >/dev/null || leave "there is no npm"
timeout 60 "$runner" --install >"$scratch/install.log" 2>&1 || leave "npm cannot install Prism"

free_port() {
    node -e 'const s = require("net").createServer().listen(0, "127.0.0.1",
        () => { console.log(s.address().port); s.close(); })'
}

declare -A port_of
# start_prism DOCUMENT: its log is $scratch/DOCUMENT.log.
start_prism() {
    port_of[$1]=$(free_port)
    "$runner" "$documents/$1" "${port_of[$1]}" </dev/null >"$scratch/$1.log" 2>&1 &
    children+=($!)
}
listening() {
    check "$1 is served" "$runner" --wait "${port_of[$1]}" 30
    rm -f "$PRISM_DIR/served-${port_of[$1]}.json"
}

# write_config STABILITY: the document that stands for Stability AI.
write_config() {
    printf '{"services":{"suno":{"base_url":"http://127.0.0.1:%s"},"stability":{"base_url":"http://127.0.0.1:%s"}}}\n' \
        "${port_of[suno.yml]}" "${port_of[$1]}" >"$scratch/config.json"
}

count() { grep -c -- "$1" "$scratch/$document.log"; }

# What Prism says of a request it finds wrong. It judges its own answers too, by the documents they are made from.
wrong='did not pass the validation\|Violation: request\|terminated with error'

# taken SERVICE CALL ARGUMENT...: the call succeeds, and Prism found nothing wrong with its one request.
taken() {
    local before passed
    before=$(count 'Request received') passed=$(count 'The request passed the validation rules')
    "$build/keycall" "$@" >"$scratch/output" || { tail -n 8 "$scratch/$document.log"; return 1; }
    equal "$(count 'Request received')" $((before + 1)) || return 1
    equal "$(count 'The request passed the validation rules')" $((passed + 1)) || return 1
    equal "$(count "$wrong")" 0
}

# kept_back REASON SERVICE CALL ARGUMENT...: refused for this reason, and Prism was asked nothing.
kept_back() {
    local reason=$1 before said
    shift
    before=$(count 'Request received')
    said=$("$build/keycall" "$@" 2>&1) && { printf 'not refused\n'; return 1; }
    contains "$said" "$reason" || return 1
    equal "$(count 'Request received')" "$before"
}

accepts() { check "$document accepts $*" taken "$@"; }
refuses() { check "$1 is refused: ${*:2}" kept_back "$@"; }
found() { check "$2 is found" contains "$(<"$scratch/output")" "$1"; }

for document in suno.yml stability-v2beta.json stability-v1.json; do
    start_prism "$document"
done
for document in suno.yml stability-v2beta.json stability-v1.json; do
    listening "$document"
done
(umask 077 && printf 'SUNO_API_KEY=prism-one,prism-two\nSTABILITY_KEY=prism-three,prism-four\n' >"$scratch/env")
write_config stability-v2beta.json
start_broker -e "$scratch/env" -c "$scratch/config.json"

document=suno.yml
accepts suno get_account_info
found '"credits":100' "the balance"
accepts suno generate_music --title Rain --description 'a slow song'
found '"task":"k' "a task"
task=$(sed -n 's/.*"task" *: *"\([^"]*\)".*/\1/p' "$scratch/output")
accepts suno generate_music --description 'ein "Lied" über Regen' --instrumental true
accepts suno check_music_generation_status --task "$task"
found '"status":"SUCCESS"' "the task's status"
accepts suno wait --task "$task" --interval_ms 100
custom=(suno generate_custom_music --title Rain --style jazz)
accepts "${custom[@]}" --instrumental true
for model in V4 V4_5 V4_5PLUS V4_5ALL V5 V5_5; do
    accepts "${custom[@]}" --prompt 'la la' --model "$model"
done
accepts "${custom[@]}" --prompt 'la la' --negative_tags metal --vocal_gender f --style_weight 0.65 \
    --weirdness_constraint 0 --audio_weight 1 --persona_id p1 --persona_model style_persona
accepts "${custom[@]}" --prompt 'la la' --model V5 --persona_id p1 --persona_model voice_persona
refuses prompt: "${custom[@]}"
refuses style: suno generate_custom_music --title Rain --prompt la
refuses title: suno generate_custom_music --style jazz --prompt la
refuses model: "${custom[@]}" --prompt la --model V3
refuses style_weight: "${custom[@]}" --prompt la --style_weight 1.5
refuses vocal_gender: "${custom[@]}" --prompt la --vocal_gender x
refuses description: suno generate_music --title Rain --description "$(printf '%0495d' 0)"
refuses task: suno check_music_generation_status --task nonsense

document=stability-v2beta.json
printf 'IMAGE' >"$scratch/image.png"
printf 'MASK' >"$scratch/mask.png"
head -c $((10 * 1024 * 1024 + 1)) /dev/zero >"$scratch/large.png"
text=(stability text_to_image --prompt 'a house' --out "$scratch/out.png")
start=(--image "$scratch/image.png" --strength 0.5)
for model in core ultra sd3 sd3.5-large sd3.5-large-turbo sd3.5-medium sd3.5-flash; do
    accepts "${text[@]}" --model "$model" --negative_prompt rain --aspect_ratio 21:9 --seed 4294967294 \
        --style_preset anime --output_format webp
done
found '"finish_reason":"SUCCESS"' "the finish reason"
check "the image is written" test -s "$scratch/out.png"
accepts "${text[@]}" --model ultra "${start[@]}" --output_format png
accepts "${text[@]}" --model sd3 --mode image-to-image "${start[@]}" --cfg_scale 7 --output_format jpeg
refuses prompt: stability text_to_image --prompt '' --out "$scratch/out.png"
refuses aspect_ratio: "${text[@]}" --aspect_ratio 4:3
refuses seed: "${text[@]}" --seed 4294967295
refuses cfg_scale: "${text[@]}" --model core --cfg_scale 5
refuses strength: "${text[@]}" --model ultra --image "$scratch/image.png"
refuses image: "${text[@]}" --model sd3 --mode image-to-image
refuses aspect_ratio: "${text[@]}" --model sd3 --mode image-to-image "${start[@]}" --aspect_ratio 1:1
refuses image: "${text[@]}" --model ultra --strength 0.5 --image "$scratch/large.png"
edit=(stability edit_image --image "$scratch/image.png" --out "$scratch/out.png" --operation)
more=(--prompt 'a cat' --negative_prompt dog --grow_mask 7 --seed 1 --style_preset cinematic --output_format jpeg)
accepts "${edit[@]}" inpaint "${more[@]}" --mask "$scratch/mask.png"
accepts "${edit[@]}" search-and-replace "${more[@]}" --search_prompt dog
accepts "${edit[@]}" search-and-recolor "${more[@]}" --select_prompt dog
accepts "${edit[@]}" erase --mask "$scratch/mask.png" --grow_mask 20 --seed 1 --output_format png
accepts "${edit[@]}" erase
accepts "${edit[@]}" outpaint --left 2000 --right 1 --up 0 --down 64 --creativity 0.2 --prompt sea --seed 1
accepts "${edit[@]}" outpaint --down 1 --creativity 0.5 --style_preset origami --output_format webp
accepts "${edit[@]}" remove-background --output_format webp
refuses prompt: "${edit[@]}" inpaint
refuses search_prompt: "${edit[@]}" search-and-replace --prompt x
refuses 'left, right, up or down:' "${edit[@]}" outpaint
refuses left: "${edit[@]}" outpaint --left 2001
refuses creativity: "${edit[@]}" outpaint --left 1 --creativity 0.6
refuses output_format: "${edit[@]}" remove-background --output_format jpeg
refuses grow_mask: "${edit[@]}" erase --grow_mask 21
refuses image: stability edit_image --operation erase --image "$scratch/none.png" --out "$scratch/out.png"
refuses out: "${text[@]:0:4}" --out "$scratch/none/out.png"

accepts stability replace_background --subject_image "$scratch/image.png" --background_prompt sea \
    --background_reference "$scratch/image.png" --foreground_prompt cat --negative_prompt dog \
    --preserve_original_subject 0.6 --original_background_depth 0.5 --keep_original_background false \
    --light_source_direction above --light_reference "$scratch/mask.png" --light_source_strength 0.3 --seed 1 \
    --output_format webp
found '"task":"k' "a job"
task=$(sed -n 's/.*"task" *: *"\([^"]*\)".*/\1/p' "$scratch/output")
accepts stability check_result --task "$task" --out "$scratch/result.png"
check "the job's image is written" test -s "$scratch/result.png"
accepts stability wait --task "$task" --interval_ms 100 --out "$scratch/result.png"
refuses background_prompt: stability replace_background --subject_image "$scratch/image.png"

# Without a file for it the image comes in JSON: keypool's way.
before=$(count 'The request passed the validation rules')
printf '{"call":"stability.text_to_image","prompt":"a house"}\n{"call":"stability.text_to_image","prompt":""}\n' |
    "$build/keypool" -n "$broker_name" -w 1 stability >"$scratch/output" 2>"$scratch/keypool.log"
check "a job's image comes in JSON" contains "$(<"$scratch/output")" '"finish_reason":"SUCCESS"'
check "a wrong job is refused" contains "$(<"$scratch/output")" 'prompt: is empty'
check "$document accepts one of two jobs" equal "$(count 'The request passed the validation rules')" $((before + 1))

document=stability-v1.json
write_config "$document"
check "the base URL changes with a reload" "$build/keyctl" -n "$broker_name" reload
accepts stability balance
found '"credits":0.6336' "the balance"
accepts stability balance --organization org-1
accepts stability account
found '"organizations":[{"id":"org-' "the organization"
v1=(stability text_to_image_v1 --prompt 'a house' --out "$scratch/v1.png")
accepts "${v1[@]}"
accepts "${v1[@]}" --engine stable-diffusion-v1-5 --negative_prompt rain --width 512 --height 640 --cfg_scale 7.5 \
    --clip_guidance_preset FAST_BLUE --sampler K_EULER --steps 30 --style_preset 3d-model --seed 4294967295
accepts "${v1[@]}" --samples 10 --organization org-1
check "several images are files of their own" test -s "$scratch/v1-1.png"
refuses width: "${v1[@]}" --width 500
refuses height: "${v1[@]}" --height 64
refuses samples: "${v1[@]}" --samples 11
refuses steps: "${v1[@]}" --steps 9
refuses engine: "${v1[@]}" --engine ../user/balance
for document in suno.yml stability-v2beta.json stability-v1.json; do
    check "$document: nothing was found wrong with any request" equal "$(count "$wrong")" 0
done
