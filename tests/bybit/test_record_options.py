"""What `record` is told, and the file it writes: every no is a sentence."""

import resource
from pathlib import Path

import pytest

from adapters.bybit.record_file import RecordingFile
from adapters.bybit.record_options import RecordingRefused, parse


def test_a_file_is_overwritten_only_when_told_so(tmp_path: Path) -> None:
    path = tmp_path / "session.jsonl"
    path.write_text("precious")

    with pytest.raises(RecordingRefused, match=r"is there already: .*--force"):
        RecordingFile(path, force=False)
    assert path.read_text() == "precious"
    with RecordingFile(path, force=True) as file:
        file.write(b"{}")
    assert path.read_text() == "{}\n"
    with pytest.raises(RecordingRefused, match="No such file or directory"):
        RecordingFile(tmp_path / "missing" / "x", force=False)


def test_a_full_disk_is_a_sentence_and_leaves_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "session.jsonl"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with RecordingFile(path, force=False) as file:
        file.write(b'{"whole":1}')
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (20, hard))  # Like a disk that fills up.
            with pytest.raises(RecordingRefused, match=r"^The disk is full: .* can be replayed"):
                file.write(b'{"whole":2}')
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert path.read_bytes() == b'{"whole":1}\n'


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has it, macOS has not")
def test_a_device_that_is_full_is_a_sentence_too() -> None:
    with (
        pytest.raises(RecordingRefused, match=r"^The disk is full: /dev/full"),
        RecordingFile(Path("/dev/full"), force=True) as file,
    ):
        file.write(b"{}")
    assert Path("/dev/full").exists()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("", r"required: --category, --symbols, --out\. See ./dev record --help$"),
        ("--category option", r"'option' is not one of linear, spot, inverse"),
        ("--symbols BTC/USDT", r"'BTC/USDT' is not a symbol like BTCUSDT"),
        ("--seconds 0", r"'0' is not a number of seconds above 0"),
        ("--seconds inf", r"'inf' is not a number of seconds"),
        ("--environment recording", r"invalid choice: 'recording'"),
        ("--loud", r"Unrecognized arguments: --loud"),
        ("--symbols " + ",".join(f"COIN{n}USDT" for n in range(400)), r"record them in two runs"),
    ],
)
def test_a_malformed_argument_is_a_sentence(words: str, sentence: str) -> None:
    whole = ["--category=linear", "--symbols=BTCUSDT", "--out=x"] if words else []

    with pytest.raises(RecordingRefused, match=sentence):
        parse([*whole, *words.split()])


def test_several_categories_and_symbols_are_read_in_order() -> None:
    words = "--category linear,SPOT --category spot --symbols solusdt,BTCUSDT --out x"
    chosen = parse(words.split())

    assert (chosen.categories, chosen.symbols) == (("linear", "spot"), ("SOLUSDT", "BTCUSDT"))
