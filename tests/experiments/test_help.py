"""What every command says of itself, and that its examples can be typed."""

import re
import shlex

import pytest
import typer

from experiments.app import app
from experiments.logs import to_stderr

ESCAPE = "\x1b"
WITHOUT_JSON = {"export", "dashboard"}  # --format says what it prints; it prints nothing
COMMAND = typer.main.get_command(app)


def walk(command=COMMAND, path=()):
    """Every command by the words that call it."""
    if not hasattr(command, "commands"):
        return {path: command}
    below = [walk(sub, (*path, name)) for name, sub in command.commands.items()]
    return {words: leaf for found in below for words, leaf in found.items()}


ALL = walk()


@pytest.mark.parametrize("path", [(), *ALL], ids=" ".join)
def test_every_help_has_a_text_and_examples_and_fits_80_columns(cem, path):
    short, long = cem(*path, "-h"), cem(*path, "--help")
    assert (short.code, short.err) == (0, "")
    assert short == long
    usage, text, *_ = (line for line in short.out.splitlines() if line.strip())
    assert usage.startswith(" ".join(["Usage: cem", *path]))
    assert re.match(r"  [A-Z].*", text)
    assert "\n  Examples:\n    cem " in short.out
    assert ESCAPE not in short.out
    assert max(map(len, short.out.splitlines())) <= 80


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_the_first_line_of_a_help_is_whole_in_the_list_of_commands(cem, path):
    first = ALL[path].help.strip().splitlines()[0]
    assert f"\n  {path[-1]} " in cem(*path[:-1], "-h").out
    assert f" {first}\n" in cem(*path[:-1], "-h").out


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_example_can_be_typed(path, folder):
    lines = [line.strip() for line in ALL[path].epilog.splitlines()[2:] if line.strip()]
    assert lines
    for line in lines:
        name, *words = shlex.split(re.split(" [>|] ", line)[0], comments=True)
        assert name == "cem"
        (called,) = (known for known in ALL if tuple(words[: len(known)]) == known)
        for word in words:
            if word.endswith((".toml", ".jsonl")):  # that is to be there already
                (folder / word).touch()
        with to_stderr():  # -v counts within this only
            ALL[called].make_context(called[-1], words[len(called) :])
    assert f"cem {' '.join(path)}" in ALL[path].epilog


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_command_that_prints_can_print_json(path):
    options = {word for parameter in ALL[path].params for word in parameter.opts}
    assert "--json" in options or path[-1] in WITHOUT_JSON
