"""The logs for strangers, without log-in: what they are, by which keys they are signed, and their files."""

from __future__ import annotations

from fastapi import APIRouter

from broker.ports import LogReader, Ports
from broker.web.doors import PublicLog
from broker.web.log import files, front
from broker.web.log.front import Published
from broker.web.pages.show import Pages

__all__ = ["Published", "build"]


def build(ports: Ports, reader: LogReader, public: PublicLog, pages: Pages, published: Published) -> list[APIRouter]:
    """Build the page, its JSON and the files."""
    return [front.build(ports, reader, pages, published), files.build(public, published.name)]
