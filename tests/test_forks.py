"""A process that was forked after the first use; each in a process of its own, which has time."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")

PROGRAM = """
import json, multiprocessing, os, sys
import impasto
import torch

photo, painting = sys.argv[1:]
OPTIONS = dict(size=48, steps=(2,), scales=1)

def made(**options):
    result = impasto.stylize(photo, painting, **OPTIONS, **options).record
    return result["result"]["sha256"], result["plan"]["threads"]

def refused():
    try:
        return made(threads=2)
    except impasto.RecipeError as error:
        return str(error)

torch.set_num_threads(2)
x = torch.rand(1, 64, 256, 256)
torch.conv2d(x, torch.rand(64, 64, 3, 3))  # has started the threads, whatever is made
one, two = made(threads=1), made(threads=2)

reading, writing = os.pipe()
child = os.fork()
if not child:
    os.write(writing, json.dumps([made(), refused()]).encode())
    os._exit(0)
os.waitpid(child, 0)
forked = json.loads(os.read(reading, 10_000))
with multiprocessing.get_context("fork").Pool(1) as pool:
    pooled = pool.apply(made)
print(json.dumps(dict(one=one, two=two, forked=forked, pooled=pooled, own=made(threads=2))))
"""


@pytest.mark.slow
def test_a_child_after_the_first_use_computes_on_one_thread(photo, painting):
    words = [sys.executable, "-c", PROGRAM, str(photo), str(painting)]
    told = json.loads(
        subprocess.run(words, check=True, capture_output=True, text=True, timeout=120).stdout
    )
    (by_fork, sentence), by_pool = told["forked"], told["pooled"]
    assert by_fork == by_pool == told["one"]
    assert by_fork[1] == 1
    assert "start the process with multiprocessing's 'spawn'" in sentence
    assert told["own"] == told["two"]  # the parent goes on with two
    assert told["two"][1] == 2


def test_a_child_before_torch_is_loaded_is_left_alone():
    program = (
        "import os, impasto\n"
        "child = os.fork()\n"
        "if not child:\n"
        "    from impasto.forks import is_forked\n"
        "    os._exit(int(is_forked()))\n"
        "raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


OPENCV = """
import os, sys
import cv2, numpy as np
import impasto.forks

cv2.setNumThreads(2)
image = np.zeros((2000, 2000, 3), np.float32)
cv2.GaussianBlur(image, (0, 0), 5)  # has started OpenCV's threads
child = os.fork()
if not child:
    cv2.GaussianBlur(image, (0, 0), 5)
    os._exit(0 if cv2.getNumThreads() == 1 else 1)
print(os.waitpid(child, 0)[1], cv2.getNumThreads())
"""


def test_a_child_after_the_first_use_of_opencv_ends():
    done = subprocess.run(
        [sys.executable, "-c", OPENCV], check=True, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.split() == ["0", "2"]
