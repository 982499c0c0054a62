"""What most commands begin and end with: an application on the database, words for what went wrong."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import click
import orjson

from api.app import create_app
from api.transport.problems import say
from nrm.actions.path_findings import say_finding
from nrm.config import Config, read_config
from nrm.errors import BadPath, NotValid, NrmError


def settings() -> Config:
    """Read the settings; commands write only warnings to the log unless NRM_LOG_LEVEL says otherwise.

    Raises:
        BadSetting: a setting cannot be used.
    """
    config = read_config({"NRM_LOG_LEVEL": "warning", **os.environ})
    config.data_dir.mkdir(parents=True, exist_ok=True)
    return config


F = TypeVar("F", bound=Callable[..., Any])


@contextmanager
def application() -> Iterator[Config]:
    """Open the application on the database of the settings for the length of a block."""
    config = settings()
    with create_app(config).app_context():
        yield config


def example(text: str) -> Callable[[F], F]:
    """Show an example at the end of a command's help."""

    def add(function: F) -> F:
        # A line with a backspace keeps the lines below it as they are.
        function.__doc__ = f"{inspect.cleandoc(function.__doc__ or '')}\n\n\b\nExample:\n    {text}"
        return function

    return add


def complain(text: str) -> None:
    """Say on the error stream what is wrong."""
    click.echo(text, err=True)


def describe(error: NrmError) -> None:
    """Say in words what an action refused, and each mistake of the input."""
    complain(say(error.code, error.params))
    if isinstance(error, NotValid):
        for problem in error.problems:
            complain(f"  {problem.pointer or '/'}: {say(problem.code, problem.params)}")
    if isinstance(error, BadPath):
        for finding in error.findings:
            complain(f"  {say_finding(finding, 'en')}")


def print_json(value: object) -> None:
    """Print one value as one line of JSON."""
    click.echo(orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS).decode())
