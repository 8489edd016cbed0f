"""Reading records: every schema, and whatever somebody may put in one."""

from __future__ import annotations

import copy
import json
import struct
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from impasto.errors import RecordError
from impasto.files.pictures.images import write_image
from impasto.files.records.read import embedded_text, parse_record, read_record
from impasto.files.records.write import MAX_TEXT, png_text

FIRST = Path(__file__).parent / "schema-1.json"
SECOND = Path(__file__).parent / "schema-2.json"
THIRD = Path(__file__).parent / "schema-3.json"
LATEST = Path(__file__).parent / "schema-4.json"


@pytest.fixture
def values() -> dict:
    return json.loads(LATEST.read_text())


@pytest.mark.parametrize("path", [FIRST, SECOND, THIRD, LATEST], ids=lambda path: path.stem)
def test_every_schema_reads(path):
    record = read_record(path)
    assert record.schema == int(path.stem[-1])
    assert record.task == "stylize"
    assert record.recipe.seed == 7
    assert record.recipe.steps == (3,)
    assert record.plan.stages[0].styles == ((31, 40),)
    assert [each.name for each in record.inputs["styles"]] == ["painting.png"]
    assert [each.step for each in record.losses] == [0, 1, 2, 3]
    assert record.result.finished
    assert (record.result.sha256 is None) == (record.schema == 1)
    before_3 = ("gram", "equal", 0.0)
    found = (record.recipe.style_loss, record.recipe.layer_weights, record.recipe.average)
    assert found == (("w2", "falling", 0.9) if record.schema >= 3 else before_3)
    assert record.recipe.margin == record.plan.stages[0].margin == (4 if record.schema == 4 else 0)
    assert record.result.made_at == (record.plan.stages[0].size if record.schema == 4 else None)


def test_a_record_inside_a_png_is_read_before_the_one_beside_it(values, tmp_path):
    path = tmp_path / "out.png"
    texture = {"task": "texture", "inputs": {"styles": values["inputs"]["styles"]}}
    write_image(Image.new("RGB", (4, 4)), path, text=png_text({**values, **texture}))
    path.with_suffix(".json").write_text(LATEST.read_text())
    assert read_record(path).task == "texture"
    Image.new("RGB", (4, 4)).save(path)
    assert read_record(path).task == "stylize"
    assert embedded_text(path) is None


def test_the_record_of_a_long_run_stays_below_what_readers_refuse(values, tmp_path):
    values["losses"] = [{**values["losses"][0], "step": step} for step in range(20_000)]
    path = tmp_path / "out.png"
    write_image(Image.new("RGB", (4, 4)), path, text=png_text(values))
    with Image.open(path) as image:
        image.load()
        assert len(image.text["impasto"]) <= MAX_TEXT
    steps = [each.step for each in read_record(path).losses]
    assert len(steps) > 1000
    assert steps == list(range(0, 20_000, steps[1]))


NAN, HUGE = float("nan"), 10**400
HOSTILE = {
    "a list": lambda v: [v],
    "nothing": lambda v: {},
    "no schema": lambda v: v.pop("schema"),
    "a schema of words": lambda v: v.update(schema="two"),
    "schema zero": lambda v: v.update(schema=0),
    "schema true": lambda v: v.update(schema=True),
    "a later schema": lambda v: v.update(schema=99),
    "no recipe": lambda v: v.pop("recipe"),
    "recipe is text": lambda v: v.update(recipe="x"),
    "strength is text": lambda v: v["recipe"].update(strength="1"),
    "strength out of range": lambda v: v["recipe"].update(strength=7),
    "an unknown option": lambda v: v["recipe"].update(shell="rm -r"),
    "size is a list": lambda v: v["recipe"].update(size=[1]),
    "seed beyond measure": lambda v: v["recipe"].update(seed=HUGE),
    "layers are numbers": lambda v: v["recipe"].update(style_layers=[1]),
    "too many threads": lambda v: v["recipe"].update(threads=10**7),
    "weights from elsewhere": lambda v: v["recipe"].update(weights="/etc/passwd"),
    "a start from elsewhere": lambda v: v["recipe"].update(init="../../x.png"),
    "a plan of gigapixels": lambda v: v["plan"]["stages"][0].update(height=10**7, width=10**7),
    "a plan for ever": lambda v: v["plan"]["stages"][0].update(steps=10**12),
    "a window elsewhere": lambda v: v["plan"]["stages"][0].update(window=[0, 0, 99, 99]),
    "a depth of truth": lambda v: v["recipe"].update(depth=True),
    "no stages": lambda v: v["plan"].update(stages=[]),
    "negative sizes": lambda v: v["plan"]["stages"][0].update(height=-5),
    "plan threads": lambda v: v["plan"].update(threads=10**9),
    "another number of paintings": lambda v: v["plan"]["stages"][0].update(styles=[]),
    "no inputs": lambda v: v.update(inputs={}),
    "inputs are text": lambda v: v.update(inputs="photo.png"),
    "input from elsewhere": lambda v: v["inputs"]["content"][0].update(name="../photo.png"),
    "input from the root": lambda v: v["inputs"]["content"][0].update(name="/etc/passwd"),
    "input from windows": lambda v: v["inputs"]["content"][0].update(name="..\\photo.png"),
    "input without a name": lambda v: v["inputs"]["content"][0].update(name=""),
    "input is a folder": lambda v: v["inputs"]["content"][0].update(name=".."),
    "a name with a null": lambda v: v["inputs"]["content"][0].update(name="a\0b"),
    "a name without end": lambda v: v["inputs"]["content"][0].update(name="a" * 10**6),
    "a hash of numbers": lambda v: v["inputs"]["content"][0].update(sha256=12),
    "a margin beyond measure": lambda v: v["plan"]["stages"][0].update(margin=10**6),
    "a margin below zero": lambda v: v["plan"]["stages"][0].update(margin=-1),
    "network is a list": lambda v: v.update(network=[]),
    "losses are text": lambda v: v.update(losses="down"),
    "a loss of text": lambda v: v["losses"][0].update(total="1"),
    "a loss beyond measure": lambda v: v["losses"][0].update(total=HUGE),
    "no losses": lambda v: v.pop("losses"),
    "versions nested": lambda v: v.update(versions={"a": {"b": 1}}),
    "result is none": lambda v: v.update(result=None),
    "seconds is a list": lambda v: v["result"].update(seconds=[]),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_record_is_one_sentence(case, values):
    changed = copy.deepcopy(values)
    found = HOSTILE[case](changed)
    changed = found if case in ("a list", "nothing") else changed
    with pytest.raises(RecordError) as caught:
        parse_record(changed, "out.json")
    assert len(str(caught.value)) < 300
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    ["", "{", "[" * 100_000, '{"schema": NaN}', '{"schema": Infinity}', "9" * 10_000, "\udcff"],
)
def test_what_is_no_json_is_one_sentence(text, tmp_path):
    path = tmp_path / "out.json"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(RecordError, match=r"out\.json"):
        read_record(path)


def test_files_that_are_no_records(tmp_path):
    Image.new("RGB", (4, 4)).save(tmp_path / "plain.png")
    (tmp_path / "large.json").open("wb").truncate(40_000_000)
    for name, said in (
        ("nowhere.png", "no file"),
        ("plain.png", "no record"),
        ("large.json", "large"),
    ):
        with pytest.raises(RecordError, match=said):
            read_record(tmp_path / name)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I4s", len(data), kind) + data + struct.pack(">I", zlib.crc32(kind + data))


@pytest.mark.parametrize(
    "rest",
    [
        b"",
        b"\1",
        b"\1\0\0\0not zlib",
        b"\1\0\0\0" + zlib.compress(b" " * 50_000_000),
        b"\0\0\0\0\xff",
    ],
    ids=["empty", "torn", "no zlib", "a bomb", "no text"],
)
def test_a_hostile_chunk_is_one_sentence(rest, tmp_path):
    path = tmp_path / "out.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + _chunk(b"iTXt", b"impasto\0" + rest))
    with pytest.raises(RecordError, match=r"out\.png"):
        read_record(path)


def test_a_chunk_that_ends_early(tmp_path):
    path = tmp_path / "out.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + struct.pack(">I4s", 2**31, b"iTXt") + b"impasto\0")
    with pytest.raises(RecordError):
        read_record(path)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + struct.pack(">I4s", 2**31, b"IDAT"))
    with pytest.raises(RecordError, match="no record"):
        read_record(path)


def test_somebody_else_s_text_is_left_alone(tmp_path):
    path = tmp_path / "out.png"
    info = PngInfo()
    info.add_itxt("Comment", "impasto", zip=True)
    Image.new("RGB", (4, 4)).save(path, pnginfo=info)
    assert embedded_text(path) is None


def test_a_plan_with_other_fields_is_another_version_s(values):
    values["plan"]["tiles"] = 4
    assert parse_record(values, "out.json").plan is None


LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9)
JSON = LEAVES | st.lists(LEAVES, max_size=3) | st.dictionaries(st.text(max_size=9), LEAVES)


@given(data=st.data())
def test_any_value_in_any_place_reads_or_is_one_sentence(data):
    values = json.loads(LATEST.read_text())
    place = values
    while isinstance(place, dict | list) and place:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = data.draw(st.sampled_from(keys))
        if not isinstance(place[key], dict | list) or data.draw(st.booleans()):
            place[key] = data.draw(JSON)
            break
        place = place[key]
    try:
        parse_record(values, "out.json")
    except RecordError as error:
        assert "\n" not in str(error)
