"""Arguments and options that several commands share."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class OriginChoice(StrEnum):
    """Where a map begins."""

    AUTO = "auto"
    ORIGIN = "origin"
    NSTART = "nstart"
    ZERO = "zero"


class NeighbourChoice(StrEnum):
    """Which copies of the model count as neighbours."""

    NONE = "none"
    ASSEMBLY = "assembly"
    CRYSTAL = "crystal"


class ThresholdChoice(StrEnum):
    """Thresholds of FSC-Q."""

    PAPER = "paper"
    CREF = "cref"


class LabelChoice(StrEnum):
    """How atoms get values from voxels."""

    MEAN = "mean"
    XMIPP = "xmipp"


class CrossingChoice(StrEnum):
    """Which crossing of the threshold counts."""

    LAST = "last"
    FIRST = "first"


class DefinitionChoice(StrEnum):
    """Definitions of a percentile."""

    PAPER = "paper"
    EMDB = "emdb"


class FigureChoice(StrEnum):
    """Formats of figures for print."""

    SVG = "svg"
    PNG = "png"
    PDF = "pdf"


class EngineChoice(StrEnum):
    """What makes independent models."""

    OPENMM = "openmm"
    EXTERNAL = "external"


class BFactorChoice(StrEnum):
    """Where the B factors of kept models come from."""

    Q = "q"
    SERVALCAT = "servalcat"
    NONE = "none"


class PlatformChoice(StrEnum):
    """What the built-in engine computes on."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"
    OPENCL = "opencl"


class CopiesChoice(StrEnum):
    """What copies by symmetry do."""

    MOVING = "moving"
    MASKED = "masked"


class FormChoice(StrEnum):
    """How a model becomes a map."""

    ELECTRON = "electron"
    GAUSSIAN = "gaussian"


ModelFile = Annotated[
    Path, typer.Argument(metavar="MODEL", help="mmCIF or PDB file, plain or gzipped.")
]
MapFile = Annotated[Path, typer.Argument(metavar="MAP", help="CCP4/MRC map, plain or gzipped.")]
ModelInput = Annotated[
    Path,
    typer.Argument(
        metavar="MODEL",
        help="mmCIF or PDB file, plain or gzipped; or an entry: EMD-3488, 5NI1.",
    ),
]
MapInput = Annotated[
    Path | None,
    typer.Argument(
        metavar="MAP",
        help="CCP4/MRC map, plain or gzipped; or an entry. Without it, MODEL names both.",
        show_default=False,
    ),
]
FittedModel = Annotated[
    str | None,
    typer.Option("--pdb", metavar="ID", help="Which model of an entry of EMDB; else the first."),
]
Cache = Annotated[
    Path | None,
    typer.Option(
        "--cache",
        metavar="DIR",
        help="Folder for fetched files; ATOMSIGHT_CACHE, else in your cache folder.",
    ),
]
NoHalfMaps = Annotated[
    bool, typer.Option("--no-half-maps", help="Do without the half maps of an entry.")
]
NoMask = Annotated[bool, typer.Option("--no-mask", help="Do without the mask of an entry.")]
Resolution = Annotated[
    float | None,
    typer.Option(metavar="Å", help="Resolution; otherwise from the model's metadata."),
]
Sigma = Annotated[
    float,
    typer.Option(
        metavar="Å",
        help="Width of the reference Gaussian: 0.4 as the archive, 0.6 as MapQ's default.",
    ),
]
Points = Annotated[int, typer.Option(metavar="N", help="Points that each shell must keep.")]
Radius = Annotated[float, typer.Option(metavar="Å", help="Largest radius.")]
Step = Annotated[float, typer.Option(metavar="Å", help="Distance between shells.")]
ModelNumber = Annotated[
    int | None,
    typer.Option("--model", metavar="N", help="Which MODEL of the file; else the first."),
]
Selection = Annotated[
    str | None,
    typer.Option(
        "--select",
        metavar="TEXT",
        help="Score only these atoms, in gemmi's syntax, e.g. '//A/10-40'.",
    ),
]
Neighbours = Annotated[
    NeighbourChoice,
    typer.Option(help="Copies that count as neighbours; the archive's numbers have none."),
]
Assembly = Annotated[
    str | None, typer.Option(metavar="ID", help="Which assembly, with --neighbours assembly.")
]
Orientations = Annotated[
    int,
    typer.Option(metavar="K", help="Repeat with K rotated point sets: mean and sd for each atom."),
]
Seed = Annotated[int, typer.Option(metavar="N", help="Seed of those rotations.")]
Origin = Annotated[
    OriginChoice, typer.Option(help="Where the map begins; auto: ORIGIN words, else NSTART.")
]
Threads = Annotated[
    int | None, typer.Option(metavar="N", help="Threads; all processors by default.")
]
Force = Annotated[
    bool, typer.Option("--force", help="Score a model that does not lie in the map, too.")
]
Output = Annotated[
    Path, typer.Option("--output", "-o", metavar="DIR", help="Folder for the results.")
]
Half1 = Annotated[Path, typer.Argument(metavar="HALF1", help="First half map.")]
Half2 = Annotated[Path, typer.Argument(metavar="HALF2", help="Second half map.")]
HalfMaps = Annotated[
    tuple[Path, Path] | None,
    typer.Option("--half-maps", metavar="H1 H2", help="Two half maps, for FSC-Q."),
]
Mask = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Mask; otherwise made from the model.")
]
Contour = Annotated[
    float | None,
    typer.Option(metavar="LEVEL", help="Contour level of the map, for atom inclusion."),
]
MaskLevel = Annotated[
    float | None,
    typer.Option(metavar="LEVEL", help="Make the mask from the map above this level instead."),
]
Box = Annotated[
    int | None,
    typer.Option(metavar="VOXELS", help="Edge of the FSC window; 5 x the resolution by default."),
]
Window = Annotated[
    float | None,
    typer.Option(metavar="X", help="The same as a multiple of the resolution."),
]
VolumeStep = Annotated[
    int | None,
    typer.Option(
        "--volumes",
        metavar="K",
        help="Also write FSC-Q and both local resolutions as maps, from every K-th voxel.",
    ),
]
Thresholds = Annotated[
    ThresholdChoice,
    typer.Option(help="Of FSC-Q: paper 1/2 and 2/3; cref 1/2 and 0.8165, where truth scores 0."),
]
Label = Annotated[
    LabelChoice,
    typer.Option(help="Atoms' FSC-Q: mean of the windows around them, or as Xmipp labels them."),
]
Crossing = Annotated[
    CrossingChoice, typer.Option(help="Which of several threshold crossings counts.")
]
ModelB = Annotated[
    float | None,
    typer.Option("--b", metavar="Å²", help="One B factor for the model's map; else its own."),
]
BFromQ = Annotated[
    float | None,
    typer.Option(metavar="F", help="B = F (1 - Q) in Å² for the model's map instead."),
]
ArchiveFile = Annotated[
    Path | None,
    typer.Option(
        "--archive",
        metavar="FILE",
        help="Statistics that 'archive build' made; EMDB's, which come with atomsight, by default.",
    ),
]
Definition = Annotated[
    DefinitionChoice,
    typer.Option(
        help="Of percentiles. paper: lower values, within 0.5 Å; emdb: equal ones and itself too, "
        "within 1 Å."
    ),
]
FitB = Annotated[
    bool,
    typer.Option("--fit-b/--no-fit-b", help="Fit B factors to the Q-scores: the longest step."),
]
ConvergenceFolder = Annotated[
    Path | None,
    typer.Option(
        "--convergence", metavar="DIR", help="Results of 'converge': Cα RMSD of each residue."
    ),
]
Figures = Annotated[
    FigureChoice | None,
    typer.Option(help="Also write the page's figures for print, one file each, into figures/."),
]
