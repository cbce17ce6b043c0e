# Apus, federated learning in Swift.
# SPDX-License-Identifier: Apache-2.0
"""Writes operations.safetensors, losses.safetensors and training.safetensors: PyTorch's numbers.

    python make_goldens.py          (torch 2.13.0, numpy, safetensors; float32, one thread)

Layouts are those of Apus: images batch x height x width x channels, filters height x width x in x
out, dense weights in x out. Every case of operations.safetensors has

    CASE/input, CASE/parameter/NAME     what goes in
    CASE/output                         what comes out
    CASE/weight                         w, of the output's shape
    CASE/input_gradient, CASE/gradient/NAME     of sum(w * output)

Classes and indices are stored as floats.
"""

import math
import pathlib
import zlib

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.numpy import save_file

torch.set_num_threads(1)
HERE = pathlib.Path(__file__).parent
goldens = {}


def numbers(name, shape, low=-1.5, high=1.5):
    generator = np.random.default_rng(zlib.crc32(name.encode()))
    return torch.from_numpy(generator.uniform(low, high, shape).astype(np.float32))


def case(name, input, function, parameters={}, low=-1.5, high=1.5, vocabulary=None, whole=False):
    """input: the shape of one of three examples; parameters: name -> shape."""
    shape = (3, *input)
    if vocabulary is None:
        x = numbers(name + "/input", shape, low, high)
        x = (x.round() if whole else x).requires_grad_()
    else:
        x = numbers(name + "/input", shape, 0, vocabulary).floor().to(torch.int32)
    p = {
        k: numbers(f"{name}/{k}", s, low, high).requires_grad_() for k, s in parameters.items()
    }
    y = function(x, **p)
    w = numbers(name + "/weight", tuple(y.shape))
    (w * y).sum().backward()
    save(name, input=x, output=y, weight=w)
    if vocabulary is None:
        save(name, input_gradient=x.grad)
    for k, v in p.items():
        goldens[f"{name}/parameter/{k}"] = array(v)
        goldens[f"{name}/gradient/{k}"] = array(v.grad)


def write(name):
    save_file(goldens, HERE / name)
    (HERE / name).chmod(0o644)


def array(t):
    return np.ascontiguousarray(t.detach().numpy().astype(np.float32))


def save(name, **tensors):
    goldens.update({f"{name}/{k}": array(v) for k, v in tensors.items()})


# Images


def to_torch(x):
    return x.permute(0, 3, 1, 2)


def to_apus(x):
    return x.permute(0, 2, 3, 1)


def same(size, stride, extent):
    total = max(((extent + stride - 1) // stride - 1) * stride + size - extent, 0)
    return total // 2, total - total // 2


def padded(x, padding, size, stride, value=0.0):
    """padding: an amount, or "same". x is batch x channels x height x width."""
    if padding == "same":
        top, bottom = same(size, stride, x.shape[2])
        left, right = same(size, stride, x.shape[3])
    else:
        top = bottom = left = right = padding
    return F.pad(x, (left, right, top, bottom), value=value)


def convolution(x, weight, bias=None, stride=1, padding=0, groups=1):
    x = padded(to_torch(x), padding, weight.shape[0], stride)
    return to_apus(F.conv2d(x, weight.permute(3, 2, 0, 1), bias, stride, groups=groups))


def max_pool(x, size, stride=None, padding=0):
    x = padded(to_torch(x), padding, size, stride or size, -math.inf)
    return to_apus(F.max_pool2d(x, size, stride))


def average_pool(x, size, stride=None, padding=0):
    x = padded(to_torch(x), padding, size, stride or size)
    return to_apus(F.avg_pool2d(x, size, stride))


def group_norm(x, groups, weight=None, bias=None):
    return to_apus(F.group_norm(to_torch(x), groups, weight, bias))


def dense(x, weight, bias):
    return x @ weight + bias


# Elementwise

for op, f in dict(
    add=torch.add, subtract=torch.sub, multiply=torch.mul, divide=torch.div
).items():
    span = dict(low=0.3, high=2.0)
    case(f"{op}/same", (5, 7), lambda x, b: f(x, b), dict(b=(5, 7)), **span)
    case(f"{op}/row", (5, 7), lambda x, b: f(x, b), dict(b=(7,)), **span)
    case(f"{op}/column", (5, 7), lambda x, b: f(x, b), dict(b=(5, 1)), **span)
    case(f"{op}/left", (5, 7), lambda x, b: f(b, x), dict(b=(5, 1)), **span)
    case(f"{op}/outer", (5, 1, 3), lambda x, b: f(x, b), dict(b=(4, 1)), **span)
    case(f"{op}/self", (5, 7), lambda x: f(x[:, :2], x[:, 2:4]), **span)
    case(f"{op}/number", (17,), lambda x: f(x, 0.7), **span)
    case(f"{op}/from_number", (17,), lambda x: f(torch.tensor(0.7), x), **span)

case("negate", (17,), torch.neg)
case("exp", (33,), torch.exp, low=-5, high=5)
case("log", (33,), torch.log, low=0.05, high=9)
case("sqrt", (33,), torch.sqrt, low=0.05, high=9)
for p in [2.0, 3.0, -1.0, 0.5, -0.5, 1.7, -2.0]:
    case(f"power/{p}", (17,), lambda x: x**p, low=0.2, high=3)
case("power/odd", (17,), lambda x: x**3)

ACTIVATIONS = dict(
    relu=F.relu,
    leakyRelu=lambda x: F.leaky_relu(x, 0.1),
    sigmoid=torch.sigmoid,
    tanh=torch.tanh,
    gelu=F.gelu,
    geluTanh=lambda x: F.gelu(x, approximate="tanh"),
    silu=F.silu,
)
for name, f in ACTIVATIONS.items():
    case(f"activation/{name}", (67,), f, low=-6, high=6)
    case(
        f"activation/{name}/dense",
        (6,),
        lambda x, weight, bias: f(dense(x, weight, bias)),
        dict(weight=(6, 5), bias=(5,)),
    )

# Products

case("product/vector", (6,), lambda x, b: x @ b, dict(b=(6, 5)))
case("product/matrix", (4, 6), lambda x, b: x @ b, dict(b=(6, 5)))
case("product/right_transposed", (4, 6), lambda x, b: x @ b.T, dict(b=(5, 6)))
case("product/left_transposed", (6, 4), lambda x, b: x.mT @ b, dict(b=(6, 5)))
case("product/parameter_left", (6, 5), lambda x, b: b @ x, dict(b=(4, 6)))
case("product/both", (2, 4, 6), lambda x: x[:, 0] @ x[:, 1].mT)
case("product/both_transposed", (2, 4, 6), lambda x: x[:, 0].mT @ x[:, 1])
case("product/heads", (3, 4, 6), lambda x, b: x @ b, dict(b=(3, 6, 2)))
case("product/attention", (5, 8), lambda x: torch.softmax(x @ x.mT / 8**0.5, -1) @ x)

# Softmax and reductions

case("softmax/vector", (10,), lambda x: torch.softmax(x, -1), low=-5, high=5)
case("softmax/matrix", (4, 17), lambda x: torch.softmax(x, -1), low=-5, high=5)
case("logSoftmax/vector", (10,), lambda x: torch.log_softmax(x, -1), low=-5, high=5)
case("logSoftmax/matrix", (4, 17), lambda x: torch.log_softmax(x, -1), low=-5, high=5)
for op, f in dict(sum=torch.sum, mean=torch.mean, max=torch.amax).items():
    case(f"{op}/last", (4, 5, 6), lambda x: f(x, -1))
    case(f"{op}/first", (4, 5, 6), lambda x: f(x, 1))
    case(f"{op}/middle_kept", (4, 5, 6), lambda x: f(x, 2, keepdim=True))
    case(f"{op}/outer_two", (4, 5, 6), lambda x: f(x, (1, 3)))
    case(f"{op}/all", (4, 5, 6), lambda x: f(x, (1, 2, 3)))
    case(f"{op}/parameter", (5,), lambda x, b: x * f(b, 0), dict(b=(4, 5)))
case("max/ties", (4, 6), lambda x: x.max(2).values, whole=True)

# Shapes

case("reshape", (4, 6), lambda x: x.reshape(3, 3, 8))
case("transpose/matrix", (4, 17), lambda x: x.mT)
case("transpose/cube", (3, 4, 5), lambda x: x.permute(0, 3, 1, 2))
case("transpose/four", (2, 3, 4, 5), lambda x: x.permute(0, 4, 2, 1, 3))
case("slice/last", (4, 9), lambda x: x[:, :, 2:7])
case("slice/first", (6, 5), lambda x: x[:, 1:4])
case("slice/overlapping", (9,), lambda x: x[:, 0:6] * x[:, 3:9])
case(
    "concatenation/last",
    (4, 3),
    lambda x, b: torch.cat([x, b.expand(len(x), 4, 2), x], 2),
    dict(b=(4, 2)),
)
case("concatenation/first", (4, 3), lambda x: torch.cat([x, x * x], 1))
case("padding", (3, 4), lambda x: F.pad(x, (2, 1, 0, 3)))

# Images

IMAGE = (7, 6, 4)
case("convolution/valid", IMAGE, convolution, dict(weight=(3, 3, 4, 5)))
case(
    "convolution/same",
    IMAGE,
    lambda x, weight, bias: convolution(x, weight, bias, padding="same"),
    dict(weight=(3, 3, 4, 5), bias=(5,)),
)
case(
    "convolution/same_even",
    IMAGE,
    lambda x, weight, bias: convolution(x, weight, bias, padding="same"),
    dict(weight=(4, 4, 4, 3), bias=(3,)),
)
case(
    "convolution/stride",
    IMAGE,
    lambda x, weight, bias: convolution(x, weight, bias, 2, "same"),
    dict(weight=(3, 3, 4, 5), bias=(5,)),
)
case(
    "convolution/padding",
    IMAGE,
    lambda x, weight, bias: convolution(x, weight, bias, 3, 2),
    dict(weight=(4, 4, 4, 2), bias=(2,)),
)
case(
    "convolution/groups",
    IMAGE,
    lambda x, weight, bias: convolution(x, weight, bias, 1, 1, groups=2),
    dict(weight=(3, 3, 2, 6), bias=(6,)),
)
case(
    "convolution/pointwise",
    IMAGE,
    lambda x, weight, bias: convolution(x, weight, bias),
    dict(weight=(1, 1, 4, 17), bias=(17,)),
)
for multiplier in [1, 3]:
    case(
        f"convolution/depthwise{multiplier}",
        IMAGE,
        lambda x, weight, bias: convolution(x, weight, bias, 2, "same", groups=4),
        dict(weight=(3, 3, 1, 4 * multiplier), bias=(4 * multiplier,)),
    )
case(
    "convolution/relu",
    IMAGE,
    lambda x, weight, bias: F.relu(convolution(x, weight, bias, padding="same")),
    dict(weight=(5, 5, 4, 3), bias=(3,)),
)
case("maxPool/plain", IMAGE, lambda x: max_pool(x, 2))
case("maxPool/overlapping", IMAGE, lambda x: max_pool(x, 3, 2, 1))
case("maxPool/same", IMAGE, lambda x: max_pool(x, 3, 2, "same"))
case("averagePool/plain", IMAGE, lambda x: average_pool(x, 2))
case("averagePool/overlapping", IMAGE, lambda x: average_pool(x, 3, 2, 1))
case("globalAveragePool", IMAGE, lambda x: x.mean((1, 2)))
case("flatten", IMAGE, lambda x: x.flatten(1))

# Norms

case("layerNorm/vector", (33,), lambda x: F.layer_norm(x, (33,)))
case("layerNorm/two_axes", (3, 4, 5), lambda x: F.layer_norm(x, (4, 5)))
case(
    "layerNorm/layer",
    (4, 17),
    lambda x, weight, bias: F.layer_norm(x, (17,), weight, bias),
    dict(weight=(17,), bias=(17,)),
)
case("groupNorm/one", IMAGE, lambda x: group_norm(x, 1))
case("groupNorm/each", IMAGE, lambda x: group_norm(x, 4))
case(
    "groupNorm/layer",
    IMAGE,
    lambda x, weight, bias: group_norm(x, 2, weight, bias),
    dict(weight=(4,), bias=(4,)),
)

# Rows of a table, layers together

case("embedding", (5,), lambda x, weight: weight[x.long()], dict(weight=(7, 6)), vocabulary=7)
case("dense/vector", (6,), dense, dict(weight=(6, 5), bias=(5,)))
case("dense/matrix", (4, 6), dense, dict(weight=(6, 5), bias=(5,)))
case(
    "residual",
    (6,),
    lambda x, weight, bias: x + F.relu(dense(x, weight, bias)),
    dict(weight=(6, 6), bias=(6,)),
)
case(
    "shared",
    (6,),
    lambda x, weight, bias: dense(torch.tanh(dense(x, weight, bias)), weight, bias),
    dict(weight=(6, 6), bias=(6,)),
)
write("operations.safetensors")

# Losses: logits, targets -> the mean, its gradient by the logits, how many are right

goldens = {}


def loss(name, shape, targets, f, right):
    x = numbers(name, shape, -4, 4).requires_grad_()
    mean = f(x, targets)
    mean.backward()
    save(name, logits=x, targets=targets, loss=mean, gradient=x.grad)
    goldens[name + "/correct"] = np.array([right(x, targets)], dtype=np.float32)


labels = torch.tensor([3, 0, 9, 9, 1, 5], dtype=torch.int32)
loss(
    "softmaxCrossEntropy",
    (6, 10),
    labels,
    lambda x, t: F.cross_entropy(x, t.long()),
    lambda x, t: (x.argmax(1) == t).sum().item(),
)
words = torch.tensor([[1, 4, -100, 2], [-100, 0, 3, 3], [2, 2, 2, -100]], dtype=torch.int32)
loss(
    "softmaxCrossEntropy/sequences",
    (3, 4, 5),
    words,
    lambda x, t: F.cross_entropy(x.flatten(0, 1), t.flatten().long(), ignore_index=-100),
    lambda x, t: (x.argmax(2) == t).sum().item(),
)
loss(
    "sigmoidCrossEntropy",
    (6, 3),
    numbers("sigmoid targets", (6, 3), 0, 1),
    F.binary_cross_entropy_with_logits,
    lambda x, t: ((x > 0) == (t > 0.5)).all(1).sum().item(),
)
loss(
    "sigmoidCrossEntropy/classes",
    (6, 1),
    torch.tensor([0, 1, 1, 0, 1, 0], dtype=torch.int32),
    lambda x, t: F.binary_cross_entropy_with_logits(x[:, 0], t.float()),
    lambda x, t: ((x[:, 0] > 0) == (t > 0.5)).sum().item(),
)
loss(
    "meanSquaredError", (6, 3), numbers("squares", (6, 3)), F.mse_loss, lambda x, t: 0
)
write("losses.safetensors")

# 100 steps of SGD. Weights and data come from a hash that both sides compute.

goldens = {}


def hashed(count, stream):
    """Uniform numbers in 0..<1, in double: MurmurHash3's finalizer of (index, stream)."""
    h = (np.arange(count, dtype=np.uint64) + stream * 0x9E3779B9) & 0xFFFFFFFF
    for shift, factor in [(16, 0x85EBCA6B), (13, 0xC2B2AE35), (16, 1)]:
        h ^= h >> np.uint64(shift)
        h = (h * np.uint64(factor)) & np.uint64(0xFFFFFFFF)
    return h / 2.0**32


def weights(shapes):
    """name -> (shape, fan in); uniform with variance 1 / fan in."""
    return {
        name: torch.from_numpy(
            ((hashed(math.prod(shape), 10 + i) - 0.5) * (2 * math.sqrt(3 / fan_in)))
            .astype(np.float32)
            .reshape(shape)
        ).requires_grad_()
        for i, (name, (shape, fan_in)) in enumerate(shapes.items())
    }


EXAMPLES, BATCH, STEPS, RATE = 200, 10, 100, 0.05
classes = torch.arange(EXAMPLES) * 7 % 10
# Each class has a pattern of 7 x 7 blocks, three in ten of them lit, each pixel with its own
# brightness.
#
# The data matter. Rounding decides near-ties of ReLU and max pooling, and where training begins on a
# plateau, as it does on images of noise around 1/2, one such decision grows: PyTorch's own float32
# and float64 runs of the CNN were then 1e-2 apart after 100 steps. On these data, its float32 run and
# seven float64 runs from weights perturbed by 1e-7 end within 1e-6 (1e-5 of the change) of the
# float64 run, while the loss falls to 0.003.
lit = (hashed(10 * 49, 3).reshape(10, 7, 7) < 0.3).repeat(4, 1).repeat(4, 2).reshape(10, 784)
noise = hashed(EXAMPLES * 784, 1).reshape(EXAMPLES, 784)
pixels = lit[classes.numpy()] * (0.5 + 0.5 * noise)
images = torch.from_numpy(pixels.astype(np.float32).reshape(-1, 28, 28, 1))


def train(name, shapes, logits):
    p = weights(shapes)
    start = {k: v.detach().clone() for k, v in p.items()}
    losses = []
    for step in range(STEPS):
        rows = torch.arange(step * BATCH, (step + 1) * BATCH) % EXAMPLES
        loss = F.cross_entropy(logits(images[rows], **p), classes[rows])
        losses.append(loss.item())
        gradients = torch.autograd.grad(loss, list(p.values()))
        with torch.no_grad():
            for v, g in zip(p.values(), gradients):
                v -= RATE * g
    goldens[name + "/losses"] = np.array(losses, dtype=np.float32)
    for k, v in p.items():
        count = v.numel()
        sample = slice(None, None, max(1, count // 2000))
        end, change = array(v).reshape(-1), array(v - start[k]).reshape(-1)
        goldens[f"{name}/sample/{k}"] = np.ascontiguousarray(end[sample])
        norms = [np.linalg.norm(end.astype(np.float64)), np.linalg.norm(change.astype(np.float64))]
        goldens[f"{name}/norms/{k}"] = np.array(norms, dtype=np.float32)
    print(name, "losses", losses[0], losses[-1])


def two_nn(x, w1, b1, w2, b2, w3, b3):
    return dense(F.relu(dense(F.relu(dense(x.flatten(1), w1, b1)), w2, b2)), w3, b3)


def cnn(x, c1, d1, c2, d2, w1, b1, w2, b2):
    x = max_pool(F.relu(convolution(x, c1, d1, padding=2)), 2)
    x = max_pool(F.relu(convolution(x, c2, d2, padding=2)), 2)
    return dense(F.relu(dense(x.flatten(1), w1, b1)), w2, b2)


def named(function, names):
    return lambda x, **p: function(x, *(p[n] for n in names))


TWO_NN = {
    "hidden1.weight": ((784, 200), 784),
    "hidden1.bias": ((200,), 784),
    "hidden2.weight": ((200, 200), 200),
    "hidden2.bias": ((200,), 200),
    "logits.weight": ((200, 10), 200),
    "logits.bias": ((10,), 200),
}
CNN = {
    "conv1.weight": ((5, 5, 1, 32), 25),
    "conv1.bias": ((32,), 25),
    "conv2.weight": ((5, 5, 32, 64), 800),
    "conv2.bias": ((64,), 800),
    "hidden.weight": ((3136, 512), 3136),
    "hidden.bias": ((512,), 3136),
    "logits.weight": ((512, 10), 512),
    "logits.bias": ((10,), 512),
}
train("2nn", TWO_NN, named(two_nn, TWO_NN))
train("cnn", CNN, named(cnn, CNN))
write("training.safetensors")
