"""How a peer talks with Vauban, which starts it.

Standard input: a line of JSON (the program), the arrays it announces as raw little-endian values, then
commands, one a line: 'result WAY' and 'run WAY'. Standard output: a line of JSON for each; after
'result' come raw float32 values in Vauban's layout, in the order of the program's weights, or of the
images. A way that fails answers {"error": sentence}. Ends when its input ends.
"""
import json
import os
import sys


class Talk:
    def __init__(self):
        self.input = sys.stdin.buffer
        self.output = os.fdopen(os.dup(1), "wb")
        os.dup2(2, 1)  # whatever libraries print must not mix with the answers
        self.program = json.loads(self.input.readline())

    def read(self, shape):
        """The bytes of an array of 4-byte elements."""
        count = 1
        for n in shape:
            count *= n
        data = self.input.read(4 * count)
        if len(data) < 4 * count:
            sys.exit("the numbers ended early")
        return bytearray(data)

    def answer(self, value, data=b""):
        self.output.write(json.dumps(value).encode() + b"\n" + data)
        self.output.flush()

    def serve(self, hello, ways):
        """ways: (name, result, run) each; result gives bytes, run gives seconds."""
        self.answer(dict(hello, ways=[w[0] for w in ways]))
        for line in self.input:
            command, way = line.decode().split()
            try:
                _, result, run = ways[int(way)]
                if command == "result":
                    self.answer({}, result())
                else:
                    self.answer({"seconds": run()})
            except Exception as e:  # this way fails; the others go on
                self.answer({"error": sentence(e)})


def sentence(e):
    return "%s: %s" % (type(e).__name__, (str(e).strip() or "no message").split("\n")[0][:300])


def read_program(talk, f32, i32):
    """The arrays of a program, made by f32(bytes, shape) and i32(bytes, shape)."""
    p = talk.program
    weights = [f32(talk.read(w["shape"]), w["shape"]) for w in p["weights"]]
    if p["kind"] == "batch":
        shape = p["images"]
        images = f32(talk.read(shape), shape)
        start = f32(talk.read(shape), shape)
        return weights, (images, start, i32(talk.read(shape[:1]), shape[:1]))
    tasks = []
    for _ in range(p["tasks"]):
        parts = []
        for part in ("support", "query"):
            shape = p[part]
            parts.append(f32(talk.read(shape), shape))
            parts.append(i32(talk.read(shape[:1]), shape[:1]))
        parts.append(f32(talk.read(p["query"]), p["query"]) if p["start"] else parts[2])
        tasks.append(parts)
    return weights, tasks
