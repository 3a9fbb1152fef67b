#!/bin/sh
# The demo: export the bundled model, fine-tune it on the bundled remarks with
# forward passes alone, show what changed, and leave everything in one folder.
# usage: examples/demo.sh FOLDER        (run by `make demo`)
set -eu
out=${1:?the folder for the results}
zeroth=./bin/zeroth
data=examples/remarks
steps=${STEPS:-1000}
if [ -n "$(ls -A "$out" 2>/dev/null)" ] && [ ! -e "$out/reviews.zpt" ]; then
  echo "demo: $out holds something else: name another folder with make demo DEMO_OUT=FOLDER" >&2
  exit 1
fi
mkdir -p "$out"
rm -rf "$out/reviews.zpt" "$out/run" "$out/mezo" "$out/prge"

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }

say "1. Export: a checkpoint becomes one program file"
$zeroth export --from third_party/reviews-1m --out "$out/reviews.zpt" --rank 8 --alpha 16

say "2. Train: $steps zeroth-order steps on 320 remarks; 160 others are held out"
$zeroth train "$out/reviews.zpt" --task sst2 --loss choices \
  --data $data/train.tsv --held-out $data/held-out.tsv \
  --steps "$steps" --eval-every "${EVAL_EVERY:-200}" --q 8 --batch 8 --lr 1e-2 --schedule linear \
  --seed 1 --out "$out/run"

say "3. What widening buys: 20 steps, the same directions, as 16 forwards of one copy and as 1 forward of 16"
for estimator in mezo prge; do
  printf '%s  ' $estimator
  log=$out/$estimator.log
  $zeroth train "$out/reviews.zpt" --task sst2 --loss choices --data $data/train.tsv \
    --steps 20 --q 8 --batch 8 --lr 1e-2 --seed 1 --estimator $estimator --out "$out/$estimator" >"$log" 2>&1 || { cat "$log"; exit 1; }
  grep 'steps in' "$log"
done

say "4. Report"
$zeroth report "$out/run"
echo "$out/run holds adapter (PEFT), best, journal and report.html: open the last in a browser."
