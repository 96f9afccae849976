"""Vauban's programs in PyTorch on one device: eager, torch.func's vmap over tasks, torch.compile.

All data lies on the device before the clock starts, and the clock stops when the device is done.
Precisions: f32; tf32 (convolutions and products may round factors); bf16 (autocast).
"""
import contextlib
import time

from peer_protocol import Talk, read_program, sentence

talk = Talk()
try:
    import torch
    import torch.nn.functional as F
except Exception as e:
    talk.answer({"error": sentence(e)})
    raise SystemExit(0)

step = talk.program
device = torch.device(step["device"])
tf32 = step["precision"] == "tf32"
torch.set_float32_matmul_precision("high" if tf32 else "highest")
torch.backends.cudnn.allow_tf32 = tf32
torch.backends.cudnn.benchmark = True


def arithmetic():
    if step["precision"] == "bf16":
        return torch.autocast(device.type, torch.bfloat16)
    return contextlib.nullcontext()


def synchronize():
    if device.type == "cuda":
        torch.cuda.synchronize()


def timed(work):
    def run():
        synchronize()
        began = time.perf_counter()
        work()
        synchronize()
        return time.perf_counter() - began

    return run


# ---- layouts ----


def kernel_order(w, channels):
    """Vauban's weights as PyTorch wants them."""
    if w.dim() == 4:
        w = w.permute(3, 2, 0, 1)
    elif w.dim() == 2:
        features, ways = w.shape
        w = w.reshape(features // channels, channels, ways).permute(2, 1, 0).reshape(ways, features)
    return w.contiguous().to(device)


def raw(x):
    return x.detach().float().cpu().contiguous().numpy().tobytes()


def vauban_order(w, channels):
    """The reverse of kernel_order, as bytes."""
    if w.dim() == 4:
        w = w.permute(2, 3, 1, 0)
    elif w.dim() == 2:
        w = w.reshape(w.shape[0], channels, -1).permute(2, 1, 0)
    return raw(w)


def images(x, channels_last):
    x = x.to(device)
    n, h, w, c = x.shape
    if channels_last:  # strides are given: with one channel they alone tell the two orders apart
        return x.as_strided((n, c, h, w), (h * w * c, 1, w * c, c))
    return x.permute(0, 3, 1, 2).contiguous()


# ---- the meta-step ----


def body(w, x):
    for i in range(0, len(w) - 2, 3):
        x = F.conv2d(x, w[i], padding=1)
        x = F.batch_norm(x, None, None, w[i + 1], w[i + 2], True, 0.1, 1e-5)
        x = F.max_pool2d(F.relu(x), 2)
    return x.flatten(1)


def head_loss(w, features, y):
    with arithmetic():
        logits = F.linear(features, w[-2], w[-1])
    return F.cross_entropy(logits.float(), y)


def loss(w, x, y):
    with arithmetic():
        features = body(w, x)
    return head_loss(w, features, y)


def adapt(theta, x, y, gradient, functional):
    """gradient(f, w): of the scalar f(w), differentiable itself if the order asks for it."""
    inner = step["adaptation"]
    fast, fixed = list(theta), 0

    def f(w):
        return loss(w, x, y)

    if inner["adapted"] == "HEAD":
        fixed = len(theta) - 2
        with arithmetic():
            features = body(theta, x)  # the same in every step

        def f(w):
            return head_loss(w, features, y)

    for _ in range(inner["steps"]):
        g = gradient(f, fast[fixed:])
        fast[fixed:] = [w - inner["rate"] * d for w, d in zip(fast[fixed:], g)]
        if inner["order"] == "FIRST" and not functional:
            fast = [w.detach().requires_grad_() for w in fast]
    return fast


def ascended(at, g, x):
    a = step["attack"]
    moved = at + a["step"] * g.sign()
    return torch.minimum(torch.maximum(moved, x - a["eps"]), x + a["eps"]).clamp(0, 1).detach()


def attacked(f, x, start, gradient):
    for _ in range(step["attack"]["steps"]):
        (g,) = gradient(lambda v: f(v[0]), [start])
        start = ascended(start, g, x)
    return start


def outer(fast, task, gradient):
    x, y, start = task[2:]
    clean = loss(fast, x, y)
    if not step["attack"]:
        return clean
    frozen = [v.detach() for v in fast]
    worst = attacked(lambda v: loss(frozen, v, y), x, start, gradient)
    return clean + loss(fast, worst, y)


def of_images_eagerly(f, v):
    v = [t.detach().requires_grad_() for t in v]
    return torch.autograd.grad(f(v), v)


def eager(theta, tasks):
    """torch.autograd.grad, task after task, operation by operation."""
    exact = step["adaptation"]["order"] == "SECOND"
    total = None
    for task in tasks:

        def inner(f, w):
            return torch.autograd.grad(f(w), w, create_graph=exact)

        start = [w.detach().requires_grad_() for w in theta]
        fast = adapt(start, task[0], task[1], inner, False)
        # First order: the adapted weights are the initial ones minus constants.
        g = torch.autograd.grad(outer(fast, task, of_images_eagerly), start if exact else fast)
        total = list(g) if total is None else [a + b for a, b in zip(total, g)]
    return [g / len(tasks) for g in total]


def task_loss(theta, *task):
    """The whole of a task as one function, for torch.func."""

    def inner(f, w):
        g = torch.func.grad(f)(w)
        return [d.detach() for d in g] if step["adaptation"]["order"] == "FIRST" else g

    fast = adapt(theta, task[0], task[1], inner, True)
    return outer(fast, task, lambda f, v: torch.func.grad(f)(v))


def mapped(theta, tasks):
    gradients = torch.func.vmap(torch.func.grad(task_loss), in_dims=(None, 0, 0, 0, 0, 0))
    return [g.mean(0) for g in gradients(theta, *tasks)]


def adam(theta, gradient):
    a = step["adam"]
    with torch.no_grad():
        for w, d in zip(theta, gradient):
            m, v = (1 - a["beta1"]) * d, (1 - a["beta2"]) * d * d
            root = (v / (1 - a["beta2"])).sqrt() + a["eps"]
            torch.addcdiv(w, m, root, value=-a["rate"] / (1 - a["beta1"]))


def meta_ways(weights, data):
    channels = step["weights"][0]["shape"][3]
    theta = [kernel_order(w, channels) for w in weights]
    laid = {}

    def tasks(channels_last):
        if channels_last not in laid:
            laid[channels_last] = [
                [images(s, channels_last), ys.to(device), images(q, channels_last), yq.to(device),
                 images(p, channels_last)] for s, ys, q, yq, p in data]
        return laid[channels_last]

    def stacked():
        if "stacked" not in laid:
            laid["stacked"] = [torch.stack(parts) for parts in zip(*tasks(False))]
        return laid["stacked"]

    def way(name, gradient, arguments):
        return (
            name,
            lambda: b"".join(vauban_order(g, channels) for g in gradient(theta, arguments())),
            timed(lambda: adam(theta, gradient(theta, arguments()))),
        )

    return [
        way("eager", eager, lambda: tasks(False)),
        way("eager, channels-last", eager, lambda: tasks(True)),
        way("torch.func vmap", mapped, stacked),
        way("torch.compile of vmap", torch.compile(mapped), stacked),
        way("torch.compile of vmap, CUDA graphs", torch.compile(mapped, mode="reduce-overhead"), stacked),
    ]


# ---- the attack on a batch ----


class Weights:
    """Weights in the network's order, taken one after another."""

    def __init__(self, weights):
        self.weights, self.next = weights, 0

    def take(self):
        self.next += 1
        return self.weights[self.next - 1]

    def conv(self, x, stride, padding):
        return F.conv2d(x, self.take(), self.take(), stride, padding)

    def is_projection(self):
        w = self.weights[self.next]
        return w.dim() == 4 and w.shape[2] == 1


def residual(w, x, stride):
    inner = w.conv(F.relu(w.conv(x, stride, 1)), 1, 1)
    return F.relu(inner + (w.conv(x, stride, 0) if w.is_projection() else x))


def network(weights, x):
    """With batch norm folded into the convolutions."""
    w = Weights(weights)
    if step["network"] == "CONV4":
        for _ in range(4):
            x = F.max_pool2d(F.relu(w.conv(x, 1, 1)), 2)
        features = x.flatten(1)
    else:
        x = F.relu(w.conv(x, 1, 1))
        for stage in range(4):
            x = residual(w, x, 1 if stage == 0 else 2)
            x = residual(w, x, 1)
        features = F.adaptive_avg_pool2d(x, 1).flatten(1)
    return F.linear(features, w.take(), w.take())


def batch_losses(weights, x, y):
    with arithmetic():
        logits = network(weights, x)
    return F.cross_entropy(logits.float(), y, reduction="none")


def against(each):
    """A value per image, to go with [N,C,H,W]."""
    return each[:, None, None, None]


def climbed(at, old, g, size, x, share):
    """A step of APGD: the point, and the one before."""
    eps = step["attack"]["eps"]

    def inside(z):
        return torch.minimum(torch.maximum(z, x - eps), x + eps).clamp(0, 1)

    z = inside(at + against(size) * g.sign())
    return inside(at + share * (z - at) + (1 - share) * (at - old)), at


def kept(at, g, each, best, best_g, highest, rises, previous):
    """The best points so far, and how often the loss rose."""
    better = each > highest
    mask = against(better)
    return (
        torch.where(mask, at, best),
        torch.where(mask, g, best_g),
        torch.where(better, each, highest),
        rises + (each > previous),
    )


def decided(at, g, best, best_g, highest, rises, size, reduced, reference, seldom):
    """A checkpoint: who halves the step and returns to the best point."""
    reduced = (rises <= seldom) | (~reduced & (reference >= highest))
    mask = against(reduced)
    return torch.where(mask, best, at), torch.where(mask, best_g, g), torch.where(reduced, size / 2, size), reduced


def auto_pgd(gradient, compiled, x, start):
    """APGD (Croce and Hein 2020) as in AutoAttack's code; gradient(at) gives each image's loss too."""
    climb, keep, decide = [torch.compile(f) if compiled else f for f in (climbed, kept, decided)]

    def attack(steps):
        at = old = best = start
        highest, g = gradient(at)
        best_g = g
        size = torch.full_like(highest, 2 * step["attack"]["eps"])
        reduced = torch.ones_like(highest, dtype=torch.bool)
        reference = highest
        rises = torch.zeros_like(highest)
        previous = torch.zeros_like(highest)
        length, least, shorter = max(int(0.22 * steps), 1), max(int(0.06 * steps), 1), max(int(0.03 * steps), 1)
        count = 0
        for i in range(steps):
            at, old = climb(at, old, g, size, x, 0.75 if i else 1.0)
            each, g = gradient(at)
            best, best_g, highest, rises = keep(at, g, each, best, best_g, highest, rises, previous)
            previous = each
            count += 1
            if count == length:
                seldom = torch.full_like(highest, 0.75 * length)  # a tensor: no new program for each
                at, g, size, reduced = decide(
                    at, g, best, best_g, highest, rises, size, reduced, reference, seldom)
                reference, rises = highest, torch.zeros_like(highest)
                length, count = max(length - shorter, least), 0
        return best

    return attack


def batch_ways(weights, data):
    shapes = [w["shape"] for w in step["weights"]]
    channels = shapes[0][3] if step["network"] == "CONV4" else shapes[-2][0]

    def way(name, channels_last, compiled):
        prepared = []

        def arguments():
            if not prepared:
                w = [kernel_order(v, channels) for v in weights]
                if channels_last:
                    w = [v.contiguous(memory_format=torch.channels_last) if v.dim() == 4 else v for v in w]
                x, start, y = data
                prepared.extend([w, images(x, channels_last), images(start, channels_last), y.to(device)])
            return prepared

        def gradient(w, x, y):
            x = x.detach().requires_grad_()
            each = batch_losses(w, x, y)
            return each.detach(), torch.autograd.grad(each.sum(), x)[0]

        if compiled:

            def summed(v, w, y):
                each = batch_losses(w, v, y)
                return each.sum(), each

            def functional(w, x, y):
                g, each = torch.func.grad(summed, has_aux=True)(x, w, y)
                return each, g

            fast = torch.compile(functional, mode=compiled)

            def gradient(w, x, y):
                found = fast(w, x, y)
                if step["ascent"] == "APGD" and compiled == "reduce-overhead":
                    # Kept for later, but what a CUDA graph returns is overwritten by its next run.
                    found = [v.clone() for v in found]
                return found

        def prepare():
            w, x, start, y = arguments()
            if step["ascent"] == "APGD":
                return auto_pgd(lambda at: gradient(w, at, y), compiled, x, start)

            def pgd(steps):
                at = start
                for _ in range(steps):
                    at = ascended(at, gradient(w, at, y)[1], x)
                return at

            return pgd

        attacks = []

        def attack():
            if not attacks:
                attacks.append(prepare())
            return attacks[0](step["attack"]["steps"])

        return (
            name,
            lambda: raw((attack() - arguments()[1]).permute(0, 2, 3, 1)),
            timed(attack),
        )

    return [
        way("eager", False, None),
        way("eager, channels-last", True, None),
        way("torch.compile", True, "default"),
        way("torch.compile, CUDA graphs", True, "reduce-overhead"),
    ]


try:
    weights, data = read_program(
        talk,
        lambda b, shape: torch.frombuffer(b, dtype=torch.float32).reshape(shape),
        lambda b, shape: torch.frombuffer(b, dtype=torch.int32).reshape(shape).long(),
    )
    ways = batch_ways(weights, data) if step["kind"] == "batch" else meta_ways(weights, data)
except Exception as e:
    talk.answer({"error": sentence(e)})
    raise SystemExit(0)
talk.serve({"name": "PyTorch " + torch.__version__}, ways)
