"""The meta-step of dev.vauban.bench.peers.MetaStep in PyTorch, driven by Vauban through pipes.

Standard input: a line of JSON, the numbers it announces as raw little-endian values, then commands
('gradient WAY TASK', 'run WAY'), one a line. Standard output: one line of JSON for each, after
'gradient' followed by raw float32 values in Vauban's layout. Ends when its input ends.
"""
import array
import json
import os
import sys
import time

stdin, stdout = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
os.dup2(2, 1)  # whatever libraries print must not mix with the answers


def answer(value, data=b""):
    stdout.write(json.dumps(value).encode() + b"\n" + data)
    stdout.flush()


def read(kind, shape):
    count = 1
    for n in shape:
        count *= n
    data = stdin.read(4 * count)
    if len(data) < 4 * count:
        sys.exit("the numbers ended early")
    return torch.frombuffer(bytearray(data), dtype=kind).reshape(shape)


def kernel_order(w):
    """Vauban's weights as PyTorch wants them."""
    if w.dim() == 4:
        return w.permute(3, 2, 0, 1).contiguous()
    if w.dim() == 2:
        features, ways = w.shape
        return w.reshape(features // channels, channels, ways).permute(2, 1, 0).reshape(ways, features)
    return w


def vauban_order(w):
    """The reverse of kernel_order, as bytes."""
    if w.dim() == 4:
        w = w.permute(2, 3, 1, 0)
    elif w.dim() == 2:
        w = w.reshape(w.shape[0], channels, -1).permute(2, 1, 0)
    return array.array("f", w.detach().reshape(-1).tolist()).tobytes()


def images(x, channels_last):
    n, h, w, c = x.shape
    if channels_last:  # strides are given: with one channel they alone tell the two orders apart
        return x.as_strided((n, c, h, w), (h * w * c, 1, w * c, c))
    return x.permute(0, 3, 1, 2).contiguous()


def body(w, x):
    for i in range(0, len(w) - 2, 3):
        x = F.conv2d(x, w[i], padding=1)
        x = F.batch_norm(x, None, None, w[i + 1], w[i + 2], True, 0.1, 1e-5)
        x = F.max_pool2d(F.relu(x), 2)
    return x.flatten(1)


def head_loss(w, features, y):
    return F.cross_entropy(F.linear(features, w[-2], w[-1]), y)


def loss(w, x, y):
    return head_loss(w, body(w, x), y)


def adapt(theta, x, y, gradient):
    """gradient(f, w): of the scalar f(w), differentiable itself if the order asks for it."""
    inner = step["adaptation"]
    fast, fixed = list(theta), 0
    f = lambda w: loss(w, x, y)
    if inner["adapted"] == "HEAD":
        fixed = len(theta) - 2
        features = body(theta, x)  # the same in every step
        f = lambda w: head_loss(w, features, y)
    for _ in range(inner["steps"]):
        g = gradient(f, fast[fixed:])
        fast[fixed:] = [w - inner["rate"] * d for w, d in zip(fast[fixed:], g)]
        if inner["order"] == "FIRST" and not functional:
            fast = [w.detach().requires_grad_() for w in fast]
    return fast


def ascended(start, g, x):
    a = step["attack"]
    moved = start + a["step"] * g.sign()
    return torch.minimum(torch.maximum(moved, x - a["eps"]), x + a["eps"]).clamp(0, 1).detach()


def attacked(w, x, y, start, gradient):
    frozen = [v.detach() for v in w]
    for _ in range(step["attack"]["steps"]):
        (g,) = gradient(lambda v: loss(frozen, v[0], y), [start])
        start = ascended(start, g, x)
    return start


def outer(fast, task, gradient):
    x, y, start = task[2:]
    if not step.get("attack"):
        return loss(fast, x, y)
    if step["attack"]["steps"] == 1 and not step["start"] and not functional:
        # One step from the images shares the clean loss's forward pass.
        moving = x.detach().requires_grad_()
        clean = loss(fast, moving, y)
        (g,) = torch.autograd.grad(clean, moving, retain_graph=True)
        return clean + loss(fast, ascended(x, g, x), y)
    return loss(fast, x, y) + loss(fast, attacked(fast, x, y, start, gradient), y)


def by_loop(theta, task):
    """torch.autograd.grad, operation by operation."""
    exact = step["adaptation"]["order"] == "SECOND"

    def inner(f, w):
        return torch.autograd.grad(f(w), w, create_graph=exact)

    def of_images(f, v):
        v = [t.detach().requires_grad_() for t in v]
        return torch.autograd.grad(f(v), v)

    start = [w.detach().requires_grad_() for w in theta]
    fast = adapt(start, task[0], task[1], inner)
    # First order: the adapted weights are the initial ones minus constants.
    return torch.autograd.grad(outer(fast, task, of_images), start if exact else fast)


def task_loss(theta, *task):
    """The whole of it as one function, for torch.func."""

    def inner(f, w):
        g = torch.func.grad(f)(w)
        return [d.detach() for d in g] if step["adaptation"]["order"] == "FIRST" else g

    fast = adapt(theta, task[0], task[1], inner)
    return outer(fast, task, lambda f, v: torch.func.grad(f)(v))


def ways():
    """Name, layouts of support and queries, gradients of all tasks."""
    out = []
    for name, support, query in (
        ("channels first", False, False),
        ("queries channels-last", False, True),
        ("channels-last", True, True),
    ):
        out.append(("loop, " + name, support, query, lambda t, tasks: [by_loop(t, k) for k in tasks]))
    if hasattr(torch, "func"):
        one = torch.func.grad(task_loss)
        every = torch.func.vmap(one, in_dims=(None, 0, 0, 0, 0, 0))
        compiled = torch.compile(one)
        out.append(("torch.func", False, False, lambda t, tasks: [one(t, *k) for k in tasks]))
        out.append(
            ("torch.func, vmap over tasks", False, False,
             lambda t, tasks: [every(t, *map(torch.stack, zip(*tasks)))]))
        out.append(
            ("torch.compile", False, False, lambda t, tasks: [compiled(t, *k) for k in tasks]))
    return out


def mean(gradients):
    if len(gradients) == 1 and gradients[0][0].dim() > theta[0].dim():  # stacked by vmap
        return [g.mean(0) for g in gradients[0]]
    return [sum(g) / len(gradients) for g in zip(*gradients)]


def run(tasks, gradients):
    g = mean(gradients(theta, tasks))
    a = step["adam"]
    with torch.no_grad():
        for w, d in zip(theta, g):
            m, v = (1 - a["beta1"]) * d, (1 - a["beta2"]) * d * d
            root = (v / (1 - a["beta2"])).sqrt() + a["eps"]
            torch.addcdiv(w, m, root, value=-a["rate"] / (1 - a["beta1"]))


def allocator():
    try:
        with open("/proc/self/maps") as maps:
            text = maps.read()
    except OSError:
        return "malloc"
    return next((n for n in ("tcmalloc", "jemalloc", "mimalloc") if "/lib" + n in text), "malloc")


try:
    import torch
    import torch.nn.functional as F

    step = json.loads(stdin.readline())
    torch.set_num_threads(step["threads"])
    channels = step["weights"][0]["shape"][3]
    theta = [kernel_order(read(torch.float32, w["shape"])) for w in step["weights"]]
    data = []
    for _ in range(step["tasks"]):
        parts = []
        for part in ("support", "query"):
            shape = step[part]
            parts += [read(torch.float32, shape), read(torch.int32, shape[:1]).long()]
        parts.append(read(torch.float32, step["query"]) if step["start"] else parts[2])
        data.append(parts)
    functional = False
    choices = ways()
    laid = [
        [[images(s, a), ys, images(q, b), yq, images(p, b)] for s, ys, q, yq, p in data]
        for _, a, b, _ in choices
    ]
    answer({"torch": torch.__version__, "allocator": allocator(), "ways": [c[0] for c in choices]})
    for line in stdin:
        command, way, *which = line.decode().split()
        try:
            name, _, _, gradients = choices[int(way)]
            functional = not name.startswith("loop")
            tasks = laid[int(way)]
            if command == "gradient":
                g = mean(gradients(theta, [tasks[int(which[0])]]))
                answer({}, b"".join(vauban_order(w) for w in g))
            else:
                began, cpu = time.perf_counter(), time.process_time()
                run(tasks, gradients)
                answer({
                    "seconds": time.perf_counter() - began,
                    "cpu_seconds": time.process_time() - cpu,
                })
        except Exception as e:  # this way fails; the others go on
            answer({"error": "%s: %s" % (type(e).__name__, str(e).strip().split("\n")[0])})
except Exception as e:
    answer({"error": "%s: %s" % (type(e).__name__, str(e).strip().split("\n")[0])})
