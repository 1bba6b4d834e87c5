"""Open motion data sets: where they lie, under which licence, and how to know them again.

Sizes and checksums are those that the publishers state: the pointer of the large file in LAFAN1's
repository, the record of 100STYLE. A git revision is a checksum by itself.
"""

from dataclasses import dataclass

from motionloop.samples import InputError


@dataclass(frozen=True)
class OpenSet:
    """One data set on the net.

    Attributes:
        name: what `motionloop data download` calls it.
        what: content, frame rate, form.
        address: of a git repository, or of a zip archive.
        licence: its short name, and what it forbids.
        terms: where the licence is to be read.
        revision: the commit of a git repository; empty for an archive.
        folders: of the repository, that hold motion; all where there are none.
        sha256: of an archive; empty for a git repository.
        size: bytes of an archive; 0 where the publisher does not state it.
    """

    name: str
    what: str
    address: str
    licence: str
    terms: str
    revision: str = ""
    folders: tuple[str, ...] = ()
    sha256: str = ""
    size: int = 0

    @property
    def is_git(self) -> bool:
        """Whether the address is a git repository."""
        return bool(self.revision)

    @property
    def size_text(self) -> str:
        """The size for people."""
        return f"{self.size / 1e6:,.0f} MB" if self.size else "not stated; git shows it"


_BANDAI = "https://github.com/BandaiNamcoResearchInc/Bandai-Namco-Research-Motiondataset"
_LAFAN = "https://github.com/ubisoft/ubisoft-laforge-animation-dataset"
_CMU = "https://github.com/una-dinosauria/cmu-mocap"
_STYLE = "https://zenodo.org/records/8127870"

OPEN_SETS = {
    open_set.name: open_set
    for open_set in (
        OpenSet(
            name="bandai",
            what="Bandai-Namco-Research-Motiondataset 1 and 2: daily acts in styles, BVH, 30 fps",
            address=f"{_BANDAI}.git",
            licence="CC BY-NC 4.0: no commercial use, name the source",
            terms=f"{_BANDAI}#license",
            revision="3c23012e5022a736046171553a27a592735122c9",
            folders=(
                "dataset/Bandai-Namco-Research-Motiondataset-1/data",
                "dataset/Bandai-Namco-Research-Motiondataset-2/data",
            ),
        ),
        OpenSet(
            name="100style",
            what="100STYLE: walking and running in 100 styles, BVH, 60 fps",
            address=f"{_STYLE}/files/100STYLE.zip?download=1",
            licence="CC BY 4.0: name the source",
            terms=_STYLE,
            sha256="2c3b4017f8e2397ee6904c9b9f43551d8b426d39ddc3558d121fee9e55cb2d58",
            size=1_468_515_354,
        ),
        OpenSet(
            name="lafan1",
            what="Ubisoft LAFAN1: 77 long takes of five actors, BVH, 30 fps",
            address=f"{_LAFAN}/raw/master/lafan1/lafan1.zip",
            licence="CC BY-NC-ND 4.0: no commercial use, no altered copies passed on",
            terms=f"{_LAFAN}/blob/master/license.txt",
            sha256="ea918082b500a5d158e9d3aa39039df04cd42e25f5c02fe8f7e88e8e9365a977",
            size=144_051_503,
        ),
        OpenSet(
            name="cmu",
            what="CMU Graphics Lab motion capture, BVH as converted by B. Hahne, 120 fps",
            address=f"{_CMU}.git",
            licence="free for research and commercial projects; the data may not be resold",
            terms=f"{_CMU}/blob/master/READMEFIRST.txt",
            revision="09a07f54f3bbb58797325f009282d0b2048a2871",
            folders=("data",),
        ),
    )
}


def open_set(name: str) -> OpenSet:
    """The set of this name.

    Raises:
        InputError: there is none.
    """
    if name not in OPEN_SETS:
        raise InputError(f"no open data set is called {name!r}; there are {', '.join(OPEN_SETS)}")
    return OPEN_SETS[name]
