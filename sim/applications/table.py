"""The applications by name. To add one: a file in this room with a function that gives an outcome, and a line here."""

from collections.abc import Mapping
from types import MappingProxyType

from sim.applications.application import Application
from sim.applications.cellular import cellular
from sim.applications.noise_removal import noise_removal
from sim.applications.slant import slant
from sim.applications.zip_reader import read_zip

APPLICATIONS: Mapping[str, Application] = MappingProxyType({
    one.name: one
    for one in (
        Application("slant", "the slant of text blocks, by a convolver of 16 kernels of 16 x 16", 200, slant),
        Application("zip", "ZIP codes without cutting: the recogniser at 31 x 6 places, and the best path", 1000, read_zip),
        Application("noise-removal", "flipped pixels of pages of text, by a Gaussian of 5 x 5 pixels", 200, noise_removal),
        Application("cellular", "holes of digits filled by a cellular network, state by state", 500, cellular),
    )
})  # fmt: skip


def listing() -> str:
    """A line for each: its name, how many images it runs unless asked otherwise, and what it is."""
    wide = max(map(len, APPLICATIONS))
    return "\n".join(f"{name:{wide}}  {one.count:>5,} images  {one.summary}" for name, one in APPLICATIONS.items())
