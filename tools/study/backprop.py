#!/usr/bin/python3
"""Adam by backpropagation on what zeroth train trains: LoRA's B, the same A, the
same examples in the same order, the same loss, in f32. It is what forward
passes are to be measured against, and no part of zeroth: it needs Debian's
python3-torch, and no test runs it.

    backprop.py SPEC.json --model PROGRAM=FOLDER ... [--zeroth BINARY]
                [--out FILE.csv] [--target TASK=LOSS ...] [--cosines]

SPEC.json is one of zeroth study; of it the tasks count, and seeds and factor. A
task's program is exported from a Hugging Face FOLDER, which also holds its
vocabulary. zeroth is run for one step a seed: for A and for what is checked
before anything is trained, namely

    the loss on held-out data before the first step        to 1e-4
    how many tokens go forward in a step                   exactly
    the slope along the z of a step, which B is then       to 2 %

A row is a token that goes through the model once. A step by backpropagation
costs about three forward passes over its rows. FILE.csv has both: rows as they
are, and the same curve again at three times as many. It is in the form of
study.csv, so zeroth study --beside FILE.csv draws it beside a study's methods.
--target prints how many rows the median curves take to a loss, --cosines how far
the steps of the estimators are from the gradient.
"""
import argparse, csv, functools, json, math, os, re, struct, subprocess, tempfile
import numpy as np
import torch

# What is run: examples of a batch, one part of a task's rows in so many, how A is
# chosen. At a third of the rows a run makes as many passes as one forward only.
PLAN = ((2, 27, "random"), (2, 9, "random"), (2, 9, "activations"), (16, 9, "random"), (2, 3, "random"), (16, 3, "random"))
START = 3e-3  # where the search for a rate begins
EVALUATIONS = 6  # of a run, and those before it and after one step and two
CHUNK = 25  # examples that are evaluated at once
PASSES = 3  # what a step costs, in forward passes


# Files

def safetensors(path):
    """The tensors of a file, in f32."""
    with open(path, "rb") as f:
        head = json.loads(f.read(struct.unpack("<Q", f.read(8))[0]))
        body = f.read()
    tensors = {}
    for name, t in head.items():
        if name == "__metadata__":
            continue
        raw = body[slice(*t["data_offsets"])]
        if t["dtype"] == "BF16":  # the upper half of an f32
            values = (np.frombuffer(raw, "<u2").astype(np.uint32) << 16).view(np.float32)
        else:
            values = np.frombuffer(raw, {"F32": "<f4", "F16": "<f2"}[t["dtype"]]).astype(np.float32)
        tensors[name] = torch.from_numpy(values.reshape(t["shape"]).copy())
    return tensors


def protobuf(raw):
    """The fields of a message: (number, value), a value being a number or bytes."""
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = raw[at]
            at, value, shift = at + 1, value | (byte & 127) << shift, shift + 7
            if byte < 128:
                return value

    while at < len(raw):
        key = varint()
        if key & 7 == 0:
            yield key >> 3, varint()
            continue
        size = {1: 8, 5: 4}.get(key & 7) or varint()
        yield key >> 3, raw[at:at + size]
        at += size


class Vocabulary:
    """BPE of SentencePiece's model (without rewriting rules), or of llama2.c's
    tokenizer.bin. Neighbours whose joined text is a piece are merged, those of
    the highest score first; what is no piece is spelled in bytes."""

    def __init__(self, folder):
        names = os.listdir(folder)
        if "tokenizer.model" in names:
            raw = open(os.path.join(folder, "tokenizer.model"), "rb").read()
            pieces = [dict(protobuf(v)) for n, v in protobuf(raw) if n == 1]
            self.pieces = [(p[1].decode(), struct.unpack("<f", p[2])[0]) for p in pieces]
            self.space, self.collapse = "\u2581", True
        else:
            name = next(n for n in names if re.fullmatch(r"tok.*\.bin", n))
            raw, at, self.pieces = open(os.path.join(folder, name), "rb").read(), 4, []
            while at < len(raw):
                score, size = struct.unpack_from("<fi", raw, at)
                self.pieces.append((raw[at + 8:at + 8 + size].decode(errors="replace"), score))
                at += 8 + size
            self.space, self.collapse = " ", False
        self.first = next(i for i, p in enumerate(self.pieces) if p[0] == "<0x00>")
        self.ids = {text: i for i, (text, _) in enumerate(self.pieces) if not self.first - 3 <= i < self.first + 256}
        if any(self.space in text[1:] for text in self.ids):
            raise SystemExit(f"{folder}: pieces of several words are not known here")
        self.word = functools.lru_cache(None)(self._word)

    def encode(self, text):
        if self.collapse:
            text = re.sub(" +", " ", text).strip(" ")
        words = re.findall(" [^ ]*", " " + text)
        return [i for word in words for i in self.word(word.replace(" ", self.space))]

    def _word(self, word):
        parts = list(word)
        while True:
            found = [(-self.pieces[self.ids[a + b]][1], i) for i, (a, b) in enumerate(zip(parts, parts[1:])) if a + b in self.ids]
            if not found:
                break
            i = min(found)[1]
            parts[i:i + 2] = [parts[i] + parts[i + 1]]
        return [i for p in parts for i in ([self.ids[p]] if p in self.ids else [self.first + b for b in p.encode()])]


# Data, as package data has it: an example is its candidates, their shared
# prefix, and which is right.

BOS = 1


def examples(path, flags, vocabulary):
    if flags["task"] == "text":
        ids, room = vocabulary.encode(open(path).read()), int(flags["max-tokens"]) - 1
        return [([[BOS] + ids[i:i + room]], 1, 0) for i in range(0, len(ids), room)]
    if flags["task"] != "sst2" or flags.get("loss") != "choices":
        raise SystemExit("known are the tasks text, and sst2 with --loss choices")
    out = []
    for row in csv.DictReader(open(path), delimiter="\t", quoting=csv.QUOTE_NONE):
        prompt = next(row[name] for name in ("sentence", "content", "text") if name in row).strip() + " It was "
        begun = [BOS] + vocabulary.encode(prompt)
        candidates = [[BOS] + vocabulary.encode(prompt + word) for word in ("terrible", "great")]
        prefix = len(begun)
        for ids in candidates:
            same = next((i for i, (a, b) in enumerate(zip(begun, ids)) if a != b), min(len(begun), len(ids)))
            prefix = min(prefix, same, len(ids) - 1)
        out.append((candidates, prefix, int(row["label"])))
    return out


class Batch:
    """Examples as sequences [S, T], padded on the right where no causal model
    looks, and rows: token labels[r] is to follow place at[r] of sequence
    of[r], for candidate candidate[r]."""

    def __init__(self, picked):
        sequences, rows, gold, self.choices = [], [], [], len(picked[0][0])
        for candidates, prefix, right in picked:
            first = len(sequences)
            longer = [ids for ids in candidates if len(ids) > prefix + 1]
            sequences += [ids[:-1] for ids in longer] or [candidates[0][:prefix]]
            own = iter(range(first, len(sequences)))
            for c, ids in enumerate(candidates):
                s = first if len(ids) == prefix + 1 else next(own)
                rows += [(s, i - 1, ids[i], len(gold) * self.choices + c) for i in range(prefix, len(ids))]
            gold.append(right)
        self.tokens = sum(map(len, sequences))
        longest = max(map(len, sequences))
        self.ids = torch.tensor([ids + [0] * (longest - len(ids)) for ids in sequences])
        self.of, self.at, self.labels, self.candidate = torch.tensor(rows).T
        self.gold = torch.tensor(gold)


def order(seed, count):
    """The endless sequence of examples that a run with this seed takes."""
    mask, golden = (1 << 64) - 1, 0x9E3779B97F4A7C15
    half = max(1, ((count - 1).bit_length() + 1) // 2)

    def mix(x):
        x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9 & mask
        x = (x ^ x >> 27) * 0x94D049BB133111EB & mask
        return x ^ x >> 31

    place = 0
    while True:
        key = mix(seed ^ mix(place // count + golden & mask))
        index = place % count
        while True:
            left, right = index >> half, index & (1 << half) - 1
            for turn in range(1, 9):
                left, right = right, left ^ mix(key + turn * golden + right & mask) & (1 << half) - 1
            index = left << half | right
            if index < count:
                break
        yield index
        place += 1


# Model

class Llama:
    def __init__(self, folder):
        c = json.load(open(os.path.join(folder, "config.json")))
        self.weights = safetensors(os.path.join(folder, "model.safetensors"))
        self.layers, self.eps, self.theta = c["num_hidden_layers"], c["rms_norm_eps"], c["rope_theta"]
        self.heads, self.kv = c["num_attention_heads"], c["num_key_value_heads"]
        self.size = c["hidden_size"] // self.heads
        self.a, self.b, self.scale = {}, {}, 0.0  # LoRA, by site

    def adapt(self, folder):
        """Takes A and B of a PEFT adapter."""
        c = json.load(open(os.path.join(folder, "adapter_config.json")))
        self.scale = c["lora_alpha"] / c["r"]
        self.a, self.b = {}, {}
        for name, t in safetensors(os.path.join(folder, "adapter_model.safetensors")).items():
            site, _, factor = re.fullmatch(r"base_model\.model\.(.*)\.(lora_([AB]))\.weight", name).groups()
            (self.a if factor == "A" else self.b)[site] = t

    def linear(self, x, site):
        y = x @ self.weights[site + ".weight"].T
        return y + self.scale * (x @ self.a[site].T) @ self.b[site].T if site in self.a else y

    def norm(self, x, name):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.eps) * self.weights[name + ".weight"]

    def attention(self, x, name, cos, sin, mask):
        S, T, _ = x.shape

        def split(part, heads, turn):  # [S, heads, T, size]
            v = self.linear(x, f"{name}.{part}_proj").view(S, T, heads, self.size).transpose(1, 2)
            if not turn:
                return v
            low, high = v.chunk(2, -1)
            return v * cos + torch.cat((-high, low), -1) * sin

        q, k, v = split("q", self.heads, True), split("k", self.kv, True), split("v", self.kv, False)
        k, v = (t.repeat_interleave(self.heads // self.kv, 1) for t in (k, v))
        scores = q @ k.transpose(2, 3) / math.sqrt(self.size) + mask
        return self.linear((scores.softmax(-1) @ v).transpose(1, 2).reshape(S, T, -1), name + ".o_proj")

    def nll(self, batch):
        """−log p of the labels [R]."""
        T = batch.ids.shape[1]
        angle = torch.outer(torch.arange(T), self.theta ** (-torch.arange(0, self.size, 2) / self.size)).repeat(1, 2)
        cos, sin, mask = angle.cos(), angle.sin(), torch.full((T, T), -math.inf).triu(1)
        x = self.weights["model.embed_tokens.weight"][batch.ids]
        for i in range(self.layers):
            name = f"model.layers.{i}"
            x = x + self.attention(self.norm(x, name + ".input_layernorm"), name + ".self_attn", cos, sin, mask)
            h, mlp = self.norm(x, name + ".post_attention_layernorm"), name + ".mlp"
            gated = torch.nn.functional.silu(self.linear(h, mlp + ".gate_proj")) * self.linear(h, mlp + ".up_proj")
            x = x + self.linear(gated, mlp + ".down_proj")
        h = self.norm(x[batch.of, batch.at], "model.norm")
        head = self.weights.get("lm_head.weight", self.weights["model.embed_tokens.weight"])
        return torch.nn.functional.cross_entropy(h @ head.T, batch.labels, reduction="none")

    def loss(self, batch):
        """Of the tokens, or where there are candidates over these; and how many were right."""
        nll = self.nll(batch)
        if batch.choices == 1:
            return nll.mean(), None
        scores = torch.zeros(len(batch.gold) * batch.choices).index_add(0, batch.candidate, -nll).view(-1, batch.choices)
        return torch.nn.functional.cross_entropy(scores, batch.gold), (scores.argmax(1) == batch.gold).float().mean().item()

    def gradient(self, batch):
        """Of the loss after B, in one piece."""
        b = [t.detach().requires_grad_() for t in self.b.values()]
        kept, self.b = self.b, dict(zip(self.b, b))
        grads = torch.autograd.grad(self.loss(batch)[0], b)
        self.b = kept
        return flat(grads)


def flat(tensors):
    return torch.cat([t.reshape(-1) for t in tensors])


# Zeroth

class Task:
    def __init__(self, task, spec, models, zeroth):
        self.name, self.flags, self.program = task["name"], task["flags"], task["program"]
        self.rows = task.get("rows") or spec["rows"]
        folder = models[self.program]
        self.zeroth, self.model, vocabulary = zeroth, Llama(folder), Vocabulary(folder)
        self.train = examples(self.flags["data"], self.flags, vocabulary)
        self.starts = {}  # A, by seed and how it is chosen
        held = sorted(examples(self.flags["held-out"], self.flags, vocabulary), key=lambda e: len(e[0][0]))
        self.held = [Batch(held[i:i + CHUNK]) for i in range(0, len(held), CHUNK)]

    def step(self, seed, **flags):
        """One step of zeroth train. Returns the events, the slopes g of its
        directions, and leaves its adapter in the model."""
        with tempfile.TemporaryDirectory() as temporary:
            out = os.path.join(temporary, "run")
            flags = {**self.flags, "steps": 1, "seed": seed, "out": out, "threads": 1, **flags}
            words = [self.zeroth, "train", self.program, "--json"] + [f"--{k}={v}" for k, v in flags.items()]
            run = subprocess.run(words, capture_output=True, text=True)
            if run.returncode:
                raise SystemExit(run.stderr)
            self.model.adapt(os.path.join(out, "adapter"))
            return [json.loads(line) for line in run.stdout.splitlines()], slopes(os.path.join(out, "journal"))

    def start(self, seed, init):
        """Brings the model to where a run begins: A, and B 0."""
        if (seed, init) not in self.starts:
            self.step(seed, **{"lr": 0, "init-a": init})
            self.starts[seed, init] = self.model.a
        self.model.a = self.starts[seed, init]
        self.reset()

    def reset(self):
        self.model.b = {site: torch.zeros(len(self.model.weights[site + ".weight"]), len(a)) for site, a in self.model.a.items()}

    def batches(self, seed, size):
        sequence = order(seed, len(self.train))
        while True:
            yield Batch([self.train[next(sequence)] for _ in range(size)])

    def tokens(self, size):
        """Of a batch, on average."""
        batches = self.batches(1, size)
        return sum(next(batches).tokens for _ in range(32)) / 32

    def evaluate(self):
        loss = right = parts = 0
        with torch.no_grad():
            for batch in self.held:
                mean, accuracy = self.model.loss(batch)
                n = len(batch.labels if accuracy is None else batch.gold)
                loss, right, parts = loss + n * mean.item(), right + n * (accuracy or 0), parts + n
        return loss / parts, None if accuracy is None else right / parts


def slopes(journal):
    raw, at, g = open(journal, "rb").read(), 12, []
    while at < len(raw):
        kind, size = struct.unpack_from("<BI", raw, at)
        if kind == 2:
            g += struct.unpack_from(f"<{(size - 24) // 4}f", raw, at + 5 + 24)
        at += 9 + size
    return g


def check(task):
    """Holds the model here against zeroth. After a step of sgd at rate 1 along one
    direction B is −g·z, so that ⟨gradient, B⟩ must be −g²."""
    events, (g,) = task.step(1, lr=1, q=1, eps=1e-4, estimator="prge", schedule="constant", optimizer="sgd")
    b = flat(task.model.b.values())
    task.reset()
    batch = next(task.batches(1, int(task.flags["batch"])))
    ours, theirs = task.evaluate()[0], events[0]["loss"]
    step = next(e for e in events if e["event"] == "step")
    slope = -(task.model.gradient(batch) @ b).item() / g
    print(f"{task.name}: loss {ours:.6f}, zeroth {theirs:.6f}; tokens of a step {batch.tokens}, {step['rows'] / 2:g}; slope {slope:.5f}, {g:.5f}", flush=True)
    if abs(ours - theirs) > 1e-4 or 2 * batch.tokens != step["rows"] or abs(slope - g) > 0.02 * abs(g):
        raise SystemExit("this is not what zeroth trains")


# Study

def train(task, seed, batch, init, lr, rows):
    """A run of Adam, its rate falling to 0 along a line: its evaluations
    (step, rows, loss, accuracy), denser at the beginning."""
    task.start(seed, init)
    model, batches = task.model, task.batches(seed, batch)
    steps = int(rows / task.tokens(batch))
    evaluated = {0, 1, 2} | {round(steps * (i / EVALUATIONS) ** 2) for i in range(1, EVALUATIONS + 1)}
    for b in model.b.values():
        b.requires_grad_()
    adam = torch.optim.Adam(model.b.values(), lr=lr)
    points, gone = [], 0
    for step in range(steps + 1):
        if step in evaluated:
            loss, accuracy = task.evaluate()
            points.append((step, gone, loss if math.isfinite(loss) else math.inf, accuracy))
        if step == steps or points[-1][2] == math.inf:
            break
        adam.param_groups[0]["lr"] = lr * (1 - step / steps)
        b = next(batches)
        gone += b.tokens
        adam.zero_grad()
        model.loss(b)[0].backward()
        adam.step()
    return points


def search(start, factor, judge):
    """The rate of least loss, as zeroth study finds it: by a factor to either side
    of the best until both neighbours are worse."""
    def rate(power):
        return float(f"{start * factor ** power:.2e}")

    tried, best, moved = {0: judge(rate(0))}, 0, True
    while moved and len(tried) < 16:
        at = best
        for power in (at + 1, at - 1):
            if power not in tried:
                tried[power] = judge(rate(power))
            if tried[power] < tried[best]:
                best = power
        moved = best != at
    return rate(best)


def steps_to(curve, loss):
    """After how many steps a curve of (step, loss) is at a loss, between points
    along a line."""
    for (s0, l0), (s1, l1) in zip(curve, curve[1:]):
        if l1 <= loss:
            return math.ceil(s0 + (s1 - s0) * max(0, l0 - loss) / (l0 - l1))
    return math.inf


def study(task, spec, file, targets):
    """Does the plan for a task. A budget that holds no 8 steps is left out."""
    writer, lr = csv.writer(file, lineterminator="\n"), START
    for batch, part, init in PLAN:
        rows = task.rows / part
        if rows < 8 * task.tokens(batch):
            continue
        run = functools.lru_cache(None)(lambda lr, seed: train(task, seed, batch, init, lr, rows))
        lr = search(lr, spec.get("factor", 2), lambda lr: run(lr, 1)[-1][2])
        runs = [run(lr, seed) for seed in range(1, spec.get("seeds", 5) + 1)]
        method = f"Adam, batch {batch}, A {init}, {rows:.0f} rows"
        for times, name in ((1, method), (PASSES, f"{method} × {PASSES}")):
            for seed, points in enumerate(runs, 1):
                for step, gone, loss, accuracy in points:
                    if math.isfinite(loss):
                        flags = f"--batch {batch} --init-a {init} --optimizer adam"
                        writer.writerow([task.name, name, flags, lr, seed, step, times * gone, loss, "" if accuracy is None else accuracy])
        file.flush()
        report(task, method, lr, runs, targets)


def report(task, method, lr, runs, targets):
    ends = sorted(r[-1][2] for r in runs)
    width = min(map(len, runs))
    curve = [(runs[0][i][0], np.median([r[i][2] for r in runs])) for i in range(width)]
    step, rows = np.median([r[-1][:2] for r in runs], 0)
    line = f"{task.name}: {method}, lr {lr:g}, {step:.0f} steps: loss {np.median(ends):.4f} ({ends[0]:.4f}-{ends[-1]:.4f})"
    if runs[0][-1][3] is not None:
        line += f", accuracy {np.median([r[-1][3] for r in runs]):.3f}"
    for name, loss in targets:
        if name == task.name:
            n = steps_to(curve, loss)
            line += f"; {loss:g} after {n} steps, {n * rows / step:.0f} rows"
    print(line, flush=True)


def cosine(a, b):
    return torch.nn.functional.cosine_similarity(a.double(), b.double(), dim=0).item()


ESTIMATORS = (  # in flags of zeroth train; rate and sgd let B be the estimate, times −lr
    ("prge, q 4", {"estimator": "prge", "q": 4, "lr": 1e-3}),
    ("prge, q 64", {"estimator": "prge", "q": 64, "lr": 1e-3}),
    ("fzoo, q 7", {"estimator": "fzoo", "q": 7, "lr": 1e-3, "eps": 1e-3}),
    ("fzoo, q 7, A from activations", {"estimator": "fzoo", "q": 7, "lr": 1e-3, "eps": 1e-3, "init-a": "activations"}),
    ("auto", {"estimator": "auto"}),
)


def cosines(task, seeds=range(1, 6), sample=64):
    """What the first step of each estimator, and the gradient of its batch, has in
    common with the gradient over a sample of the training data: cosines, mean
    over seeds."""
    gradients = {}  # of the batch and of the sample, by A's first values, which are never alike
    for name, flags in ESTIMATORS:
        table = []
        for seed in seeds:
            events, _ = task.step(seed, **{"held-out": "", **flags})
            moved = flat(task.model.b.values())
            task.reset()
            start = tuple(flat(task.model.a.values())[:4].tolist())
            if start not in gradients:
                gradients[start] = [task.model.gradient(next(task.batches(s, n))) for s, n in ((seed, int(task.flags["batch"])), (1000, sample))]
            batch, whole = gradients[start]
            rows = next(e["rows"] for e in events if e["event"] == "step")
            table.append((rows, cosine(-moved, batch), cosine(-moved, whole), cosine(batch, whole)))
        rows, of_batch, of_whole, backprop = np.mean(table, 0)
        print(f"{task.name}: {name}, {len(moved)} values: {rows:.0f} rows, cosine with the gradient of its batch {of_batch:.4f}, "
              f"of {sample} examples {of_whole:.4f}; of the batch's with that {backprop:.3f}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("spec")
    parser.add_argument("--model", action="append", required=True, metavar="PROGRAM=FOLDER", help="what a task's program was exported from")
    parser.add_argument("--zeroth", default="zeroth")
    parser.add_argument("--out", help="file for the curves")
    parser.add_argument("--target", action="append", default=[], metavar="TASK=LOSS")
    parser.add_argument("--cosines", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    spec = json.load(open(options.spec))
    models = dict(m.split("=", 1) for m in options.model)
    targets = [(name, float(loss)) for name, loss in (t.rsplit("=", 1) for t in options.target)]
    tasks = [Task(t, spec, models, options.zeroth) for t in spec["tasks"]]
    for task in tasks:
        check(task)
    if options.cosines:
        for task in tasks:
            cosines(task)
    if options.out:
        with open(options.out, "w", newline="") as file:
            file.write("task,method,flags,lr,seed,step,rows,loss,accuracy\n")
            for task in tasks:
                study(task, spec, file, targets)


if __name__ == "__main__":
    main()
