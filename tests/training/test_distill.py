import time
from dataclasses import replace

import pytest
import torch
from safetensors.torch import save_file

from training import distill
from training.distill import LAYERS, Budget, Run, Scale, Settings, errors, train
from training.student import CONVS, WIDTHS, Plain, Student, read
from training.teachers import LAYERS as WALK

CPU = torch.device("cpu")
TINY = Settings(crops=2, size=32, pool=2, refresh=2, first_steps=5, lr=1e-3)


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def weights(tmp_path, generator):
    """Random teachers of the right shapes, thin where that is allowed."""
    folder = tmp_path / "weights"
    folder.mkdir()
    true, small = {}, {}

    def conv(into, name, before, after, side=3):
        scale = (2 / (before * side * side)) ** 0.5
        kernel = torch.randn(after, before, side, side, generator=generator)
        into[f"{name}.weight"] = kernel * scale
        into[f"{name}.bias"] = torch.randn(after, generator=generator) / 10

    before, thin = 3, 3
    conv(small, "input", 3, 3, 1)
    for name in [n for n in WALK if n.startswith("conv")]:
        block = int(name[4])
        if block <= 3:
            conv(true, name, before, 64 << (block - 1))
            before = 64 << (block - 1)
        conv(small, name, thin, WIDTHS[block])
        thin = WIDTHS[block]
        if name.endswith("_1"):
            conv(small, f"{name}_head", thin, min(512, 64 << (block - 1)), 1)
    save_file(true, folder / "vgg19_blocks1-3.safetensors")
    save_file(small, folder / "vgg19_small16x.safetensors")
    return folder


@pytest.fixture
def photos(generator):
    return [torch.randint(256, (3, 36, 48), generator=generator).byte() for _ in range(2)]


def test_errors_of_the_target_itself_and_of_its_mean(generator):
    target = torch.rand(3, 20, 5, generator=generator)
    scale = Scale(target.mean((0, 1)), float(target.var()) * 5, torch.zeros(5, 5), 1.0)
    assert [float(e) for e in errors(target, target, scale)] == [0, 0]
    feature, _ = errors(scale.centre.expand_as(target), target, scale)
    assert 0.7 < float(feature) < 1.3


def test_budgets():
    assert Budget(steps=10).progress(5, 99, 0) == 0.5
    assert Budget(minutes=4).progress(5, 1, 0) == 0.25
    assert Budget(until=30, since=10).progress(5, 1, 20) == 0.5


def test_clock():
    now = time.time()
    moment = distill.clock(time.strftime("%H:%M", time.gmtime(now + 7200)))
    assert 7100 < moment - now <= 7200


@pytest.mark.slow
def test_a_run_killed_and_resumed_is_the_run(weights, photos, tmp_path):
    def begin():
        return Run(TINY, photos, weights, CPU)

    start = Student(LAYERS).folded()
    whole = begin()
    whole.begin(start)
    train(whole, Budget(steps=4), checkpoint=tmp_path / "whole.pt")
    assert whole.step == 4
    assert whole.pool is not None

    half = begin()
    half.begin(start)
    train(half, Budget(steps=4), stop_after=2, checkpoint=tmp_path / "half.pt")
    resumed = begin()
    resumed.restore(torch.load(tmp_path / "half.pt", weights_only=True))
    assert resumed.step == 2
    train(resumed, Budget(steps=4))
    for name, value in whole.average.items():
        torch.testing.assert_close(resumed.average[name], value, rtol=1e-4, atol=1e-5)

    out = tmp_path / "out" / "compact.safetensors"
    distill.finish(whole, out, started_from="random")
    written, metadata = read(out)
    assert '"seed": 0' in metadata["training"]
    picture = torch.rand(1, 3, 32, 32)
    assert written["conv3_2_head.weight"].shape == (256, 64, 1, 1)
    given = Plain(written)(picture, ["conv2_1"], heads=True)["conv2_1"]
    own = whole.averaged()(picture, ["conv2_1"])["conv2_1"]
    expected = whole.averaged().head("conv2_1", own[0].flatten(1).T)
    torch.testing.assert_close(given[0].flatten(1).T, expected, rtol=2e-2, atol=2e-2)


def test_a_run_from_nothing(weights, photos):
    run = Run(TINY, photos, weights, CPU)
    run.begin(None)
    train(run, Budget(steps=1))
    assert run.step == 1
    assert all(bool(torch.isfinite(value).all()) for value in run.average.values())


def test_what_is_frozen_stays_and_what_lies_beyond_is_taught(weights, photos):
    start = Student(LAYERS).folded()
    run = Run(replace(TINY, frozen_to="conv3_1", first_steps=0), photos, weights, CPU)
    run.begin(start)
    assert list(run.layers) == ["conv4_1", "conv4_2", "conv5_1"]
    before = {k: v.clone() for k, v in run.student.state_dict().items()}
    train(run, Budget(steps=2))
    after = run.student.state_dict()
    moved = {k.split(".")[1] for k in after if not torch.equal(after[k], before[k])}
    assert moved & set(CONVS[: CONVS.index("conv3_2")]) == set()
    assert moved >= {"conv3_2", "conv3_3", "conv4_1", "conv4_2", "conv5_1"}


def test_command_line_names_every_setting():
    args = distill.parse(["--steps", "3", "--muon-lr", "0.5"])
    assert args.muon_lr == 0.5
    with pytest.raises(SystemExit):
        distill.parse(["--seed", "1"])
