"""Vauban's programs in JAX on one device: jit(vmap(grad)) of the whole step.

All data lies on the device before the clock starts, and the clock stops when the device is done.
Precisions: f32; tf32 (products may round factors); bf16 (products round to bf16, sums stay f32).
"""
import os
import time

from peer_protocol import Talk, read_program, sentence

talk = Talk()
step = talk.program
try:
    if step["device"] == "cpu":
        os.environ["JAX_PLATFORMS"] = "cpu"
        # With it, JAX 0.10.2 computes wrong gradients of small convolutions on processors (seen here).
        os.environ["XLA_FLAGS"] = "--xla_disable_hlo_passes=fusion"
    # Or JAX takes three quarters of the card's memory for itself, and Vauban runs on the same one.
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    import jax
    import jax.numpy as jnp
    import numpy as np
    from jax import lax

    if jax.devices()[0].platform != ("gpu" if step["device"] == "cuda" else step["device"]):
        raise RuntimeError("this JAX sees no card, only " + str(jax.devices()))
except Exception as e:
    talk.answer({"error": sentence(e)})
    raise SystemExit(0)

PRECISION = {"f32": "highest", "tf32": "tensorfloat32", "bf16": "bfloat16"}[step["precision"]]
jax.config.update("jax_default_matmul_precision", PRECISION)


def conv(x, w, stride=1, padding=1):
    pad = [(padding, padding), (padding, padding)]
    return lax.conv_general_dilated(x, w, (stride, stride), pad, dimension_numbers=("NHWC", "HWIO", "NHWC"))


def pooled(x):
    """Maximum of 2x2 windows; ties share the gradient, which only zeros of ReLUs do."""
    n, h, w, c = x.shape
    x = x[:, : h // 2 * 2, : w // 2 * 2, :].reshape(n, h // 2, 2, w // 2, 2, c)
    return x.max((2, 4))


def normalised(x, scale, shift):
    mean = x.mean((0, 1, 2))
    variance = jnp.square(x - mean).mean((0, 1, 2))
    return (x - mean) * lax.rsqrt(variance + 1e-5) * scale + shift


def cross_entropies(logits, y):
    return -jnp.take_along_axis(jax.nn.log_softmax(logits), y[:, None], 1)[:, 0]


def cross_entropy(logits, y):
    return cross_entropies(logits, y).mean()


# ---- the meta-step ----


def body(w, x):
    for i in range(0, len(w) - 2, 3):
        x = pooled(jax.nn.relu(normalised(conv(x, w[i]), w[i + 1], w[i + 2])))
    return x.reshape(x.shape[0], -1)


def head_loss(w, features, y):
    return cross_entropy(features @ w[-2] + w[-1], y)


def loss(w, x, y):
    return head_loss(w, body(w, x), y)


def adapted(theta, x, y):
    inner = step["adaptation"]
    fast, fixed = list(theta), 0
    f = lambda w: loss(w, x, y)
    if inner["adapted"] == "HEAD":
        fixed = len(theta) - 2
        features = body(theta, x)  # the same in every step
        f = lambda w: head_loss(w, features, y)
    for _ in range(inner["steps"]):
        g = jax.grad(f)(fast[fixed:])
        if inner["order"] == "FIRST":
            g = [lax.stop_gradient(d) for d in g]
        fast[fixed:] = [w - inner["rate"] * d for w, d in zip(fast[fixed:], g)]
    return fast


def attacked(f, x, start):
    a = step["attack"]

    def ascend(_, at):
        moved = at + a["step"] * jnp.sign(jax.grad(f)(at))
        return jnp.clip(jnp.clip(moved, x - a["eps"], x + a["eps"]), 0, 1)

    return lax.stop_gradient(lax.fori_loop(0, a["steps"], ascend, start))


def task_loss(theta, support, support_y, query, query_y, start):
    fast = adapted(theta, support, support_y)
    clean = loss(fast, query, query_y)
    if not step["attack"]:
        return clean
    frozen = [lax.stop_gradient(w) for w in fast]
    worst = attacked(lambda v: loss(frozen, v, query_y), query, start)
    return clean + loss(fast, worst, query_y)


def gradient(theta, tasks):
    each = jax.vmap(jax.grad(task_loss), in_axes=(None, 0, 0, 0, 0, 0))(theta, *tasks)
    return [g.mean(0) for g in each]


def updated(theta, tasks):
    a = step["adam"]
    out = []
    for w, d in zip(theta, gradient(theta, tasks)):
        m, v = (1 - a["beta1"]) * d, (1 - a["beta2"]) * d * d
        out.append(w - a["rate"] * (m / (1 - a["beta1"])) / (jnp.sqrt(v / (1 - a["beta2"])) + a["eps"]))
    return out


def timed(f, *arguments):
    def run():
        jax.block_until_ready(arguments)
        began = time.perf_counter()
        jax.block_until_ready(f(*arguments))
        return time.perf_counter() - began

    return run


def raw(x):
    return np.asarray(x, dtype=np.float32).tobytes()


def meta_ways(weights, data):
    theta = [jnp.asarray(w) for w in weights]
    tasks = [jnp.stack(parts) for parts in zip(*data)]
    results = jax.jit(gradient)
    return [(
        "jit(vmap(grad))",
        lambda: b"".join(raw(g) for g in results(theta, tasks)),
        timed(jax.jit(updated), theta, tasks),
    )]


# ---- the attack on a batch ----


def network(weights, x):
    """With batch norm folded into the convolutions."""
    order = iter(range(len(weights)))
    at = lambda: weights[next(order)]

    def folded(x, stride, padding):
        w, b = at(), at()
        return conv(x, w, stride, padding) + b

    if step["network"] == "CONV4":
        for _ in range(4):
            x = pooled(jax.nn.relu(folded(x, 1, 1)))
        features = x.reshape(x.shape[0], -1)
    else:
        shapes = [w.shape for w in weights]
        taken = [2]
        x = jax.nn.relu(folded(x, 1, 1))
        for stage in range(4):
            for block in range(2):
                stride = 2 if stage > 0 and block == 0 else 1
                inner = jax.nn.relu(folded(x, stride, 1))
                inner = folded(inner, 1, 1)
                taken[0] += 4
                shape = shapes[taken[0]]
                shortcut = x
                if len(shape) == 4 and shape[0] == 1:
                    shortcut = folded(x, stride, 0)
                    taken[0] += 2
                x = jax.nn.relu(inner + shortcut)
        features = x.mean((1, 2))
    return features @ at() + at()


def checkpoints(steps):
    """Steps since the last checkpoint where there is one after i steps, else 0."""
    length, least, shorter = (max(int(share * steps), 1) for share in (0.22, 0.06, 0.03))
    since, count = [0], 0
    for _ in range(steps):
        count += 1
        since.append(length if count == length else 0)
        if count == length:
            length, count = max(length - shorter, least), 0
    return since


def auto_pgd(losses, x, start):
    """APGD (Croce and Hein 2020) as in AutoAttack's code, as one loop on the device."""
    steps, eps = step["attack"]["steps"], step["attack"]["eps"]
    since = jnp.asarray(checkpoints(steps), jnp.float32)
    against = lambda each: each[:, None, None, None]
    inside = lambda z: jnp.clip(jnp.clip(z, x - eps, x + eps), 0, 1)

    def gradient(at):
        def summed(v):
            each = losses(v)
            return each.sum(), each

        g, each = jax.grad(summed, has_aux=True)(at)
        return each, g

    def ascend(i, s):
        z = inside(s["at"] + against(s["size"]) * jnp.sign(s["g"]))
        share = jnp.where(i > 0, 0.75, 1.0)
        at = inside(s["at"] + share * (z - s["at"]) + (1 - share) * (s["at"] - s["old"]))
        each, g = gradient(at)
        better = each > s["highest"]
        best = jnp.where(against(better), at, s["best"])
        best_g = jnp.where(against(better), g, s["best_g"])
        highest = jnp.where(better, each, s["highest"])
        rises = s["rises"] + (each > s["previous"])
        here = since[i + 1] > 0
        reduce = (rises <= 0.75 * since[i + 1]) | (~s["reduced"] & (s["reference"] >= highest))
        back = reduce & here
        return {
            "at": jnp.where(against(back), best, at), "old": s["at"], "best": best,
            "g": jnp.where(against(back), best_g, g), "best_g": best_g,
            "highest": highest, "previous": each, "rises": jnp.where(here, 0.0, rises),
            "reference": jnp.where(here, highest, s["reference"]),
            "size": jnp.where(back, s["size"] / 2, s["size"]),
            "reduced": jnp.where(here, reduce, s["reduced"]),
        }

    each, g = gradient(start)
    none = jnp.zeros_like(each)
    state = {
        "at": start, "old": start, "best": start, "g": g, "best_g": g, "highest": each,
        "previous": none, "rises": none, "reference": each, "size": none + 2 * eps,
        "reduced": none == 0,
    }
    return lax.fori_loop(0, steps, ascend, state)["best"]


def batch_ways(weights, data):
    w = [jnp.asarray(v) for v in weights]
    x, start, y = (jnp.asarray(v) for v in data)

    @jax.jit
    def attack(w, x, start, y):
        if step["ascent"] == "APGD":
            return auto_pgd(lambda v: cross_entropies(network(w, v), y), x, start)
        return attacked(lambda v: cross_entropy(network(w, v), y), x, start)

    return [("jit(grad)", lambda: raw(attack(w, x, start, y) - x), timed(attack, w, x, start, y))]


try:
    weights, data = read_program(
        talk,
        lambda b, shape: np.frombuffer(b, dtype=np.float32).reshape(shape),
        lambda b, shape: np.frombuffer(b, dtype=np.int32).reshape(shape),
    )
    ways = batch_ways(weights, data) if step["kind"] == "batch" else meta_ways(weights, data)
except Exception as e:
    talk.answer({"error": sentence(e)})
    raise SystemExit(0)
talk.serve({"name": "JAX " + jax.__version__}, ways)
